import Bytes
import ObjectStorage
import ResticFormat
import Synchronization

/// Lock files that this process could not take away when their work ended: a disk was pulled, a store did not answer.
///
/// Everybody sees their process run, so that nobody takes them for abandoned, as long as the daemon lives. This process knows better, and
/// removes them when it next takes a lock there. One set for the process, since the handle that wrote them is gone by then; a name
/// is the hash of a lock, and no two locks share it.
enum LeftLocks {
    private static let all = Mutex<Set<LockID>>([])

    static func note(_ lock: LockID) { all.withLock { _ = $0.insert(lock) } }

    static func contains(_ lock: LockID) -> Bool { all.withLock { $0.contains(lock) } }

    static func forget(_ lock: LockID) { all.withLock { _ = $0.remove(lock) } }
}
