import Bytes
import HostSystem
import Journal
import Messaging
import Outcome
package import Protection
import ResticRepository
import ResticFormat
import Sealing
package import Strategy
import Synchronization

/// How a message fared, for people.
package enum NotificationResult: Sendable, Hashable {
    case delivered
    case failed(String)
}

/// Tells the channels of a lab how it stands.
///
/// ```
/// look at the stores > compare with what each channel was told > put messages into the outbox > REMEMBER WHAT WAS TOLD > deliver
/// ```
/// 1. What is told is what `status` shows: one judgement, from the stores (I4).
/// 2. No failure of it is a failure of a run; nothing here throws (M-11).
/// 3. A message stands in the outbox before it counts as told: a crash between the two tells nothing twice, since the same news have the same name.
package final class LabNotifier: Sendable {
    private struct State {
        /// When the stores were last looked at.
        var looked: Timestamp?
    }

    private let environment: ProtectionEnvironment
    private let ledgerFile: LedgerFile
    private let outbox: Outbox
    private let state = Mutex(State())

    /// `ledgerFile` is that of the runs it tells of: what a full disk did not take is in its memory alone.
    package init(_ environment: ProtectionEnvironment, ledgerFile: LedgerFile) {
        self.environment = environment
        self.ledgerFile = ledgerFile
        outbox = Outbox(environment: environment, sender: MessageSender())
    }

    private var channels: [Channel] { environment.lab.channels }

    // MARK: what happens

    /// Tells checks that a run begins; what they answer matters to nobody.
    package func runBegan() async {
        let message = OutboxMessage(
            id: "",
            channel: "",
            event: PingTarget.Kind.start.rawValue,
            title: "",
            created: environment.now
        )
        let start = Outbox(
            environment: environment,
            sender: MessageSender(deadlineSeconds: NotificationLimits.startSeconds)
        )
        await withTaskGroup(of: Void.self) { group in
            for channel in channels where channel.isPing {
                group.addTask { _ = await start.send(message, to: channel) }
            }
        }
    }

    /// Tells how a run ended, and what it changed.
    package func runEnded(_ report: RunReport) async {
        let succeeded = report.workloads.filter { $0.value == .ok }.keys.sorted()
        await tell(succeeded: succeeded) { status in RunVerdict(report, status) }
    }

    /// Tells that a run could not even begin.
    package func runBroke(_ why: String) async {
        await tell(succeeded: []) { _ in RunVerdict(kind: .failure, text: why) }
    }

    /// Looks after what waits; and at the stores when something may have changed without a run: a promise that passed its time.
    ///
    /// Cheap when nothing is to be done: it reads the ledger and the outbox, and wakes no disk.
    package func look() async {
        guard !channels.isEmpty else { return }
        let ledger = ledgerFile.current()
        if needsLook(ledger) {
            await tell(succeeded: []) { status in RunVerdict(status) }
        } else {
            await underLock { await self.deliver([]) }
        }
    }

    /// Sends one message that says that it is a test, past all rules.
    package func test(_ channel: Channel) async -> NotificationResult {
        let lab = environment.lab.name
        let host = environment.repository.hostName.display
        let (title, body) = ("\(lab): test", "This is a test of the channel \(channel.name) by holdfast on \(host).")
        var message = OutboxMessage(
            id: "",
            channel: channel.name,
            event: channel.isPing ? PingTarget.Kind.log.rawValue : AlarmEvent.signOfLife.rawValue,
            title: title,
            body: body,
            created: environment.now
        )
        if case .webhook(let hook) = channel.carrier {
            message.body = WebhookBody(hook).render(fields(title, body, .signOfLife, wrong: 0))
        }
        let delivery = await outbox.send(message, to: channel)
        var outcome = Outbox.Outcome(channel: channel.name)
        if case .failed(let why, _, _) = delivery { outcome.failure = why } else { outcome.delivered = [""] }
        await remember(outcome)
        return outcome.failure.map { .failed($0) } ?? .delivered
    }

    // MARK: judgement

    /// True where the ledger knows of a broken promise, or of something told that may be over, or half a day has passed.
    private func needsLook(_ ledger: Ledger) -> Bool {
        let now = environment.now
        let looked = state.withLock { $0.looked }
        guard let looked, looked <= now else { return true }
        let length = now.length(since: looked)
        if length >= .seconds(NotificationLimits.pingSeconds) { return true }
        if length >= .seconds(NotificationLimits.heldBackSeconds), ledger.channels.contains(where: \.value.isHeldBack) {
            return true
        }
        guard length >= .seconds(3600) else { return false }
        return !RememberedPromises(environment, ledger, now: now).areKept
    }

    private func tell(succeeded: [String], verdict: @escaping @Sendable (LabStatus) -> RunVerdict) async {
        guard !channels.isEmpty else { return }
        await underLock {
            let ledger = await self.ledgerFile.loadOrRecover()
            let status: LabStatus
            do {
                status = try await StatusInspection(self.environment, ledger: ledger).run()
            } catch is CancellationError {
                return
            } catch {
                return self.environment.warn("nobody was told how the lab stands: \(reason(of: error))")
            }
            self.state.withLock { $0.looked = status.now }
            let waiting = await self.outbox.waiting()
            let news = self.channels.map {
                self.news(of: status, verdict(status), succeeded, for: $0, ledger, waiting)
            }
            let fresh = news.compactMap(\.message)
            let isKept = await self.outbox.queue(fresh)
            // A message that nothing keeps and that is not taken now is lost, and what it said is news at the next look.
            await self.remember(news)
            await self.deliver(isKept ? [] : fresh)
        }
    }

    /// What a channel is told, and what is known of it then.
    private struct News: Sendable {
        var channel: String
        var message: OutboxMessage?
        /// Nil where nothing changes.
        var after: ChannelHistory?
    }

    private func news(
        of status: LabStatus,
        _ verdict: RunVerdict,
        _ succeeded: [String],
        for channel: Channel,
        _ ledger: Ledger,
        _ waiting: Set<String>
    ) -> News {
        guard !channel.isPing else { return News(channel: channel.name, message: sign(verdict, for: channel)) }
        let known = ledger.channels[channel.name] ?? ChannelHistory()
        let before = known.withoutLost(waiting: waiting)
        let policy = AlarmPolicy(channel, zone: environment.zone(channel.signOfLife))
        var (announcement, after) = policy.decide(
            status.troubles,
            unknown: status.unjudged,
            succeeded: succeeded,
            before,
            now: status.now
        )
        let message = announcement.map { self.message($0, status, for: channel, before) }
        if let message { after = after.told(by: message.id, at: status.now) }
        return News(channel: channel.name, message: message, after: after == known ? nil : after)
    }

    private func message(
        _ announcement: Announcement,
        _ status: LabStatus,
        for channel: Channel,
        _ before: ChannelHistory
    ) -> OutboxMessage {
        let text = AnnouncementText(
            announcement: announcement,
            status: status,
            host: environment.repository.hostName.display,
            offsetSeconds: environment.repository.time.localOffsetSeconds(at: status.now)
        )
        // The same news within the hour after the same message have the same name, in each process that finds them.
        let salt = ["\(status.now.seconds / 3600)", before.sent.last.map { "\($0.seconds)" } ?? "first"]
        let name = sha256((salt + announcement.words).joined(separator: "\n")).hex.prefix(16)
        var body = text.body
        if case .webhook(let hook) = channel.carrier {
            var fields = fields(
                text.title,
                body,
                announcement.event,
                wrong: status.problems.count { $0.severity == .wrong }
            )
            fields.began = announcement.began
            fields.lasting = announcement.lasting
            fields.recovered = announcement.recovered
            body = WebhookBody(hook).render(fields)
        }
        return OutboxMessage(
            id: "\(channel.name)/\(name)",
            channel: channel.name,
            event: announcement.event.rawValue,
            title: text.title,
            body: body,
            created: status.now
        )
    }

    private func sign(_ verdict: RunVerdict, for channel: Channel) -> OutboxMessage {
        OutboxMessage(
            id: "\(channel.name)/\(environment.now.seconds)/\(RunJournal.newID(environment.repository.entropy))",
            channel: channel.name,
            event: verdict.kind.rawValue,
            title: "",
            body: verdict.text,
            created: environment.now
        )
    }

    private func fields(_ title: String, _ body: String, _ event: AlarmEvent, wrong: Int) -> MessageFields {
        let now = environment.now
        return MessageFields(
            title: title,
            body: body,
            event: event.rawValue,
            urgency: MessageUrgency(event).rawValue,
            lab: environment.lab.name,
            host: environment.repository.hostName.display,
            time: ZonedTime(now, offsetSeconds: environment.repository.time.localOffsetSeconds(at: now)),
            wrong: wrong
        )
    }

    // MARK: memory

    private func deliver(_ fresh: [OutboxMessage]) async {
        await outbox.deliver(fresh) { await self.remember($0) }
    }

    /// Whether channels take messages, for `status`.
    private func remember(_ outcome: Outbox.Outcome) async {
        // What was broken off says nothing of a channel.
        guard outcome.failure != nil || !outcome.delivered.isEmpty, !Task.isCancelled else { return }
        let (now, names) = (environment.now, Set(channels.map(\.name)))
        await ledgerFile.update { ledger in
            ledger.channels = ledger.channels.filter { names.contains($0.key) }
            var history = ledger.channels[outcome.channel] ?? ChannelHistory()
            if !outcome.delivered.isEmpty { history.delivered = now }
            history.took(outcome.delivered)
            history.failingSince = outcome.failure.map { _ in history.failingSince ?? now }
            history.failure = outcome.failure
            if names.contains(outcome.channel) { ledger.channels[outcome.channel] = history }
        }
    }

    private func remember(_ news: [News]) async {
        let changes = news.filter { $0.after != nil }
        guard !changes.isEmpty else { return }
        await ledgerFile.update { ledger in
            for case (let name, let after?) in changes.map({ ($0.channel, $0.after) }) {
                var history = ledger.channels[name] ?? ChannelHistory()
                history.told = after.told
                history.sent = after.sent
                history.isHeldBack = after.isHeldBack
                history.signOfLife = after.signOfLife
                ledger.channels[name] = history
            }
        }
    }

    /// One process at a time; when another does not end, it does not matter: at worst a message goes out twice.
    private func underLock(_ body: () async -> Void) async {
        for number in 0..<NotificationLimits.lockTries {
            if number > 0 {
                do {
                    try await environment.repository.time.sleep(nanoseconds: NotificationLimits.lockPauseNanoseconds)
                } catch { return }
            }
            do {
                guard let lock = try StateFolder.takeLock("notify", in: environment.stateFolder) else { continue }
                defer { lock.unlock() }
                return await body()
            } catch {
                // No folder for locks: the message matters more.
                return await body()
            }
        }
        await body()
    }
}
