import Bytes
import ObjectStorage
import Outcome
import Sealing
import ResticFormat

/// Index files made anew, so that they name every pack once and none that goes.
///
/// 1. What is new is durable before anything old goes (L2): a break leaves blobs named twice, which harms nothing.
/// 2. A file that is full, names no pack that goes and no pack of a file before it stays as it is.
/// Memory: one old file and one new one; a digest for each pack.
struct IndexRewrite {
    private let repository: Repository
    private let leavingOut: Set<PackID>
    private var named: Set<Digest> = []
    private var writer = IndexWriter()
    private(set) var obsolete: [Digest] = []

    init(_ repository: Repository, leavingOut: Set<PackID>) {
        self.repository = repository
        self.leavingOut = leavingOut
    }

    /// Takes over what an index file says.
    ///
    /// Errors: `E-DAMAGE` when it cannot be read.
    mutating func add(_ id: IndexID) async throws {
        let loaded = try await repository.loadIndexFile(id)
        let packs = loaded.packs.filter { !leavingOut.contains($0.id) && !$0.range.isEmpty }
        let names = packs.map { Self.name($0, loaded) }
        let isWhole = packs.count == loaded.packs.count && names.allSatisfy { !named.contains($0) }
        if isWhole, loaded.blobCount >= Limits.indexFlushBlobs {
            named.formUnion(names)
            return
        }
        obsolete.append(id.digest)
        for (pack, name) in zip(packs, names) where named.insert(name).inserted {
            try await append(pack.id, Array(loaded.blobs[pack.range]))
        }
    }

    /// Adds a pack that no index file names yet.
    mutating func append(_ pack: PackID, _ blobs: [PackedBlob]) async throws {
        writer.append(pack: pack, blobs: blobs)
        if writer.blobCount >= Limits.indexFlushBlobs { try await flush() }
    }

    /// Stores what is left.
    mutating func flush() async throws {
        guard writer.packCount > 0 else { return }
        try Task.checkCancellation()
        try await repository.commitCheck()
        _ = try await repository.saveUnpacked(.index, writer.finish())
        writer = IndexWriter()
    }

    /// What a file says about a pack, as one word: some files of old versions name a pack in pieces.
    private static func name(_ pack: LoadedIndex.Pack, _ loaded: LoadedIndex) -> Digest {
        var text = pack.id.digest.bytes
        for blob in Array(loaded.blobs[pack.range]).sortedByOffset() {
            text += blob.id.digest.bytes
            text.append(blob.type.rawValue)
            text.appendLittle(blob.offset)
        }
        return sha256(text)
    }
}
