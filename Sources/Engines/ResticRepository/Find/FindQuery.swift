package import Bytes
import ObjectStorage
import ResticFormat

/// What `find` looks for by name and time.
package struct FindQuery: Sendable {
    private let patterns: PatternList
    private let matchesAll: Bool
    private let oldest: Timestamp?
    private let newest: Timestamp?

    /// Patterns are restic's, matched against whole paths; an empty one matches everything.
    ///
    /// A leading `!` has no meaning here and is passed over, as in restic.
    package init(_ patterns: [ByteString], ignoringCase: Bool, oldest: Timestamp?, newest: Timestamp?) {
        let plain = patterns.map { $0.bytes.first == UInt8(ascii: "!") ? ByteString(Array($0.bytes.dropFirst())) : $0 }
        self.patterns = PatternList(plain, ignoringCase: ignoringCase)
        matchesAll = plain.contains { $0.bytes.isEmpty }
        self.oldest = oldest
        self.newest = newest
    }

    /// Whether the node is what is looked for, and whether something below it may be.
    package func judge(_ found: WalkedNode) -> (isHit: Bool, goesDeeper: Bool) {
        let verdict = matchesAll ? (matched: true, childMayMatch: true) : patterns.evaluate(found.path)
        let time = found.node.mtime.moment
        let isInTime = (oldest.map { !(time < $0) } ?? true) && (newest.map { !($0 < time) } ?? true)
        return (verdict.matched && isInTime, verdict.childMayMatch)
    }
}

/// Objects looked for by identifier: whole, or by its first eight digits or more.
///
/// As in restic, a short name stands for the first object that it fits; restic itself takes eight digits or all, and finds nothing by
/// other numbers of them.
package struct ObjectQuery: Sendable {
    /// Identifiers of data blobs, as text; a short one becomes whole when its blob is met.
    package private(set) var blobs: Set<String>
    /// Identifiers of trees, as text.
    package private(set) var trees: Set<String>
    private let blobLengths: [Int]
    private let treeLengths: [Int]
    private let endsEarly: Bool
    private var treesMet = 0

    /// Data blobs.
    package init(blobs: [String]) { self.init(blobs: blobs, trees: [], endsEarly: false) }

    /// Trees; the walk through a snapshot may end when all were met.
    package init(trees: [String]) { self.init(blobs: [], trees: trees, endsEarly: true) }

    init(blobs: [String], trees: [String], endsEarly: Bool) {
        self.blobs = Set(blobs)
        self.trees = Set(trees)
        blobLengths = Self.shortLengths(blobs)
        treeLengths = Self.shortLengths(trees)
        self.endsEarly = endsEarly
    }

    /// True when every tree was met and nothing else is looked for: the walk may end.
    package var isDone: Bool { endsEarly && treesMet >= trees.count }

    /// Whether the tree is one of those looked for; counts it.
    package mutating func takesTree(_ id: BlobID) -> Bool {
        guard !trees.isEmpty else { return false }
        let hex = id.hex
        guard trees.contains(hex) || Self.name(of: hex, in: trees, treeLengths) != nil else { return false }
        treesMet += 1
        return true
    }

    /// Whether the data blob is one of those looked for.
    package mutating func takesBlob(_ id: BlobID) -> Bool {
        guard !blobs.isEmpty else { return false }
        let hex = id.hex
        if blobs.contains(hex) { return true }
        guard let name = Self.name(of: hex, in: blobs, blobLengths) else { return false }
        blobs.remove(name)
        blobs.insert(hex)
        return true
    }

    /// The lengths of names that are not whole, so that few beginnings of each identifier are looked up.
    static func shortLengths(_ names: some Sequence<String>) -> [Int] {
        Set(names.map(\.utf8.count)).filter { $0 >= shortest && $0 < 2 * Digest.byteCount }.sorted()
    }

    /// The short name that fits the identifier.
    static func name(of hex: String, in names: Set<String>, _ lengths: [Int]) -> String? {
        lengths.lazy.map { String(hex.prefix($0)) }.first { names.contains($0) }
    }

    /// Shorter ones fit nothing, as in restic.
    private static let shortest = 8
}

extension Repository {
    /// The blobs of the packs with these names, whole or in their first eight digits or more, and the names of which nothing is known.
    ///
    /// A pack is looked up in its own header, and in the index when that cannot be read. Cost: a listing of the packs, one small read a pack.
    package func blobsOfPacks(_ names: [String]) async throws -> (query: ObjectQuery, unknown: [String]) {
        var wanted = Set(names)
        let lengths = ObjectQuery.shortLengths(names)
        func name(of pack: PackID) -> String? {
            wanted.contains(pack.hex) ? pack.hex : ObjectQuery.name(of: pack.hex, in: wanted, lengths)
        }
        var (blobs, trees): ([String], [String]) = ([], [])
        func add(_ type: BlobType, _ id: BlobID) {
            if type == .data { blobs.append(id.hex) } else { trees.append(id.hex) }
        }
        let worker = makeWorker()
        for entry in try await list(.pack) where !wanted.isEmpty {
            let pack = PackID(entry.digest)
            guard let name = name(of: pack) else { continue }
            do {
                for blob in try await packHeader(pack, size: entry.size, worker: worker).entries {
                    add(blob.type, blob.id)
                }
                wanted.remove(name)
            } catch is CancellationError {
                throw CancellationError()
            } catch {}  // The index may still know it.
        }
        var known: Set<String> = []
        for number in 0..<index.packCount where !wanted.isEmpty {
            let pack = index.packID(number)
            guard let name = name(of: pack) else { continue }
            for blob in index.blobs(ofPack: number) { add(blob.type, blob.id) }
            known.insert(name)
        }
        return (ObjectQuery(blobs: blobs, trees: trees, endsEarly: false), wanted.subtracting(known).sorted())
    }
}
