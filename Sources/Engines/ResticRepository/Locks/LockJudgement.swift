package import Bytes
import ObjectStorage
package import ResticFormat

/// One lock file that somebody holds.
package struct FoundLock: Sendable {
    package var id: LockID
    package var document: LockDocument
}

/// What a look at the locks of a repository showed.
package struct LockSurvey: Sendable {
    package var locks: [FoundLock] = []
    /// Lock files that could not be read after several attempts: they count as locked (L-01).
    package var unreadable: [LockID] = []
}

/// Pure rules about locks.
enum LockJudgement {
    /// The lock that forbids ours, if any: an exclusive lock meets no other; a shared one meets no exclusive one.
    static func conflict(wantExclusive: Bool, among locks: [FoundLock]) -> FoundLock? {
        locks.first { wantExclusive || $0.document.exclusive }
    }

    /// Left for certain: by a process of this host that is gone, and not refreshed for half an hour.
    ///
    /// Either alone proves nothing: the clock of another host may be wrong by days (F-03), and a container may have our name with
    /// processes of its own (L-02). Both together let a run clear the way by itself, where nobody has to type `unlock` (L-04).
    static func isAbandoned(_ lock: LockDocument, environment: RepositoryEnvironment) -> Bool {
        guard lock.hostname == environment.hostName, !environment.isAlive(Int32(clamping: lock.pid)) else {
            return false
        }
        return environment.time.now().seconds - lock.time.moment.seconds > Limits.lockStaleSeconds
    }

    /// Stale: not refreshed for half an hour, or left by a process of this host that is gone.
    ///
    /// A lock from the future is not stale by age; only its owner's death makes it so.
    static func isStale(_ lock: LockDocument, environment: RepositoryEnvironment) -> Bool {
        let age = environment.time.now().seconds - lock.time.moment.seconds
        if age > Limits.lockStaleSeconds { return true }
        guard lock.hostname == environment.hostName else { return false }
        return !environment.isAlive(Int32(clamping: lock.pid))
    }
}
