package import Bytes
import ResticFormat
import Sealing

/// What `stats` counts.
package enum CensusMode: String, Sendable, CaseIterable {
    /// What a restore of each snapshot would write.
    case restoreSize = "restore-size"
    /// Files that differ in their contents.
    case filesByContents = "files-by-contents"
    /// The blobs of each file that differs in its contents.
    case blobsPerFile = "blobs-per-file"
    /// The blobs that the snapshots need, as stored.
    case rawData = "raw-data"
}

/// Numbers collected; sizes in bytes.
package struct CensusTotals: Sendable, Hashable {
    package var snapshots = 0
    package var files: UInt64 = 0
    package var blobs: UInt64 = 0
    package var size: UInt64 = 0
    /// With `raw-data` in a repository that compresses: what the blobs would take uncompressed.
    package var uncompressedSize: UInt64 = 0
    /// Of the compressed blobs alone: stored, and uncompressed.
    package var compressedSize: UInt64 = 0
    package var compressedUncompressedSize: UInt64 = 0

    /// How many times smaller the compressed blobs became; 0 when there are none.
    package var compressionRatio: Double {
        compressedSize > 0 ? Double(compressedUncompressedSize) / Double(compressedSize) : 0
    }

    /// Percentage of the data that is compressed.
    package var compressionProgress: Double {
        uncompressedSize > 0 ? Double(compressedUncompressedSize) / Double(uncompressedSize) * 100 : 0
    }

    /// Percentage of the room that compression saves.
    package var compressionSpaceSaving: Double {
        uncompressedSize > 0 ? (1 - Double(size) / Double(uncompressedSize)) * 100 : 0
    }
}

/// What a walk met, whether it counts or not.
package struct CensusProgress: Sendable, Hashable {
    /// Files and directories.
    package var items: UInt64 = 0
    package var blobs: UInt64 = 0
    package var bytes: UInt64 = 0
}

/// Counts the snapshots given to it, one after the other.
///
/// Memory: `restore-size` 16 bytes for each file with several names in the current snapshot; `files-by-contents` 32 bytes a
/// distinct content; `blobs-per-file` 32 more for each of its blob references; `raw-data` two bits a blob of the repository. Isolation: one task.
package final class SnapshotCensus {
    private struct Inode: Hashable {
        var device: UInt64
        var number: UInt64
    }

    package private(set) var totals = CensusTotals()
    /// What was met in the snapshot counted last; with `raw-data` in all of them.
    package private(set) var lastSnapshot = CensusProgress()
    private let repository: Repository
    private let mode: CensusMode
    private let worker: BlobWorker
    private var contents: Set<Digest> = []
    private var references: Set<Digest> = []
    private var inodes: Set<Inode> = []
    private var blobsMet: EntrySet
    private var treesMet: EntrySet

    /// The index is loaded.
    package init(_ repository: Repository, mode: CensusMode) {
        self.repository = repository
        self.mode = mode
        worker = repository.makeWorker()
        let count = mode == .rawData ? repository.index.blobCount : 0
        blobsMet = EntrySet(count: count)
        treesMet = EntrySet(count: count)
    }

    /// Counts one snapshot's tree; errors are those of reading, and a blob that no index names.
    package func count(_ tree: BlobID) async throws {
        totals.snapshots += 1
        if mode == .rawData { return try await countBlobs(below: tree) }
        inodes = []
        lastSnapshot = CensusProgress()
        try await repository.walkNodes(below: tree, worker: worker) { found in
            try self.count(found)
            return .enter
        }
    }

    private func count(_ found: WalkedNode) throws {
        let node = found.node
        lastSnapshot.items += 1
        lastSnapshot.bytes += node.size
        switch mode {
        case .restoreSize: countRestored(node)
        case .filesByContents:
            guard contents.insert(contentDigest(node)).inserted else { return }
            totals.size += node.size
            totals.files += 1
        case .blobsPerFile:
            guard contents.insert(contentDigest(node)).inserted else { return }
            try countReferences(found)
        case .rawData: break
        }
    }

    private func countRestored(_ node: Node) {
        totals.files += 1
        // A file with several names takes its room once.
        if node.links != 1, node.type != .directory, node.inode != 0 {
            guard inodes.insert(Inode(device: node.deviceID, number: node.inode)).inserted else { return }
        }
        totals.size += node.size
    }

    private func countReferences(_ found: WalkedNode) throws {
        guard let content = found.node.content, !content.isEmpty else { return }
        if references.insert(sha256(found.path.bytes)).inserted { totals.files += 1 }
        for id in content {
            lastSnapshot.blobs += 1
            guard references.insert(sha256(found.path.bytes + [0] + id.digest.bytes)).inserted else { continue }
            guard let length = repository.index.plainLength(.data, id) else { throw repository.missingBlob(.data, id) }
            totals.size += UInt64(length)
            totals.blobs += 1
        }
    }

    private func contentDigest(_ node: Node) -> Digest {
        sha256((node.content ?? []).flatMap(\.digest.bytes))
    }

    // MARK: blobs as stored

    private func countBlobs(below root: BlobID) async throws {
        var waiting = [root]
        guard try take(.tree, root, into: &treesMet) else { return }
        while let tree = waiting.popLast() {
            try Task.checkCancellation()
            var reader = TreeReader(try await repository.loadTree(tree, worker: worker))
            while let node = try reader.next() {
                if node.type == .file {
                    for id in node.content ?? [] { _ = try take(.data, id, into: &blobsMet) }
                } else if node.type == .directory, let subtree = node.subtree, try take(.tree, subtree, into: &treesMet)
                {
                    waiting.append(subtree)
                }
            }
        }
    }

    /// Counts a blob met for the first time and says so.
    private func take(_ type: BlobType, _ id: BlobID, into met: inout EntrySet) throws -> Bool {
        guard let entry = repository.index.firstEntry(type, id) else { throw repository.missingBlob(type, id) }
        guard met.insert(entry) else { return false }
        let blob = repository.index.location(ofEntry: entry)
        totals.blobs += 1
        totals.size += UInt64(blob.length)
        lastSnapshot.blobs += 1
        lastSnapshot.bytes += UInt64(blob.length)
        guard repository.isCompressing else { return true }
        let uncompressed = UInt64(blob.plainLength + FormatLimits.sealOverhead)
        totals.uncompressedSize += uncompressed
        guard blob.isCompressed else { return true }
        totals.compressedSize += UInt64(blob.length)
        totals.compressedUncompressedSize += uncompressed
        return true
    }
}
