import Bytes
import Journal
import Messaging
import Outcome
import Protection
import ResticRepository
import Strategy

/// Carries what waits to the channels.
///
/// 1. A message is tried until it is taken, at growing intervals, at the longest where the channel refuses it; after three days it stays in the journal for
///    the record, and what it said is news again (M-11).
/// 2. A channel that does not take a message is asked for no other until that one's time has come; no channel waits for another.
/// 3. A check hears the newest of what waits for it: older news would lie about now.
struct Outbox: Sendable {
    let environment: ProtectionEnvironment
    let sender: MessageSender

    /// What became of a channel.
    struct Outcome: Sendable {
        var channel: String
        var tried: [JournalEntry] = []
        var delivered: [String] = []
        /// Nil when the last message was taken, or none was offered.
        var failure: String?
    }

    /// Names of the messages that wait.
    func waiting() async -> Set<String> {
        let waiting = await environment.journal?.dueMessages(
            now: .distantFuture,
            limit: NotificationLimits.messagesRead
        )
        return Set((waiting ?? []).map(\.message.id))
    }

    /// Puts messages in; what waits still for a check that gets a newer one is closed.
    ///
    /// False when nothing keeps them.
    func queue(_ fresh: [OutboxMessage]) async -> Bool {
        guard let journal = environment.journal else { return false }
        let checks = Set(environment.lab.channels.filter(\.isPing).map(\.name))
        let waiting = await journal.dueMessages(now: .distantFuture, limit: NotificationLimits.messagesRead)
        let (now, renewed) = (environment.now, Set(fresh.map(\.channel)).intersection(checks))
        let old = waiting.filter { renewed.contains($0.message.channel) }
        await journal.record(old.map { closed($0, "a newer one was sent", now) } + fresh.map { .message($0) })
        return journal.isUsable
    }

    /// Offers what is due, and `fresh`, which no journal keeps; all channels side by side.
    ///
    /// What became of each channel is recorded, and `told`, as soon as it is known: a crash while another one hangs repeats nothing.
    func deliver(_ fresh: [OutboxMessage], told: (Outcome) async -> Void) async {
        let now = environment.now
        var due = await environment.journal?.dueMessages(now: now, limit: NotificationLimits.messagesRead) ?? []
        for message in fresh where !due.contains(where: { $0.message.id == message.id }) {
            due.append(DueMessage(message: message, attempts: 0))
        }
        await withTaskGroup(of: Outcome.self) { group in
            for (name, messages) in Dictionary(grouping: due, by: \.message.channel) {
                let sorted = messages.sorted {
                    ($0.message.created, $0.message.id) < ($1.message.created, $1.message.id)
                }
                group.addTask { await offer(sorted, to: name, now) }
            }
            for await outcome in group {
                await environment.journal?.record(outcome.tried)
                await told(outcome)
            }
        }
    }

    private func offer(_ messages: [DueMessage], to name: String, _ now: Timestamp) async -> Outcome {
        var outcome = Outcome(channel: name)
        guard let channel = environment.lab.channels.first(where: { $0.name == name }) else {
            outcome.tried = messages.map { closed($0, "the channel is not declared any more", now) }
            return outcome
        }
        let begun = environment.repository.time.monotonicNanoseconds()
        for (number, due) in messages.prefix(NotificationLimits.messagesAtOnce).enumerated() {
            // A run does not wait for a slow channel: what is left is due at the next look.
            let spent = environment.repository.time.monotonicNanoseconds() &- begun
            if number > 0, spent > NotificationLimits.offerNanoseconds { break }
            switch await send(due.message, to: channel) {
            case .delivered:
                outcome.delivered.append(due.message.id)
                outcome.tried.append(
                    .messageTried(id: due.message.id, when: now, error: nil, nextTry: nil, done: true)
                )
            case .failed(let why, let isLasting, let pause):
                outcome.failure = why
                let next = nextTry(due, isLasting ? Int(NotificationLimits.retrySecondsMax) : pause, now)
                outcome.tried.append(
                    .messageTried(id: due.message.id, when: now, error: why, nextTry: next, done: false)
                )
                outcome.tried += messages.dropFirst(number + 1).map {
                    .messageTried(id: $0.message.id, when: now, error: why, nextTry: next, done: false)
                }
                return outcome
            }
        }
        return outcome
    }

    /// Sends once, whatever waits.
    func send(_ message: OutboxMessage, to channel: Channel) async -> MessageDelivery {
        let targets = ChannelTargets(secrets: environment.secrets)
        do {
            if case .ping(let ping) = channel.carrier {
                let kind = PingTarget.Kind(rawValue: message.event) ?? .log
                return await sender.ping(try await targets.ping(ping, kind, message.body))
            }
            let target = try await targets.target(of: channel, body: message.body)
            let outgoing = OutgoingMessage(
                title: message.title,
                body: message.body,
                event: message.event,
                urgency: AlarmEvent(rawValue: message.event).map(MessageUrgency.init) ?? .calm,
                lab: environment.lab.name,
                host: environment.repository.hostName.display,
                when: message.created
            )
            return await sender.send(outgoing, to: target)
        } catch {
            // A secret that is not there now may be there later: a vault that is down, a disk that is not mounted.
            return .failed(why: reason(of: error), isLasting: false, retryAfterSeconds: nil)
        }
    }

    /// Nil when it has become too old.
    private func nextTry(_ due: DueMessage, _ asked: Int?, _ now: Timestamp) -> Timestamp? {
        guard now.length(since: due.message.created) < .seconds(NotificationLimits.messageSeconds) else { return nil }
        var pause = NotificationLimits.retrySeconds
        for _ in 0..<min(due.attempts, 16) where pause < NotificationLimits.retrySecondsMax {
            pause *= NotificationLimits.retryGrowth
        }
        pause = min(max(pause, Int64(asked ?? 0)), NotificationLimits.retrySecondsMax)
        return Timestamp(seconds: now.seconds + pause, nanoseconds: now.nanoseconds)
    }

    private func closed(_ due: DueMessage, _ why: String, _ now: Timestamp) -> JournalEntry {
        .messageTried(id: due.message.id, when: now, error: why, nextTry: nil, done: true)
    }
}

extension MessageUrgency {
    init(_ event: AlarmEvent) {
        self =
            switch event.loudness {
            case 0: .calm
            case 1: .attention
            default: .alarm
            }
    }
}
