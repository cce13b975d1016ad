import Bytes
import HostSystem
import Outcome
import Strategy

/// A command of the declaration before or after a backup: a dump of a database, the stop of an app.
///
/// No shell reads it. It sees the allow-listed variables of our environment alone (S-02), runs in a group of its own, and is killed with all
/// it started after the declared time (G-14). What it prints is dropped: it may be a secret (S-03).
struct HookStep: Sendable {
    private static let outputBytes = 64 << 10

    let kind: RunStep.Kind
    let words: [String]
    private let workload: String
    private let deadlineSeconds: Int64

    init(_ kind: RunStep.Kind, workload: Workload) {
        self.kind = kind
        self.workload = workload.name
        words = kind == .before ? workload.before : workload.after
        deadlineSeconds = workload.commandDeadline.components.seconds
    }

    /// What an earlier run left undone.
    init(_ owed: OwedCommand) {
        kind = .owed
        workload = owed.workload
        words = owed.words
        deadlineSeconds = owed.deadlineSeconds
    }

    var step: RunStep { RunStep(kind, workload: workload, repository: "-") }

    /// Runs it; nothing when none is declared.
    ///
    /// The one after a backup is not cancelled: what was stopped is started again.
    /// Errors: `E-COMMAND`, cancellation.
    func run() async throws {
        guard !words.isEmpty else { return }
        var command = Command(words.map { ByteString($0) })
        command.hasOwnGroup = true
        let nanoseconds = UInt64(max(1, deadlineSeconds)) * 1_000_000_000
        let result: CommandResult
        do {
            result = try await HostSystem.run(
                command,
                outputLimit: Self.outputBytes,
                timeoutNanoseconds: nanoseconds,
                isShielded: kind != .before
            )
        } catch let error as Errno {
            throw failure("cannot be started: \(error)", next: error.remedy)
        }
        guard !result.ending.isSuccess else { return }
        throw failure("ended with \(result.ending)", next: "run it by hand, and look at what it says")
    }

    func failure(_ what: String, next: String) -> ProtectionFailure {
        ProtectionFailure(
            .command,
            operation: kind == .before ? "run before the backup" : "run after the backup",
            object: words[0],
            what: what,
            state: kind == .before
                ? "nothing was stored; earlier snapshots are not touched"
                : kind == .after
                    ? "the backup is stored; the next run tries the command again"
                    : "\(workload) may be stopped still; the next run tries it again",
            next: next
        )
    }
}
