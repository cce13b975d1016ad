import Bytes
import HostSystem
package import Outcome
package import ResticRepository
import Strategy
import Synchronization

/// A repository that this run has opened, and what it showed then.
struct OpenStore: Sendable {
    let store: LabStore
    let repository: Repository
    var view: StoreView

    var name: String { store.name }
}

/// Repositories that a run has opened with their passwords, by name: its other workloads open them with the key that they have.
///
/// They hold no index, and each is looked at anew when it is opened again. Keys stay in memory as long as the run.
final class OpenedBefore: Sendable {
    private let all = Mutex<[String: Repository]>([:])

    subscript(name: String) -> Repository? {
        get { all.withLock { $0[name] } }
        set { all.withLock { $0[name] = newValue } }
    }

    func forget() { all.withLock { $0 = [:] } }
}

/// Waits this long for other processes that hold a lock, in seconds.
let lockPatienceSeconds: UInt64 = 600

extension Repository {
    /// Runs `body` under a lock, for which others are waited for.
    package func locked<Result: Sendable>(_ mode: LockMode, _ body: () async throws -> Result) async throws -> Result {
        try await withLock(mode, retryFor: lockPatienceSeconds, body)
    }
}

/// Any error as one that can be reported; cancellation is thrown on.
package func reportable(_ error: any Error, operation: String, object: String) throws -> any ReportableFailure {
    if error is CancellationError { throw error }
    if let failure = error as? any ReportableFailure { return failure }
    let errno = error as? Errno
    return ProtectionFailure(
        .folder,
        operation: operation,
        object: object,
        what: "\(error)",
        state: "earlier snapshots are not touched",
        next: errno?.remedy ?? "mend the cause and run the same command again"
    )
}
