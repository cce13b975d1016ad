package import Bytes
import KitFormat
import Protection
import ResticFormat
import ResticRepository
import Strategy

/// One file that a kit alone has brought back.
package struct KitFile: Sendable {
    package var repository: String
    /// As it was backed up.
    package var path: ByteString
    package var bytes: [UInt8]
}

extension KitTest {
    /// The first file with any content in the newest snapshot of a repository, whole; nil when there is none of a readable size.
    ///
    /// Errors: as `KitStore.open`, those of the engine. Bounds: `Limits.bytes` of one file, `Limits.trees` folders.
    package func oneFile(of repository: String) async throws -> KitFile? {
        guard let store = store(named: repository) else { return nil }
        let opened = try await store.open().repository
        let snapshots = try await opened.loadSnapshots(unreadable: { throw $1 })
        guard let newest = snapshots.last(where: { !$0.document.tags.contains(SnapshotTag.record) }),
            let root = newest.document.tree
        else { return nil }
        try await opened.loadIndex()
        let worker = opened.makeWorker()
        var waiting: [(tree: BlobID, path: ByteString)] = [(root, "/")]
        for _ in 0..<Limits.trees {
            guard let (tree, folder) = waiting.popLast() else { return nil }
            try Task.checkCancellation()
            var nodes = TreeReader(try await opened.loadTree(tree, worker: worker))
            while let node = try nodes.next() {
                let path = ByteString((folder == "/" ? [] : folder.bytes) + [UInt8(ascii: "/")] + node.name.bytes)
                if let subtree = node.subtree { waiting.append((subtree, path)) }
                guard node.type == .file, node.size > 0, node.size <= Limits.bytes else { continue }
                var bytes: [UInt8] = []
                for id in node.content ?? [] { bytes += try await opened.loadBlob(.data, id, worker: worker) }
                return KitFile(repository: repository, path: path, bytes: bytes)
            }
        }
        return nil
    }
}
