package import Bytes
import ObjectStorage
import Outcome
package import ResticFormat

/// What a rewrite changes in each snapshot.
package struct RewriteRequest: Sendable {
    /// Which entries stay.
    package enum Selection: Sendable {
        case everything
        /// All but what one of the lists matches.
        case without([PatternList])
        /// What one of the lists matches, the directories that lead there, and nothing else.
        case only([PatternList])
    }

    package var selection = Selection.everything
    /// Counts files and bytes anew even where everything stays.
    package var makesSummary = false
    package var newHost: ByteString?
    package var newTime: ZonedTime?
    /// The new snapshot takes the place of the old one; otherwise it gets the tag `rewrite`.
    package var removesOriginal = false

    package init() {}

    var changesMetadata: Bool { newHost != nil || newTime != nil }

    var walksTrees: Bool {
        if case .everything = selection { return makesSummary }
        return true
    }
}

/// Hears how the rewrite of a snapshot goes, on the caller's task.
package protocol RewriteObserver: Sendable {
    func excluded(_ path: ByteString)
    func included(_ path: ByteString)
    /// An empty directory that a pattern names.
    func includedEmptyDirectory(_ path: ByteString)
    /// The snapshot changes; it is stored next, unless this is a dry run.
    func decided(_ changed: SnapshotDocument)
    func saved(_ id: SnapshotID)
    func removed(_ id: SnapshotID)
}

extension Repository {
    /// Writes one snapshot anew; false when nothing in it changes.
    ///
    /// ```
    /// trees, leaves first > packs, index (L2) > PUT SNAPSHOT > read it back > the old snapshot file goes
    /// ```
    /// 1. The old snapshot goes only after the new one and its root tree were read back from the store (L7); a break before that
    ///    leaves both, each whole.
    /// 2. The new one names the snapshot that it was made from.
    ///
    /// The index is loaded, and the caller holds a lock: an exclusive one where the original goes, none in a dry run, which stores
    /// nothing. Errors: of `TreeRewrite`, of the store; the old snapshot is there then. Memory: as `TreeRewrite`.
    package func rewriteSnapshot(
        _ snapshot: Snapshot,
        _ request: RewriteRequest,
        observer: any RewriteObserver
    ) async throws -> Bool {
        guard let changed = try await changed(snapshot, request, observer) else { return false }
        observer.decided(changed)
        guard !options.isDryRun else { return true }
        let id = try await saveSnapshot(changed)
        observer.saved(id)
        guard request.removesOriginal else { return true }
        try await prove(id, changed, replacing: snapshot)
        try await removeReplaced(snapshot, by: id)
        observer.removed(snapshot.id)
        return true
    }

    /// The document of the new snapshot, whose trees are stored; nil when it would say the same.
    private func changed(
        _ snapshot: Snapshot,
        _ request: RewriteRequest,
        _ observer: any RewriteObserver
    ) async throws -> SnapshotDocument? {
        guard let tree = snapshot.document.tree else { throw treeless(snapshot) }
        var document = snapshot.document
        if request.walksTrees {
            let visitor = SelectionVisitor(selection: request.selection, observer: observer)
            let (newTree, counted) = try await withBlobWriter { writer in
                var rewrite = TreeRewrite(self, writer: writer, visitor: visitor)
                let newTree = try await rewrite.rewrite(tree)
                return (newTree, rewrite.visitor.counted)
            }
            // Includes that match nothing leave the snapshot alone.
            guard let newTree else { return nil }
            document.tree = newTree
            var summary =
                document.summary ?? SnapshotSummary(backupStart: RFC3339.zeroTime, backupEnd: RFC3339.zeroTime)
            summary.totalFilesProcessed = counted.files
            summary.totalBytesProcessed = counted.bytes
            document.summary = summary
        }
        guard request.changesMetadata || document != snapshot.document else { return nil }
        document.original = snapshot.id
        if !request.removesOriginal, !document.tags.contains("rewrite") { document.tags.append("rewrite") }
        if let time = request.newTime { document.time = time }
        if let host = request.newHost { document.hostname = host }
        return document
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
            try await store.remove(ObjectName(.snapshot, snapshot.id.digest))
        } catch let failure as StorageFailure {
            throw bothThere(failure, snapshot, id)
        } catch let failure as RepositoryFailure {
            throw bothThere(failure, snapshot, id)
        }
        cache?.forget(.snapshot, snapshot.id.digest)
    }

    private func bothThere<Code>(_ failure: Failure<Code>, _ old: Snapshot, _ id: SnapshotID) -> Failure<Code> {
        var failure = failure
        failure.state = "the new snapshot \(id.short) is stored, and \(old.id.short) is still there"
        failure.next = "run `forget \(old.id.short)` when the store can remove again"
        return failure
    }

    private func treeless(_ snapshot: Snapshot) -> RepositoryFailure {
        RepositoryFailure(
            .damaged,
            operation: "rewrite",
            object: "snapshot \(snapshot.id.hex)",
            what: "snapshot \(snapshot.id.short) has nil tree",
            state: "it is as it was",
            next: "name the snapshots to rewrite, without this one"
        )
    }
}

/// Keeps what the patterns say, and counts it.
private struct SelectionVisitor: TreeRewriteVisitor {
    let selection: RewriteRequest.Selection
    let observer: any RewriteObserver
    var counted: (files: UInt64, bytes: UInt64) = (0, 0)

    mutating func rewrite(_ node: Node, at path: ByteString) throws -> NodeRewrite {
        guard keeps(node, path) else { return .drop }
        if node.type == .file {
            counted.files += 1
            counted.bytes &+= node.size
        }
        return .keep
    }

    private func keeps(_ node: Node, _ path: ByteString) -> Bool {
        switch selection {
        case .everything: return true
        case .without(let lists):
            guard lists.contains(where: { $0.matches(path) }) else { return true }
            observer.excluded(path)
            return false
        case .only(let lists):
            let isDirectory = node.type == .directory
            let isWanted = lists.contains { list in
                let (matched, childMayMatch) = list.evaluate(path)
                return matched || isDirectory && childMayMatch
            }
            if isWanted, !isDirectory { observer.included(path) }
            return isWanted
        }
    }

    mutating func keepsEmptyDirectory(at path: ByteString) throws -> Bool {
        guard case .only(let lists) = selection else { return true }
        guard lists.contains(where: { $0.matches(path) }) else { return false }
        observer.includedEmptyDirectory(path)
        return true
    }
}
