package import Bytes
import ObjectStorage
import Outcome
package import ResticFormat

/// Hears how a snapshot is replaced, on the caller's task.
package protocol ReplacementObserver: Sendable {
    /// The snapshot changes; it is stored next, unless this is a dry run.
    func decided(_ changed: SnapshotDocument)
    func saved(_ id: SnapshotID)
    func removed(_ id: SnapshotID)
}

extension Repository {
    /// Stores a snapshot made from another one, which goes if that is asked.
    ///
    /// ```
    /// trees, packs, index (L2) > PUT SNAPSHOT > read it back > the old snapshot file goes
    /// ```
    /// 1. The old snapshot goes only after the new one and its root tree were read back from the store (L7); a break before that
    ///    leaves both, each whole.
    /// 2. The new one names the snapshot that it was made from; where that stays, the new one gets the tag `mark`.
    ///
    /// Nothing is stored in a dry run. Errors: of the store, `E-VERIFY`, `E-LOCK-LOST`; the old snapshot is there then.
    func storeRewritten(
        _ document: SnapshotDocument,
        of snapshot: Snapshot,
        markedBy mark: ByteString,
        removesOriginal: Bool,
        observer: any ReplacementObserver
    ) async throws {
        var document = document
        document.original = snapshot.id
        if !removesOriginal, !document.tags.contains(mark) { document.tags.append(mark) }
        observer.decided(document)
        guard !options.isDryRun else { return }
        let id = try await saveSnapshot(document)
        observer.saved(id)
        guard removesOriginal else { return }
        try await prove(id, document, replacing: snapshot)
        try await removeReplaced(snapshot, by: id)
        observer.removed(snapshot.id)
    }

    /// Reads the new snapshot and its root tree from the store, past the cache.
    private func prove(_ id: SnapshotID, _ document: SnapshotDocument, replacing old: Snapshot) async throws {
        let block = try await store.get(ObjectName(.snapshot, id.digest), range: nil)
        guard sha256(block) == id.digest else { throw unproven(id, old) }
        guard let tree = document.tree, tree != old.document.tree else { return }
        let worker = makeWorker()
        for copy in index.locations(.tree, tree) {
            let range = UInt64(copy.offset)..<copy.end
            let sealed = try await store.get(ObjectName(.pack, copy.pack.digest), range: range)
            if sealed.withBytes({ bytes in (try? worker.open(bytes, as: copy) { _ in true }) ?? false }) { return }
        }
        throw unproven(id, old)
    }

    private func unproven(_ id: SnapshotID, _ old: Snapshot) -> RepositoryFailure {
        RepositoryFailure(
            .verification,
            retry: .later,
            operation: "rewrite",
            object: "snapshot \(id.short) in \(store.location)",
            what: "cannot be read back as it was stored",
            state: "snapshot \(old.id.short), which it was to replace, is still there",
            next: "distrust this store: run `check --read-data`, then decide which of the two to keep"
        )
    }

    private func removeReplaced(_ snapshot: Snapshot, by id: SnapshotID) async throws {
        do {
            try await commitCheck()
            try await removeReplaced(snapshot.id)
        } catch let failure as StorageFailure {
            throw bothThere(failure, snapshot, id)
        } catch let failure as RepositoryFailure {
            throw bothThere(failure, snapshot, id)
        }
    }

    private func bothThere<Code>(_ failure: Failure<Code>, _ old: Snapshot, _ id: SnapshotID) -> Failure<Code> {
        var failure = failure
        failure.state = "the new snapshot \(id.short) is stored, and \(old.id.short) is still there"
        failure.next = "run `forget \(old.id.short)` when the store can remove again"
        return failure
    }
}
