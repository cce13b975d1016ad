import Bytes
import ResticFormat

/// What the index files say about one pack.
struct CheckedPack: Sendable {
    var id: PackID
    /// Its number in the blob index; the numbers behind it where several index files describe it differently.
    var number: Int
    var otherNumbers: [Int] = []
    /// The place of the first index file that names it in `PackTable.indexes`; the others in `PackTable.duplicates`.
    var firstIndex: Int
    var hasData = false
    var hasTrees = false

    var isMixed: Bool { hasData && hasTrees }
    /// Two index files, or one, list different blobs for it.
    var isInconsistent: Bool { !otherNumbers.isEmpty }
}

/// The packs of all index files, each once.
struct PackTable: Sendable {
    private(set) var packs: [CheckedPack] = []
    private var places: [PackID: Int] = [:]
    private(set) var indexes: [IndexID] = []
    private var duplicates: [PackID: [Int]] = [:]

    /// Takes over what one index file says, and gives to `index` what is new in it.
    mutating func add(_ id: IndexID, _ loaded: LoadedIndex, to index: BlobIndex) {
        let file = indexes.count
        indexes.append(id)
        for (pack, blobs) in Self.merged(loaded) {
            if let place = places[pack] {
                duplicates[pack, default: []].append(file)
                let known = packs[place]
                let isSame = ([known.number] + known.otherNumbers).contains {
                    index.blobs(ofPack: $0).sortedByOffset() == blobs.sortedByOffset()
                }
                if isSame { continue }
                packs[place].otherNumbers.append(index.packCount)
                packs[place].note(blobs)
            } else {
                places[pack] = packs.count
                var record = CheckedPack(id: pack, number: index.packCount, firstIndex: file)
                record.note(blobs)
                packs.append(record)
            }
            index.store(pack: pack, blobs: blobs)
        }
    }

    /// The packs of one index file; one that stands in it twice comes as one, as restic reads it.
    ///
    /// Packs without blobs are left out: nothing can be expected of them.
    private static func merged(_ loaded: LoadedIndex) -> [(PackID, [PackedBlob])] {
        var order: [(PackID, [PackedBlob])] = []
        var places: [PackID: Int] = [:]
        order.reserveCapacity(loaded.packs.count)
        for pack in loaded.packs where !pack.range.isEmpty {
            if let place = places[pack.id] {
                order[place].1.append(contentsOf: loaded.blobs[pack.range])
            } else {
                places[pack.id] = order.count
                order.append((pack.id, Array(loaded.blobs[pack.range])))
            }
        }
        return order
    }

    /// The index files that name the pack.
    func indexFiles(naming pack: CheckedPack) -> [IndexID] {
        ([pack.firstIndex] + (duplicates[pack.id] ?? [])).map { indexes[$0] }
    }

    func isDuplicate(_ pack: CheckedPack) -> Bool { duplicates[pack.id] != nil }

    /// The blobs of the pack by offset, each once, whichever index file names them.
    func blobs(of pack: CheckedPack, in index: BlobIndex) -> [PackedBlob] {
        var blobs = index.blobs(ofPack: pack.number)
        if pack.isInconsistent {
            blobs = Array(Set(blobs + pack.otherNumbers.flatMap { index.blobs(ofPack: $0) }))
        }
        return blobs.sortedByOffset()
    }
}

extension CheckedPack {
    mutating func note(_ blobs: [PackedBlob]) {
        hasData = hasData || blobs.contains { $0.type == .data }
        hasTrees = hasTrees || blobs.contains { $0.type == .tree }
    }
}

extension [PackedBlob] {
    /// By offset, then by name, so that equal lists compare equal.
    package func sortedByOffset() -> [PackedBlob] {
        sorted { $0.offset != $1.offset ? $0.offset < $1.offset : $0.id < $1.id }
    }

    /// Bytes of the pack's header with its length field: 4 + 32 + 37 or 41 for each blob.
    var headerBytes: UInt64 { reduce(36) { $0 + ($1.uncompressedLength == 0 ? 37 : 41) } }

    /// Bytes that a pack of these blobs has.
    var packBytes: UInt64 { reduce(headerBytes) { $0 + UInt64($1.length) } }
}
