import Bytes
import Outcome
import Console
import Protection
import ResticFormat
import ResticRepository
import ObjectStorage
import Synchronization

/// Files and bytes that a restore wrote.
struct RestoredAmount: Sendable {
    var files: UInt64
    var bytes: UInt64
}

/// Restores a whole snapshot into an empty folder.
func restoreWhole(_ snapshot: Snapshot, from repository: Repository, to target: ByteString) async throws
    -> RestoredAmount
{
    guard let tree = snapshot.document.tree else {
        throw notRestored("the snapshot \(snapshot.id.short) names no tree", repository)
    }
    let problems = RestoreProblems()
    let result = try await restore(RestoreRequest(tree: tree, target: target), from: repository, observer: problems)
    if let first = problems.first {
        throw notRestored("\(problems.count) items could not be restored; the first: \(first)", repository)
    }
    return RestoredAmount(files: result.progress.filesFinished, bytes: result.progress.bytesWritten)
}

private func notRestored(_ what: String, _ repository: Repository) -> LabFailure {
    LabFailure(
        .differs,
        operation: "restore",
        object: repository.store.location,
        what: what,
        state: "the copies were not changed",
        next: "run `holdfast restic check --read-data` on it, and restore from another medium meanwhile"
    )
}

/// Counts what could not be restored and keeps the first.
private final class RestoreProblems: RestoreObserver {
    private let state = Mutex<(count: Int, first: String?)>((0, nil))

    var count: Int { state.withLock { $0.count } }
    var first: String? { state.withLock { $0.first } }

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {}

    func failed(path: ByteString, error: any Error) {
        state.withLock { state in
            state.count += 1
            if state.first == nil { state.first = "\(path.display): \(escapedControl(reason(of: error)))" }
        }
    }

    func warned(_ message: String) {}
}
