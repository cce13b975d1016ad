package import Bytes
import Journal
import ResticFormat
import Strategy

/// A command after a backup that has to be run, whatever becomes of the run that owes it: an app is stopped until then.
package struct OwedCommand: Sendable, Hashable {
    /// Bytes of one as a file.
    static let bytesMax = 1 << 20
    /// As the journal calls it.
    static let journalKind = "command"
    /// For what runs in another container, and cannot be seen from here: after this long it counts as gone.
    private static let unseenSeconds: Int64 = 86_400

    var id: String
    package var workload: String
    /// As it was declared when the command before the backup was run.
    package var words: [String]
    var deadlineSeconds: Int64
    /// The process that is to run it; nil: it ran, and failed.
    var process: String?
    package var since: Timestamp

    init(id: String, _ workload: Workload, since: Timestamp) {
        self.id = id
        self.workload = workload.name
        words = workload.after
        deadlineSeconds = workload.commandDeadline.components.seconds
        process = ProcessTag.current()
        self.since = since
    }

    /// Whether it was run and failed.
    package var hasFailed: Bool { process == nil }

    /// Whether nobody will run it but a later run; told without the lock of its workload.
    func isLeft(at now: Timestamp) -> Bool {
        guard let process else { return true }
        switch ProcessTag.life(of: process) {
        case .alive: return false
        case .gone: return true
        case .unseen: return now.length(since: since).components.seconds > Self.unseenSeconds
        }
    }

    /// The same for whoever holds the lock of its workload, as its owner does while it is at it.
    var isLeftBehind: Bool {
        guard let process, process != ProcessTag.current() else { return true }
        return ProcessTag.life(of: process) != .alive
    }

    /// As a JSON document.
    var encoded: [UInt8] {
        var writer = GoJSONWriter()
        writer.beginObject()
        writer.key("holdfast_owed")
        writer.integer(1)
        writer.add("id", id)
        writer.add("workload", workload)
        writer.key("command")
        writer.strings(words.map { ByteString($0) })
        writer.key("deadline_seconds")
        writer.integer(Int(clamping: deadlineSeconds))
        if let process { writer.add("process", process) }
        writer.add("since", since)
        writer.endObject()
        return writer.bytes + [0x0a]
    }

    /// Nil when it is none.
    init?(decoding bytes: [UInt8]) {
        guard let tree = try? JSONTree(decoding: bytes, limit: Self.bytesMax), tree["holdfast_owed"]?.number == 1,
            let id = tree.string("id"), let workload = tree.string("workload"), let since = tree.moment("since")
        else { return nil }
        self.id = id
        self.workload = workload
        words = (tree["command"]?.items ?? []).compactMap { $0.text?.plainText }
        deadlineSeconds = Int64(tree["deadline_seconds"]?.number ?? 60)
        process = tree.string("process")
        self.since = since
        guard !words.isEmpty else { return nil }
    }
}
