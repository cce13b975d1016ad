import Bytes
import ObjectStorage
import Outcome
import ResticRepository
import Strategy

/// Makes the locks of a repository's objects longer before they end, so that what later backups still use never lies unlocked.
///
/// Everything but the repository's own lock files; a longer lock that is there stays. Broken off, the next run begins anew: nothing is
/// remembered before all of it is done.
struct LockStep: Sendable {
    let store: OpenStore
    let length: Duration

    var step: RunStep { RunStep(.lock, repository: store.name) }

    /// Whether so much of the locks is used up that they are due.
    static func isDue(_ history: RepositoryHistory, _ medium: Medium, now: Timestamp) -> Bool {
        guard let interval = medium.lockInterval else { return false }
        guard let last = history.locked, history.lockLength == medium.lock else { return true }
        return now.length(since: last) >= interval
    }

    /// Extends; returns how many objects there are.
    ///
    /// Takes a shared lock of the repository: a prune would take objects away meanwhile. Errors: the first of the store, cancellation.
    func run(now: Timestamp) async throws -> Int {
        try await store.repository.locked(.shared) { try await extend(now: now) }
    }

    private func extend(now: Timestamp) async throws -> Int {
        let storage = try await store.store.plainStorage(.running)
        let end = Timestamp(seconds: now.seconds + length.components.seconds)
        var names = [ObjectName.config]
        for kind in [ObjectKind.key, .snapshot, .index, .pack] {
            names += try await storage.list(kind).map { ObjectName(kind, $0.digest) }
        }
        try await withThrowingTaskGroup { group in
            var left = names[...]
            for name in left.prefix(storage.connections) {
                group.addTask { try await storage.extendLock(name, until: end) }
            }
            left = left.dropFirst(storage.connections)
            while try await group.next() != nil {
                try Task.checkCancellation()
                guard let name = left.popFirst() else { continue }
                group.addTask { try await storage.extendLock(name, until: end) }
            }
        }
        return names.count
    }
}
