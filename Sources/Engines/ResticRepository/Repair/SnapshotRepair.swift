package import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// What is lost of a snapshot.
package enum SnapshotDamage: Sendable, Hashable {
    /// Some content of the file is in no pack that the index knows; what is left of it stays.
    case missingContent(ByteString)
    /// The size is not that of the contents.
    case wrongSize(ByteString)
    /// An entry of a type that nothing can be made of; it goes.
    case invalidType(ByteString, String)
    /// The directory cannot be read; an empty one takes its place.
    case lostDirectory(ByteString)
    /// The root cannot be read: nothing is left of the snapshot.
    case lostRoot
}

/// Hears how the repair of a snapshot goes, on the caller's task.
package protocol SnapshotRepairObserver: ReplacementObserver {
    func found(_ damage: SnapshotDamage)
    /// Nothing of the snapshot can be read; it stays unless the originals are to go.
    func emptied(_ id: SnapshotID, isRemoved: Bool)
}

/// Stores snapshots again without what is lost, one after the other.
///
/// 1. Lost is what no index names, and a directory whose tree is there and damaged. A store that does not answer has proven nothing
///    (L7), nor has a tree that is sound and cannot be understood: the repair stops then.
/// 2. The contents of files are not opened: whether a pack still holds what the index says is for `repair index` and `repair packs`.
/// 3. An original goes only when asked, and only after its repaired snapshot was read back; without that also one whose root is
///    lost stays, since a lost pack may come back.
///
/// The index is loaded; the caller holds an exclusive lock, or the repository is open for a dry run. Memory: as `TreeRewrite` with
/// `remembersTrees`. Isolation: one task.
package struct SnapshotRepair {
    private let repository: Repository
    private let removesOriginals: Bool
    private let observer: any SnapshotRepairObserver
    private var replacements: [BlobID: BlobID] = [:]

    package init(_ repository: Repository, removesOriginals: Bool, observer: any SnapshotRepairObserver) {
        self.repository = repository
        self.removesOriginals = removesOriginals
        self.observer = observer
    }

    /// Repairs one snapshot; true when something was wrong with it.
    ///
    /// Errors: of the store, of `TreeRewrite`, `E-LOCK-LOST`; the snapshot is as it was then, or stands beside its repaired one.
    package mutating func repair(_ snapshot: Snapshot) async throws -> Bool {
        let visitor = DamageVisitor(index: repository.index, observer: observer)
        let known = replacements
        let (tree, replaced) = try await repository.withBlobWriter { [repository] writer in
            var rewrite = TreeRewrite(
                repository,
                writer: writer,
                visitor: visitor,
                acceptsLoss: true,
                remembersTrees: true,
                replacements: known
            )
            return (try await rewrite.rewrite(snapshot.document.tree), rewrite.replacements)
        }
        replacements = replaced
        guard let tree else {
            if removesOriginals { try await removeEmptied(snapshot) }
            observer.emptied(snapshot.id, isRemoved: removesOriginals)
            return removesOriginals
        }
        guard tree != snapshot.document.tree else { return false }
        var document = snapshot.document
        document.tree = tree
        try await repository.storeRewritten(
            document,
            of: snapshot,
            markedBy: "repaired",
            removesOriginal: removesOriginals,
            observer: observer
        )
        return true
    }

    private func removeEmptied(_ snapshot: Snapshot) async throws {
        try await repository.remove(.snapshot, [snapshot.id.digest]) { _, error in
            if let error { throw error }
        }
    }
}

/// Finds what is lost, and drops it.
private struct DamageVisitor: TreeRewriteVisitor {
    let index: BlobIndex
    let observer: any SnapshotRepairObserver

    mutating func rewrite(_ node: Node, at path: ByteString) throws -> NodeRewrite {
        switch node.type {
        case .irregular, .other(""):
            observer.found(.invalidType(path, node.type.name.display))
            return .drop
        case .file: return rewriteFile(node, path)
        default: return .keep
        }
    }

    private func rewriteFile(_ node: Node, _ path: ByteString) -> NodeRewrite {
        var changed = node
        var size: UInt64 = 0
        var content: [BlobID] = []
        for id in node.content ?? [] {
            guard let length = index.plainLength(.data, id) else { continue }
            content.append(id)
            size += UInt64(length)
        }
        if content.count != node.content?.count ?? 0 {
            observer.found(.missingContent(path))
        } else if size != node.size {
            observer.found(.wrongSize(path))
        }
        changed.content = content
        changed.size = size
        return .replace(changed)
    }

    mutating func unreadable(_ tree: BlobID?, at path: ByteString, _ error: any Error) throws -> LostTreeRewrite {
        if tree != nil { try refuseUnlessDamaged(error) }
        guard path != "/" else {
            observer.found(.lostRoot)
            return .drop
        }
        observer.found(.lostDirectory(path))
        return .replace([])
    }
}
