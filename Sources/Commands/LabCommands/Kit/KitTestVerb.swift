import ArgumentParser
import Bytes
import Console
import KitFormat
import Outcome
import Protection
import Recovery
import ResticRepository
import Strategy

/// The verb `holdfast kit test`.
struct KitTestVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast kit test /root/kit.txt", "holdfast kit test - --at host-usb=/media/usb/holdfast/host-usb",
    ]

    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Opens every repository with the kit alone, and reads a part of the newest snapshot in each.",
        discussion: """
            Only the kit opens anything: no declaration, no vault, no files of passwords, no copies of metadata; nothing is written to a repository, and \
            no lock is taken. What was proven is remembered in the journal of the lab that the declaration names, if that is the kit's. A \
            repository whose disk is not here is not tested, and never counts as good.

            Ends in 0 when all of them opened and were read; 3 when one is not here; 20 when one is damaged; 25 when the kit does not open one, or its text is wrong.
            """
    )

    @Argument(help: "The kit's file, or - for standard input: the numbered lines are enough.")
    var file: String

    @OptionGroup var input: KitInput
    @OptionGroup var places: KitPlaces
    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let machine = try LabEnvironment.current()
        let printer = options.printer(on: screen)
        return try await onPool(machine.repository.pool) {
            let kit = try await input.read(file, screen: screen).kit
            let places = try places.read(for: kit)
            printer.normal(
                Text(
                    "kit \(kit.serial), made \(escapedControl(kit.made)): \(counted(kit.repositories.count, "repository", "repositories"))"
                )
            )
            let page = KitTrialPage(kit: kit, printer: printer, now: machine.repository.time.now())
            let trials = try await KitTest(kit, machine.repository, places: places).run { page.show($0) }
            try await record(trials, kit, screen, printer)
            return page.end(trials)
        }
    }

    /// Remembers it where the kit is of the lab that is declared here.
    private func record(_ trials: [KitTrial], _ kit: RecoveryKit, _ screen: Screen, _ printer: Printer) async throws {
        let session: LabSession
        do { session = try LabSession(options, screen: screen) } catch let failure as any ReportableFailure {
            return printer.error(Text("not remembered here: \(failure.object) \(failure.what)"))
        }
        guard session.lab.name == kit.lab else {
            return printer.error(
                Text(
                    "not remembered here: the kit is of lab \(kit.lab), and \(session.place.name) declares \(session.lab.name)"
                )
            )
        }
        let recording = await session.recording()
        try await recording.environment.record(trials, of: kit)
        if let newest = LedgerFile(recording.environment).current().kit, newest.serial != kit.serial {
            printer.error(
                Text(
                    "warning: a newer kit is known, \(newest.serial): test that one, and destroy the copies of \(kit.serial)"
                )
            )
        }
    }
}

/// What is said while a kit is tested.
struct KitTrialPage: Sendable {
    let kit: RecoveryKit
    let printer: Printer
    let now: Timestamp

    func show(_ trial: KitTrial) {
        guard !printer.isJSON else { return showJSON(trial) }
        let head = "\(trial.repository) on \(trial.medium)"
        switch trial.result {
        case .passed(let reading):
            let age =
                reading.time.map { ", the newest snapshot is \(ageText(now.length(since: $0))) old" }
                ?? ", and has no snapshot yet"
            let read =
                reading.pieces > 0
                ? "; \(reading.pieces) pieces of it (\(amount(reading.bytes))) were read and are right" : ""
            printer.result(Text("ok          \(head): opens with the kit alone\(age)\(read)"))
        case .notTested(let failure):
            printer.result(Text("not tested  \(head): \(failure.what)"))
            printer.result(Text("            next: \(failure.next)"))
        case .failed(let failure):
            printer.result(Text("FAILED      \(head): \(failure.what)"))
            printer.result(Text("            next: \(failure.next)"))
        }
    }

    /// The line below, and the exit status.
    func end(_ trials: [KitTrial]) -> Int32 {
        let passed = trials.count { if case .passed = $0.result { true } else { false } }
        let failures = trials.compactMap { if case .failed(let failure) = $0.result { failure } else { nil } }
        let away = trials.count - passed - failures.count
        printer.normal(
            Text(
                "of \(counted(trials.count, "repository", "repositories")) \(passed) opened, \(failures.count) did not, \(away) not tested"
            )
        )
        if !failures.isEmpty {
            let isDamage = failures.allSatisfy { $0.isDamage }
            return (isDamage ? ExitStatus.damageFound : .kitFailed).rawValue
        }
        return (away > 0 ? ExitStatus.incomplete : .success).rawValue
    }

    private func showJSON(_ trial: KitTrial) {
        var line = JSONLine(messageType: "kit_test")
        line.add("serial", kit.serial)
        line.add("repository", trial.repository)
        line.add("medium", trial.medium)
        switch trial.result {
        case .passed(let reading):
            line.add("result", "passed")
            line.add("path", reading.path)
            if let snapshot = reading.snapshot { line.add("snapshot", snapshot) }
            line.add("pieces", reading.pieces)
            line.add("bytes", reading.bytes)
        case .notTested(let failure): add("not_tested", failure, to: &line)
        case .failed(let failure): add("failed", failure, to: &line)
        }
        printer.result(line.text)
    }

    private func add(_ result: String, _ failure: any ReportableFailure, to line: inout JSONLine) {
        line.add("result", result)
        line.add("code", failure.codeName)
        line.add("object", failure.object)
        line.add("message", failure.what)
        line.add("next", failure.next)
    }
}
