package import Bytes
import HostSystem
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

    /// What is known of the process that wrote a lock.
    enum Holder: Sendable {
        /// It runs: the same boot, number and start.
        case alive
        /// Some process of this host has its number.
        case likelyAlive
        case gone
        case unknown
    }

    /// Proof of life or death, by host, boot, namespace and start of the process where the lock tells them (ours do), else by host
    /// and number.
    ///
    /// A number that a later process bears proves nothing, nor does one of another namespace: a container may have our name with
    /// processes of its own (L-02).
    static func holder(of lock: LockDocument, environment: RepositoryEnvironment) -> Holder {
        guard lock.hostname == environment.hostName else { return .unknown }
        let pid = Int32(clamping: lock.pid)
        guard let mark = ProcessMark(lock.processMark), let own = environment.processMark(environment.processID) else {
            return environment.isAlive(pid) ? .likelyAlive : .gone
        }
        guard mark.boot == own.boot else { return .gone }
        guard mark.namespace == own.namespace else { return .unknown }
        return environment.processMark(pid) == mark ? .alive : .gone
    }

    /// The lock tells boot, namespace and start of its process, and these are of this machine: its death needs no second proof.
    private static func isProvenByMark(_ lock: LockDocument, _ environment: RepositoryEnvironment) -> Bool {
        guard let mark = ProcessMark(lock.processMark), let own = environment.processMark(environment.processID) else {
            return false
        }
        return mark.boot == own.boot && mark.namespace == own.namespace
    }

    /// Left for certain: by a process of this host that is gone, and proven to be so by its mark, or not refreshed for half an hour.
    ///
    /// Without a mark either alone proves nothing: the clock of another host may be wrong by days (F-03), and another machine may have our name
    /// (L-02). Both together let a run clear the way by itself, where nobody has to type `unlock` (L-04).
    static func isAbandoned(_ lock: LockDocument, environment: RepositoryEnvironment) -> Bool {
        guard holder(of: lock, environment: environment) == .gone else { return false }
        if isProvenByMark(lock, environment) { return true }
        return environment.time.now().seconds - lock.time.moment.seconds > Limits.lockStaleSeconds
    }

    /// Stale: left by a process of this host that is gone, or not refreshed for half an hour by one that is not proven to run.
    ///
    /// A lock from the future is not stale by age; only its owner's death makes it so. A clock that is ahead makes no lock of a
    /// running process stale (F-02).
    static func isStale(_ lock: LockDocument, environment: RepositoryEnvironment) -> Bool {
        switch holder(of: lock, environment: environment) {
        case .gone: true
        case .alive: false
        case .likelyAlive, .unknown:
            environment.time.now().seconds - lock.time.moment.seconds > Limits.lockStaleSeconds
        }
    }
}
