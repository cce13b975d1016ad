package import Bytes
import ObjectStorage
import Outcome
import ResticFormat

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
package protocol RewriteObserver: ReplacementObserver {
    func excluded(_ path: ByteString)
    func included(_ path: ByteString)
    /// An empty directory that a pattern names.
    func includedEmptyDirectory(_ path: ByteString)
}

extension Repository {
    /// Writes one snapshot anew, as `storeRewritten` does; false when nothing in it changes.
    ///
    /// The index is loaded, and the caller holds a lock: an exclusive one where the original goes, none in a dry run, which stores
    /// nothing. Errors: of `TreeRewrite`, of the store; the old snapshot is there then. Memory: as `TreeRewrite`.
    package func rewriteSnapshot(
        _ snapshot: Snapshot,
        _ request: RewriteRequest,
        observer: any RewriteObserver
    ) async throws -> Bool {
        guard let changed = try await changed(snapshot, request, observer) else { return false }
        try await storeRewritten(
            changed,
            of: snapshot,
            markedBy: "rewrite",
            removesOriginal: request.removesOriginal,
            observer: observer
        )
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
        if let time = request.newTime { document.time = time }
        if let host = request.newHost { document.hostname = host }
        return document
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
