package import Bytes
import ObjectStorage

/// Removing snapshots.
///
/// 1. The caller holds an exclusive lock, so that no backup takes one of them for its parent meanwhile.
/// 2. Only the files of the snapshots go; what they name stays until a prune finds that nobody needs it (L2, backwards).
/// 3. Each removal stands alone: one that fails does not keep the others, and none can break what stays.
extension Repository {
    /// Removes the snapshots, several at the same time.
    ///
    /// `finished` hears of each, with the error where it could not be removed, on the caller's task. The store and our lock are looked
    /// at before the first and then every few hundred. Errors: `E-LOCK-LOST`, cancellation; the snapshots that `finished` did not hear
    /// of are there still.
    package func removeSnapshots(
        _ ids: [SnapshotID],
        finished: (SnapshotID, (any Error)?) -> Void
    ) async throws {
        precondition(!options.isDryRun, "a dry run removes nothing")
        var rest = ids[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            try await commitCheck()
            let batch = Array(rest.prefix(Limits.removalsPerLockCheck))
            rest = rest.dropFirst(batch.count)
            await removeBatch(batch, finished: finished)
        }
    }

    private func removeBatch(_ ids: [SnapshotID], finished: (SnapshotID, (any Error)?) -> Void) async {
        let next = SharedCounter()
        let pool = environment.pool
        await withTaskGroup(of: [(SnapshotID, (any Error)?)].self) { group in
            for _ in 0..<min(max(1, store.connections), ids.count) {
                group.addTask(executorPreference: pool) {
                    var results: [(SnapshotID, (any Error)?)] = []
                    while let index = next.take(below: ids.count) {
                        results.append((ids[index], await self.removeSnapshot(ids[index])))
                    }
                    return results
                }
            }
            for await results in group {
                for (id, error) in results { finished(id, error) }
            }
        }
    }

    /// Removes one file; answers why it could not.
    private func removeSnapshot(_ id: SnapshotID) async -> (any Error)? {
        do {
            try await store.remove(ObjectName(.snapshot, id.digest))
            cache?.forget(.snapshot, id.digest)
            return nil
        } catch {
            return error
        }
    }
}
