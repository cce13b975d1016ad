import ArgumentParser
import Bytes
import Console
import Journal
import Notification
import Outcome
import Protection
import Strategy

/// The verb `holdfast notify`.
struct NotifyVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast notify test", "holdfast notify list"]

    static let configuration = CommandConfiguration(
        commandName: "notify",
        abstract: "Tries the channels of holdfast.yaml, and shows what waits for them.",
        subcommands: [NotifyTestVerb.self, NotifyListVerb.self]
    )
}

/// The verb `holdfast notify test`.
struct NotifyTestVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast notify test", "holdfast notify test phone"]

    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Sends a test message to each channel, or to the named ones.",
        discussion: """
            A check is sent an entry of its log, which changes nothing of its state. Ends in 0 when each channel took the message; 1 when one \
            did not.
            """
    )

    @Argument(help: "Channels by their names; else all.")
    var names: [String] = []

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        let channels = try chosen(session.lab)
        guard !channels.isEmpty else {
            session.printer.normal("no channel is declared; add \"notify\" to holdfast.yaml: docs/manual/alarms.md")
            return ExitStatus.success.rawValue
        }
        let notifier = LabNotifier(session.environment, ledgerFile: LedgerFile(session.environment))
        var failed = 0
        for channel in channels {
            let delivery = try await session.onPool { await notifier.test(channel) }
            if case .failed = delivery { failed += 1 }
            show(delivery, of: channel, session.printer)
        }
        return (failed == 0 ? ExitStatus.success : .failed).rawValue
    }

    private func chosen(_ lab: Lab) throws -> [Channel] {
        guard !names.isEmpty else { return lab.channels }
        return try names.map { name in
            guard let channel = lab.channels.first(where: { $0.name == name }) else {
                throw ProtectionFailure(
                    .unknown,
                    operation: "notify",
                    object: "\"\(name)\"",
                    what: "is no channel of the declaration",
                    state: "nothing was sent",
                    next: lab.channels.isEmpty
                        ? "add \"notify\" to holdfast.yaml"
                        : "name one of: \(lab.channels.map(\.name).joined(separator: ", "))"
                )
            }
            return channel
        }
    }

    private func show(_ delivery: NotificationResult, of channel: Channel, _ printer: Printer) {
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "channel")
            line.add("channel", channel.name)
            line.add("kind", channel.kind)
            line.add("ok", delivery == .delivered)
            if case .failed(let why) = delivery { line.add("message", why) }
            return printer.result(line.text)
        }
        switch delivery {
        case .delivered: printer.normal(Text("\(channel.name) (\(channel.kind)): taken"))
        case .failed(let why): printer.error(Text("\(channel.name) (\(channel.kind)): FAILED: \(escapedControl(why))"))
        }
    }
}

/// The verb `holdfast notify list`.
struct NotifyListVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast notify list", "holdfast notify list --json"]

    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Shows each channel, when it last took a message, and what waits for it."
    )

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try await LabSession(options, screen: screen).recording()
        let now = session.environment.now
        let ledger = LedgerFile(session.environment).current()
        let waiting = await session.environment.journal?.dueMessages(now: .distantFuture, limit: 1000) ?? []
        let printer = session.printer
        var table = Table(["Channel", "Kind", "Hears of", "Last taken", "Waiting"])
        for channel in session.lab.channels {
            let history = ledger.channels[channel.name] ?? ChannelHistory()
            let count = waiting.count { $0.message.channel == channel.name }
            let events =
                channel.isPing ? ["each run"] : AlarmEvent.allCases.filter(channel.events.contains).map(\.rawValue)
            guard !printer.isJSON else {
                var line = JSONLine(messageType: "channel")
                line.add("channel", channel.name)
                line.add("kind", channel.kind)
                line.add("waiting", count)
                if let taken = history.delivered { line.add("delivered", ZonedTime(taken)) }
                if let since = history.failingSince { line.add("failing_since", ZonedTime(since)) }
                if let why = history.failure { line.add("message", why) }
                printer.result(line.text)
                continue
            }
            let taken = history.delivered.map { "\(ageText(now.length(since: $0))) ago" } ?? "never"
            let failing = history.failure.map { "; fails: \(escapedControl($0))" } ?? ""
            table.add([
                [Text(channel.name)], [Text(channel.kind)], [Text(events.joined(separator: ", "))],
                [Text(taken + failing)], [Text("\(count)")],
            ])
        }
        guard !printer.isJSON else { return ExitStatus.success.rawValue }
        guard !session.lab.channels.isEmpty else {
            printer.normal("no channel is declared; add \"notify\" to holdfast.yaml: docs/manual/alarms.md")
            return ExitStatus.success.rawValue
        }
        for line in table.lines() { printer.result(line) }
        return ExitStatus.success.rawValue
    }
}
