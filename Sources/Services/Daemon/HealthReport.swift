import Bytes
import Protection
import ResticFormat
import Synchronization

/// What the daemon says of itself, kept by its scheduler and read by whoever asks.
final class HealthReport: Sendable {
    /// One moment of it.
    struct Facts: Sendable {
        var lab = ""
        /// Nanoseconds of a clock that never steps, when the scheduler last turned; nil: not yet.
        var turned: UInt64?
        var running: [String] = []
        var promises: RememberedPromises?
        /// When the promises were judged.
        var judged: Timestamp?
        var next: Timestamp?
        /// How the last run ended: `docs ok, photos failed`.
        var lastRun: String?
        var lastRunEnded: Timestamp?
        /// Why the declaration could not be read anew, and when that was asked for; nil once it was.
        var refusal: (what: String, time: Timestamp)?
    }

    /// Seconds without a turn of the scheduler after which it counts as stuck; it turns each second, and waits for runs.
    static let stuckSeconds: UInt64 = 300

    private let facts = Mutex(Facts())

    func change(_ body: (inout Facts) -> Void) { facts.withLock { body(&$0) } }

    /// Whether all is well, and the document that says so.
    func answer(at nanoseconds: UInt64) -> (isWell: Bool, json: [UInt8]) {
        let facts = facts.withLock { $0 }
        let age = (nanoseconds &- (facts.turned ?? nanoseconds)) / 1_000_000_000
        let isStuck = facts.running.isEmpty && age > Self.stuckSeconds
        let isWell = !isStuck && facts.promises?.areKept != false
        var writer = GoJSONWriter()
        writer.beginObject()
        writer.key("status")
        writer.string(isStuck ? "stuck" : !isWell ? "failing" : facts.refusal == nil ? "ok" : "amber")
        writer.key("lab")
        writer.string(facts.lab)
        let lists: [(StaticString, [String])] = [
            ("running", facts.running), ("breached", facts.promises?.breached ?? []),
            ("damaged", facts.promises?.damaged ?? []),
        ]
        for (key, names) in lists {
            writer.key(key)
            writer.strings(names.map { ByteString($0) })
        }
        let moments: [(StaticString, Timestamp?)] = [
            ("judged", facts.judged), ("next_run", facts.next), ("last_run_ended", facts.lastRunEnded),
            ("declaration_refused", facts.refusal?.time),
        ]
        for case (let key, let moment?) in moments {
            writer.key(key)
            writer.time(ZonedTime(moment))
        }
        if let lastRun = facts.lastRun {
            writer.key("last_run")
            writer.string(lastRun)
        }
        if let refusal = facts.refusal {
            writer.key("declaration")
            writer.string("the one before counts: \(refusal.what)")
        }
        writer.endObject()
        return (isWell, writer.bytes + [0x0a])
    }
}
