package import Bytes
package import ObjectStorage
import Outcome

/// Removing objects that nothing needs any more.
extension Repository {
    /// Removes objects, some at a time; `removed` hears of each, with the error of one that stays, on the caller's task.
    ///
    /// Before every few of them the store and our lock are looked at again (B-09, L-03). What is gone already counts as removed.
    /// Errors: of those looks; what `removed` throws; cancellation. What was not reached stays.
    package func remove(
        _ kind: ObjectKind,
        _ digests: [Digest],
        removed: (Digest, (any Error)?) throws -> Void
    ) async throws {
        guard !options.isDryRun else { return }
        try await remembering(kind, digests) { gone in
            var rest = digests[...]
            while !rest.isEmpty {
                try Task.checkCancellation()
                try await commitCheck()
                let batch = rest.prefix(Limits.removalsPerLockCheck)
                rest = rest.dropFirst(batch.count)
                try await removeBatch(kind, batch) { digest, error in
                    if error == nil { gone.append(digest) }
                    try removed(digest, error)
                }
            }
        }
    }

    /// Removes the file of a snapshot whose successor is stored.
    ///
    /// Errors: of the store.
    func removeReplaced(_ id: SnapshotID) async throws {
        try await remembering(.snapshot, [id.digest]) { gone in
            try await store.remove(ObjectName(.snapshot, id.digest))
            gone.append(id.digest)
        }
        cache?.forget(.snapshot, id.digest)
    }

    /// Runs a removal between the notes about it in the high-water record; `gone` takes what is gone, however the removal ends.
    private func remembering(
        _ kind: ObjectKind,
        _ digests: [Digest],
        _ body: (_ gone: inout [Digest]) async throws -> Void
    ) async throws {
        var gone: [Digest] = []
        guard let highWater, HighWaterRecord.kinds.contains(kind), !digests.isEmpty else {
            return try await body(&gone)
        }
        await highWater.beginRemoving(kind, digests)
        do {
            try await body(&gone)
        } catch {
            await highWater.endRemoving(kind, gone)
            throw error
        }
        await highWater.endRemoving(kind, gone)
    }

    private func removeBatch(
        _ kind: ObjectKind,
        _ batch: ArraySlice<Digest>,
        _ removed: (Digest, (any Error)?) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Digest, (any Error)?).self) { group in
            var waiting = batch
            func startOne() {
                guard let digest = waiting.popFirst() else { return }
                group.addTask(executorPreference: environment.pool) { (digest, await self.removeOne(kind, digest)) }
            }
            for _ in 0..<max(1, store.connections) { startOne() }
            while let (digest, error) = try await group.next() {
                if error == nil { cache?.forget(kind, digest) }
                try removed(digest, error)
                startOne()
            }
        }
    }

    private func removeOne(_ kind: ObjectKind, _ digest: Digest) async -> (any Error)? {
        let name = ObjectName(kind, digest)
        do {
            try await store.remove(name)
            return nil
        } catch let failure as StorageFailure where failure.code == .notFound {
            // Somebody else, or we in an attempt that timed out; believed when the store says so twice.
            return (try? await store.has(name)) == false ? nil : failure
        } catch {
            return error
        }
    }
}
