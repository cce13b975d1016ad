import Bytes
import Synchronization

/// Lock files that a process could not take away when their work ended: a disk was pulled, a store did not answer.
///
/// Everybody sees their process run, so that nobody takes them for abandoned, as long as the daemon lives. This process knows better, and
/// removes them when it next takes a lock there, by another handle than the one that wrote them. A name is the hash of a lock.
package final class LeftLocks: Sendable {
    /// Those of this process, whatever lab it looks at.
    package static let ofThisProcess = LeftLocks()

    private let all = Mutex<Set<LockID>>([])

    package init() {}

    func note(_ lock: LockID) { all.withLock { _ = $0.insert(lock) } }

    func contains(_ lock: LockID) -> Bool { all.withLock { $0.contains(lock) } }

    func forget(_ lock: LockID) { all.withLock { _ = $0.remove(lock) } }
}
