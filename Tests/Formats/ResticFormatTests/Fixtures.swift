import Bytes
import Foundation
import ResticFormat

/// The seed of all random tests: `TEST_SEED`, or a fixed one.
let testSeed = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_121

/// The document of `nodes`, which come in the order of their names.
func treeDocument(_ nodes: [Node]) throws(FormatError) -> [UInt8] {
    var document: [UInt8] = []
    let nodes = nodes.map { EncodedNode($0) }
    _ = try TreeDocument.write(nodes) { document.append(contentsOf: $0) }
    return document
}

/// All nodes of a document.
func nodes(in document: [UInt8]) throws(FormatError) -> [Node] {
    var reader = TreeReader(document)
    var nodes: [Node] = []
    while let node = try reader.next() { nodes.append(node) }
    return nodes
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// An ID made of one repeated digit.
func digest(_ digit: Character) -> Digest { Digest(hex: String(repeating: digit, count: 64)) ?? .zero }

func zoned(_ seconds: Int64, _ nanoseconds: Int32 = 0, offset: Int32 = 0) -> ZonedTime {
    ZonedTime(Timestamp(seconds: seconds, nanoseconds: nanoseconds), offsetSeconds: offset)
}

/// A file node with every optional field in use.
func fullNode() -> Node {
    var node = Node(name: ByteString([0x61, 0x22, 0x5c, 0xff, 0x0a, 0x3c] + Array("é\u{2028}".utf8)), type: .file)
    node.mode = 0o644 | GoMode.setUserID
    node.mtime = zoned(1_700_000_000, 120_000_000, offset: 3600)
    node.atime = zoned(-1, 999_999_999)
    node.ctime = zoned(0, 0, offset: -12_600)
    node.uid = 1
    node.gid = .max
    node.user = "root"
    node.group = "größe"
    node.inode = .max
    node.deviceID = 64_769
    node.size = 3
    node.links = 2
    node.linkTarget = ByteString([0x62, 0xff])
    node.extendedAttributes = [
        ExtendedAttribute(name: "user.<>", value: [0, 1, 2, 255]), ExtendedAttribute(name: "user.empty", value: []),
    ]
    node.genericAttributes = [
        GenericAttribute(name: "windows.file_attributes", json: bytes("32")),
        GenericAttribute(name: "windows.creation_time", json: bytes("\"AbC=\"")),
    ]
    node.device = 259
    node.content = [BlobID(digest("a")), BlobID(digest("b"))]
    node.subtree = BlobID(digest("c"))
    node.error = "lstat: no"
    return node
}

func sampleSnapshot() -> SnapshotDocument {
    var snapshot = SnapshotDocument(
        time: zoned(1_700_000_000, 5, offset: 7200),
        tree: BlobID(digest("1")),
        paths: ["/etc", "/srv/a b"]
    )
    snapshot.parent = SnapshotID(digest("2"))
    snapshot.hostname = "host"
    snapshot.username = "root"
    snapshot.uid = 1000
    snapshot.gid = 100
    snapshot.excludes = ["*.tmp"]
    snapshot.tags = ["a", "c<>&é"]
    snapshot.original = SnapshotID(digest("3"))
    snapshot.programVersion = "restic 0.19.1"
    var summary = SnapshotSummary(backupStart: zoned(1_700_000_000), backupEnd: zoned(1_700_000_001, 1))
    summary.filesNew = 1
    summary.dataBlobs = 2
    summary.totalBytesProcessed = .max
    snapshot.summary = summary
    return snapshot
}

func sampleIndex(packs: Int = 3, blobs: Int = 4) -> [UInt8] {
    var generator = SplitMix64(seed: 7)
    var writer = IndexWriter()
    for _ in 0..<packs {
        var offset: UInt32 = 0
        let entries = (0..<blobs).map { number in
            let length = UInt32.random(in: 32...5000, using: &generator)
            defer { offset += length }
            return IndexEntry(
                id: BlobID(randomDigest(&generator)),
                type: number % 3 == 0 ? .tree : .data,
                offset: offset,
                length: length,
                uncompressedLength: number % 2 == 0 ? length &* 2 : 0
            )
        }
        writer.append(pack: PackID(randomDigest(&generator)), blobs: entries)
    }
    return writer.finish()
}

func randomDigest(_ generator: inout SplitMix64) -> Digest {
    Digest(a: generator.next(), b: generator.next(), c: generator.next(), d: generator.next())
}

/// What an index document reports, as one list.
struct IndexContents: Equatable {
    var packs: [PackID] = []
    var blobs: [[IndexEntry]] = []

    init(_ bytes: [UInt8]) throws(FormatError) {
        var packs: [PackID] = []
        var blobs: [[IndexEntry]] = []
        try IndexReader.parse(bytes) { pack in
            packs.append(pack)
            blobs.append([])
        } onBlob: { blob in
            blobs[blobs.count - 1].append(blob)
        }
        self.packs = packs
        self.blobs = blobs
    }

    func encode() -> [UInt8] {
        var writer = IndexWriter()
        for (pack, blobs) in zip(packs, blobs) { writer.append(pack: pack, blobs: blobs) }
        return writer.finish()
    }
}
