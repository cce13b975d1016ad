package import Bytes
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
}

/// Locks (spec section 9).
///
/// 1. Our lock file is written, then everybody else's are read again: of two that start at once, at least one gives way.
/// 2. It is renewed every five minutes by writing a new file before the old one goes.
/// 3. Nothing is committed unless the lock file is still there and was renewed within 22.5 minutes (`validateLock`, L-03).
/// 4. It is removed when the body ends, also by failure or cancellation.
extension Repository {
    /// Runs `body` under a lock.
    ///
    /// `retryFor` seconds are spent waiting for others; `waiting` hears of each wait.
    package func withLock<Result: Sendable>(
        _ mode: LockMode,
        retryFor: UInt64 = 0,
        waiting: (@Sendable (any Error) -> Void)? = nil,
        _ body: () async throws -> Result
    ) async throws -> Result {
        guard mode != .none, !options.isDryRun else { return try await body() }
        try await acquire(mode, retryFor: retryFor, waiting: waiting)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: environment.pool) { try await self.refreshLock() }
            do {
                let result = try await body()
                group.cancelAll()
                await releaseLock()
                return result
            } catch {
                group.cancelAll()
                await releaseLock()
                throw error
            }
        }
    }

    // MARK: taking

    private func acquire(
        _ mode: LockMode,
        retryFor: UInt64,
        waiting: (@Sendable (any Error) -> Void)?
    ) async throws {
        let start = environment.time.monotonicNanoseconds()
        var pause: UInt64 = 5
        while true {
            do {
                return try await acquireOnce(mode)
            } catch let failure as RepositoryFailure where failure.code == .locked {
                let elapsed = (environment.time.monotonicNanoseconds() - start) / 1_000_000_000
                guard elapsed < retryFor else { throw failure }
                waiting?(failure)
                try await environment.time.sleep(nanoseconds: min(pause, retryFor - elapsed) * 1_000_000_000)
                pause = min(60, pause * 2)
            }
        }
    }

    private func acquireOnce(_ mode: LockMode) async throws {
        try await refuseConflict(mode, own: nil)
        let id = try await writeLock(mode)
        do {
            try await environment.time.sleep(nanoseconds: Limits.lockSettleNanoseconds)
            try await refuseConflict(mode, own: id)
        } catch {
            try? await removeLockFile(id)
            throw error
        }
        heldLock.withLock { held in
            held = HeldLock(id: id, mode: mode, renewedNanoseconds: environment.time.monotonicNanoseconds())
        }
    }

    private func refuseConflict(_ mode: LockMode, own: LockID?) async throws {
        let survey = try await surveyLocks(except: own)
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

    /// Reads all locks but our own.
    ///
    /// An empty file is somebody's crash and is passed over.
    package func surveyLocks(except own: LockID? = nil) async throws -> LockSurvey {
        var survey = LockSurvey()
        for entry in try await store.list(.lock) where entry.size > 0 && entry.digest != own?.digest {
            let id = LockID(entry.digest)
            switch try await readLock(id) {
            case .found(let document): survey.locks.append(FoundLock(id: id, document: document))
            case .gone: break
            case .unreadable: survey.unreadable.append(id)
            }
        }
        return survey
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

    private func writeLock(_ mode: LockMode) async throws -> LockID {
        let document = LockDocument(
            time: environment.zonedNow(),
            exclusive: mode == .exclusive,
            hostname: environment.hostName,
            username: environment.userName,
            pid: Int(environment.processID),
            uid: environment.userID,
            gid: environment.groupID
        )
        return LockID(try await saveUnpacked(.lock, document.encode()))
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
        heldLock.withLock { current in
            current = HeldLock(id: fresh, mode: held.mode, renewedNanoseconds: environment.time.monotonicNanoseconds())
        }
        try await removeLockFile(held.id)
    }

    private func lockFileExists(_ id: LockID) async throws -> Bool {
        try await store.list(.lock).contains { $0.digest == id.digest }
    }

    /// Refuses to go on when somebody removed our lock or it could not be renewed in time (L-03).
    func validateLock() async throws {
        guard let held = heldLock.withLock({ $0 }) else { return }
        let sinceRenewal = (environment.time.monotonicNanoseconds() &- held.renewedNanoseconds) / 1_000_000_000
        let isPresent = try await lockFileExists(held.id)
        if isPresent, sinceRenewal <= Limits.lockTrustSeconds { return }
        if isPresent {
            // Late, but nobody took it for stale: renew, let others show themselves, and look again.
            try await renew(held)
            try await environment.time.sleep(nanoseconds: Limits.lockSettleNanoseconds)
            let current = heldLock.withLock { $0?.id }
            if let current, try await lockFileExists(current) {
                try await refuseConflict(held.mode, own: current)
                return
            }
        }
        throw RepositoryFailure(
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

    private func releaseLock() async {
        let held = heldLock.withLock { held in
            defer { held = nil }
            return held
        }
        guard let held else { return }
        let id = held.id
        // A cancelled task still takes its lock away: `remove` of a store does not listen to cancellation.
        try? await removeLockFile(id)
    }

    private func removeLockFile(_ id: LockID) async throws {
        try await store.remove(ObjectName(.lock, id.digest))
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
