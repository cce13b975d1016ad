import Bytes
import HostSystem
import ObjectStorage
import Outcome
import Synchronization
import ResticFormat

/// How a command locks the repository.
package enum LockMode: Sendable, Hashable {
    /// No lock at all: reading beside anything, at one's own risk.
    case none
    /// Beside other shared locks: whoever only adds or reads.
    case shared
    /// Alone: whoever removes or rewrites.
    case exclusive
}

/// The lock file that stands for this run, and when it was last renewed.
struct HeldLock: Sendable {
    var id: LockID
    var mode: LockMode
    var renewedNanoseconds: UInt64
    var renewedAt: Timestamp
    /// Of its file.
    var bytes: UInt64
}

/// Locks (spec section 9).
///
/// 1. Our lock file is written, then everybody else's are read again: of two that start at once, at least one gives way.
/// 2. It is renewed every five minutes by writing a new file before the old one goes.
/// 3. Nothing is committed unless the lock file is still there and was renewed within 22.5 minutes (`validateLock`, L-03).
/// 4. It is removed when the body ends, also by failure or cancellation, and with it every lock file that a renewal left behind; where
///    the store does not let us, when this process next takes a lock there (`LeftLocks`).
extension Repository {
    /// Runs `body` under a lock.
    ///
    /// `retryFor` seconds are spent waiting for others; `waiting` hears of each wait. With `readsSnapshots`, snapshots are read while
    /// the lock settles, for a body that wants all of them: ours is there to be seen by then, and whoever held another was refused.
    /// With `goesOnWithoutRoom`, a store too full for a lock file is worked on without one, and a warning is given (C-06).
    package func withLock<Result: Sendable>(
        _ mode: LockMode,
        retryFor: UInt64 = 0,
        waiting: (@Sendable (any Error) -> Void)? = nil,
        readsSnapshots: Bool = false,
        goesOnWithoutRoom: Bool = false,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard mode != .none, !options.isDryRun else { return try await body() }
        let manner = Manner(mode: mode, readsSnapshots: readsSnapshots, goesOnWithoutRoom: goesOnWithoutRoom)
        try await acquire(manner, retryFor: retryFor, waiting: waiting)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: environment.pool) { try await self.refreshLock() }
            do {
                let result = try await body()
                await endRenewing(&group)
                return result
            } catch {
                await endRenewing(&group)
                throw error
            }
        }
    }

    /// A renewal under way ends first: it would put a new lock file where the old one was removed.
    private func endRenewing(_ group: inout ThrowingTaskGroup<Void, any Error>) async {
        group.cancelAll()
        while await group.nextResult() != nil {}
        await releaseLock()
    }

    // MARK: taking

    /// How a lock is taken.
    private struct Manner {
        var mode: LockMode
        var readsSnapshots: Bool
        var goesOnWithoutRoom: Bool
    }

    private func acquire(
        _ manner: Manner,
        retryFor: UInt64,
        waiting: (@Sendable (any Error) -> Void)?
    ) async throws {
        let start = environment.time.monotonicNanoseconds()
        var pause: UInt64 = 5
        while true {
            do {
                return try await acquireOnce(manner)
            } catch let failure as RepositoryFailure where failure.code == .locked {
                let elapsed = (environment.time.monotonicNanoseconds() - start) / 1_000_000_000
                guard elapsed < retryFor else { throw failure }
                waiting?(failure)
                try await environment.time.sleep(nanoseconds: min(pause, retryFor - elapsed) * 1_000_000_000)
                pause = min(60, pause * 2)
            }
        }
    }

    private func acquireOnce(_ manner: Manner) async throws {
        try await refuseConflict(manner.mode, own: nil)
        do {
            guard let lock = try await writeLock(manner) else { return }
            try await withThrowingTaskGroup(of: Void.self) { group in
                if manner.readsSnapshots {
                    group.addTask(executorPreference: environment.pool) { await self.readSnapshotsEarly() }
                }
                try await environment.time.sleep(nanoseconds: Limits.lockSettleNanoseconds)
                // What was not read by now is read when it is wanted.
                group.cancelAll()
            }
            try await refuseConflict(manner.mode, own: lock)
            heldLock.withLock { $0 = lock }
        } catch {
            await releaseLock()
            throw error
        }
    }

    /// Nil when there is no room for it and the work goes on without.
    private func writeLock(_ manner: Manner) async throws -> HeldLock? {
        do {
            return try await writeLock(manner.mode, isLookedForNext: true)
        } catch var failure as StorageFailure where [.noSpace, .noInodes, .quota].contains(failure.code) {
            guard manner.goesOnWithoutRoom else {
                failure.next =
                    "free some space there; when nothing but the repository can give any, `prune --unsafe-recover-no-free-space \(config.id.hex)` needs no room for a lock"
                throw failure
            }
            await releaseLock()
            options.warn(
                "warning: \(store.location) has no room for a lock file; going on without one: nothing else may use the repository meanwhile"
            )
            return nil
        }
    }

    /// Our own has to be there, or others do not see it either (E-03).
    private func refuseConflict(_ mode: LockMode, own: HeldLock?) async throws {
        var (survey, ownBytes) = try await survey(leavingOut: own?.id)
        if let own, ownBytes != own.bytes,
            let failure = try await store.lost(ObjectName(.lock, own.id.digest), own.bytes)
        {
            throw failure
        }
        if own == nil { survey.locks = try await clearAbandoned(survey.locks) }
        if let unreadable = survey.unreadable.first {
            throw RepositoryFailure(
                .lockInvalid,
                retry: .later,
                operation: "lock repository",
                object: "lock \(unreadable.short) in \(store.location)",
                what: "cannot be read, so it counts as held",
                state: "nothing was changed",
                next: "when no other program uses this repository, run `unlock --remove-all`"
            )
        }
        guard let other = LockJudgement.conflict(wantExclusive: mode == .exclusive, among: survey.locks) else { return }
        throw locked(by: other)
    }

    /// Removes what crashed runs of this host left, and what this process could not remove before; returns the locks that stay.
    private func clearAbandoned(_ locks: [FoundLock]) async throws -> [FoundLock] {
        var left: [FoundLock] = []
        for lock in locks {
            let isOurs = environment.leftLocks.contains(lock.id)
            guard isOurs || LockJudgement.isAbandoned(lock.document, environment: environment) else {
                left.append(lock)
                continue
            }
            do { try await removeLockFile(lock.id) } catch let failure as StorageFailure {
                // Gone already, or not ours to remove: then it counts as any other.
                if failure.code != .notFound { left.append(lock) }
                continue
            }
            environment.leftLocks.forget(lock.id)
            options.warn(
                isOurs
                    ? "removed lock \(lock.id.short), which this process could not give back when its work there broke off"
                    : "removed lock \(lock.id.short) of process \(lock.document.pid) on this host, which is gone without giving it back"
            )
        }
        return left
    }

    private func locked(by lock: FoundLock) -> RepositoryFailure {
        let document = lock.document
        let age = max(0, environment.time.now().seconds - document.time.moment.seconds)
        let kind = document.exclusive ? "exclusively " : ""
        let stale = LockJudgement.isStale(document, environment: environment)
        let user = document.username.bytes.isEmpty ? "" : " by \(document.username.display)"
        return RepositoryFailure(
            .locked,
            retry: .later,
            operation: "lock repository",
            object: store.location,
            what: "repository is already locked \(kind)by PID \(document.pid) on \(document.hostname.display)\(user)"
                + " (lock \(lock.id.short), \(age) s old)",
            state: "nothing was changed",
            next: stale
                ? "its owner seems gone; the `unlock` command removes stale locks"
                : "wait for it, or give --retry-lock; the `unlock` command removes stale locks"
        )
    }

    /// Reads all locks.
    package func surveyLocks() async throws -> LockSurvey { try await survey(leavingOut: nil).survey }

    /// Reads all locks but our own, of which the size is told; nil when it is not there.
    ///
    /// An empty file is somebody's crash and is passed over.
    private func survey(leavingOut own: LockID?) async throws -> (survey: LockSurvey, ownBytes: UInt64?) {
        var survey = LockSurvey()
        var ownBytes: UInt64?
        for entry in try await store.list(.lock) {
            guard entry.digest != own?.digest else {
                ownBytes = entry.size
                continue
            }
            guard entry.size > 0 else { continue }
            let id = LockID(entry.digest)
            switch try await readLock(id) {
            case .found(let document): survey.locks.append(FoundLock(id: id, document: document))
            case .gone: break
            case .unreadable: survey.unreadable.append(id)
            }
        }
        return (survey, ownBytes)
    }

    private enum LockReading {
        case found(LockDocument)
        case gone
        case unreadable
    }

    private func readLock(_ id: LockID) async throws -> LockReading {
        for attempt in 1...Limits.lockReadAttempts {
            do {
                return .found(try LockDocument(decoding: try await loadUnpacked(.lock, id.digest)))
            } catch is CancellationError {
                throw CancellationError()
            } catch let failure as RepositoryFailure where failure.code == .missing {
                return .gone
            } catch {
                guard attempt < Limits.lockReadAttempts else { break }
                try await environment.time.sleep(nanoseconds: UInt64(attempt) * 50_000_000)
            }
        }
        return .unreadable
    }

    // MARK: keeping

    /// Writes a lock file; its time is that of the beginning, so that we never trust it longer than others do.
    ///
    /// The store is asked for it, unless all locks are looked at next.
    private func writeLock(_ mode: LockMode, isLookedForNext: Bool = false) async throws -> HeldLock {
        let monotonic = environment.time.monotonicNanoseconds()
        let now = environment.zonedNow()
        var document = LockDocument(
            time: now,
            exclusive: mode == .exclusive,
            hostname: environment.hostName,
            username: environment.userName,
            pid: Int(environment.processID),
            uid: environment.userID,
            gid: environment.groupID
        )
        document.processMark = environment.processMark(environment.processID)?.text ?? ""
        let (digest, block) = try sealUnpacked(.lock, document.encode())
        let id = LockID(digest)
        // Remembered before it is written: a put that fails may have stored it.
        lockFiles.withLock { _ = $0.insert(id) }
        if isLookedForNext {
            try await store.put(ObjectName(.lock, digest), block)
        } else {
            try await put(.lock, digest, block)
        }
        return HeldLock(
            id: id,
            mode: mode,
            renewedNanoseconds: monotonic,
            renewedAt: now.moment,
            bytes: UInt64(block.count)
        )
    }

    private func refreshLock() async throws {
        while !Task.isCancelled {
            try await environment.time.sleep(nanoseconds: Limits.lockRefreshNanoseconds)
            guard let held = heldLock.withLock({ $0 }) else { return }
            // A failed renewal is tried again at the next turn; `validateLock` stops commits when it lasts too long.
            _ = try? await renew(held)
        }
    }

    private func renew(_ held: HeldLock) async throws {
        guard try await lockFileExists(held.id) else { return }
        let fresh = try await writeLock(held.mode)
        heldLock.withLock { $0 = fresh }
        try await removeLockFile(held.id)
    }

    private func lockFileExists(_ id: LockID) async throws -> Bool {
        try await store.list(.lock).contains { $0.digest == id.digest }
    }

    /// Refuses to go on when somebody removed our lock or it could not be renewed in time (L-03).
    func validateLock() async throws {
        guard let (held, isPresent) = try await lookAtHeldLock() else { return }
        if isPresent, age(of: held) <= Limits.lockTrustSeconds { return }
        if isPresent {
            // Late, but nobody took it for stale: renew, let others show themselves, and look again.
            try await renew(held)
            try await environment.time.sleep(nanoseconds: Limits.lockSettleNanoseconds)
            if let (current, isPresent) = try await lookAtHeldLock(), isPresent {
                return try await refuseConflict(held.mode, own: current)
            }
        }
        throw lockLost(held)
    }

    /// Our lock and whether its file is there; nil when we hold none.
    ///
    /// A renewal beside us takes the file away that we are about to look for, and is no loss: then we look for the new one.
    private func lookAtHeldLock() async throws -> (HeldLock, isPresent: Bool)? {
        while let held = heldLock.withLock({ $0 }) {
            let isPresent = try await lockFileExists(held.id)
            if isPresent || heldLock.withLock({ $0?.id }) == held.id { return (held, isPresent) }
        }
        return nil
    }

    /// Seconds since the lock was renewed, by the clock that says more: the monotonic one stands still while the machine sleeps (L-03,
    /// F-07), and a step of the other costs one renewal.
    private func age(of held: HeldLock) -> UInt64 {
        let monotonic = (environment.time.monotonicNanoseconds() &- held.renewedNanoseconds) / 1_000_000_000
        let wall = environment.time.now().seconds - held.renewedAt.seconds
        return max(monotonic, UInt64(max(0, wall)))
    }

    private func lockLost(_ held: HeldLock) -> RepositoryFailure {
        RepositoryFailure(
            .lockLost,
            retry: .later,
            operation: "commit",
            object: "lock \(held.id.short) in \(store.location)",
            what: "is gone: another program took it for stale, and may have pruned meanwhile",
            state: "this run stored nothing visible; earlier snapshots are as they were",
            next: "run the command again"
        )
    }

    // MARK: giving back

    /// Takes every lock file of ours away, as far as the store lets us.
    private func releaseLock() async {
        heldLock.withLock { $0 = nil }
        let files = lockFiles.withLock { files in
            defer { files = [] }
            return files
        }
        // A cancelled task still takes its lock away: `remove` of a store does not listen to cancellation.
        for id in files {
            do { try await store.remove(ObjectName(.lock, id.digest)) } catch let failure as StorageFailure {
                if failure.code != .notFound { environment.leftLocks.note(id) }
            } catch { environment.leftLocks.note(id) }
        }
    }

    private func removeLockFile(_ id: LockID) async throws {
        try await store.remove(ObjectName(.lock, id.digest))
        lockFiles.withLock { _ = $0.remove(id) }
    }

    /// Removes stale locks, or all; returns how many went.
    package func unlock(removeAll: Bool) async throws -> Int {
        var removed = 0
        if removeAll {
            for entry in try await store.list(.lock) {
                try await removeLockFile(LockID(entry.digest))
                removed += 1
            }
            return removed
        }
        let survey = try await surveyLocks()
        for lock in survey.locks where LockJudgement.isStale(lock.document, environment: environment) {
            try await removeLockFile(lock.id)
            removed += 1
        }
        return removed
    }
}
