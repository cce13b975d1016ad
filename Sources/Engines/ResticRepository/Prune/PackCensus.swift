import Bytes
import ResticFormat

/// What each pack holds that is used, unused, or held more than once.
///
/// Of blobs with several copies one counts as used: one in a pack that is needed anyway, or in a pack of copies alone, which an
/// interrupted prune left; otherwise the last. Memory: 5 bytes for each entry of the index, about 80 for each pack.
struct PackCensus {
    enum Content: Sendable {
        case nothing, data, trees, mixed

        mutating func note(_ type: BlobType) {
            let new: Content = type == .data ? .data : .trees
            switch self {
            case .nothing: self = new
            case .data, .trees: if self != new { self = .mixed }
            case .mixed: break
            }
        }
    }

    struct Pack: Sendable {
        var id: PackID
        var content = Content.nothing
        var used = 0
        var unused = 0
        var duplicate = 0
        /// Bytes of used blobs and of the header.
        var usedBytes: UInt64 = 36
        var unusedBytes: UInt64 = 0
        var hasUncompressed = false

        var bytes: UInt64 { usedBytes + unusedBytes }
    }

    private(set) var packs: [Pack] = []
    /// Places in `packs`.
    private(set) var places: [PackID: Int] = [:]
    /// For each entry of the index that of the blob's first copy.
    let first: [UInt32]
    private let index: BlobIndex
    /// For first entries: copies of a used blob; 1 once one of them was chosen, 0 when only the last is left to choose.
    private var copies: [UInt8]

    /// `used` are first entries.
    init(_ index: BlobIndex, used: EntrySet, _ statistics: inout PruneStatistics) {
        self.index = index
        first = index.firstEntries()
        copies = [UInt8](repeating: 0, count: first.count)
        for number in first.indices where used.contains(Int(first[number])) {
            let blob = Int(first[number])
            if copies[blob] < .max { copies[blob] += 1 }
        }
        var hasDuplicates = false
        forEachBlob { census, place, number, blob in
            census.count(blob, number, at: place, &statistics, &hasDuplicates)
        }
        guard hasDuplicates else { return }
        forEachBlob { census, place, number, blob in
            if used.contains(Int(census.first[number])) { census.choose(blob, number, at: place, &statistics) }
        }
    }

    private mutating func forEachBlob(_ body: (inout PackCensus, Int, Int, PackedBlob) -> Void) {
        for number in 0..<index.packCount {
            let id = index.packID(number)
            let place = places[id] ?? packs.count
            if place == packs.count {
                places[id] = place
                packs.append(Pack(id: id))
            }
            for (blob, entry) in zip(index.blobs(ofPack: number), index.entries(ofPack: number)) {
                body(&self, place, entry, blob)
            }
        }
    }

    private mutating func count(
        _ blob: PackedBlob,
        _ entry: Int,
        at place: Int,
        _ statistics: inout PruneStatistics,
        _ hasDuplicates: inout Bool
    ) {
        let isCompressed = blob.uncompressedLength != 0
        let size = UInt64(blob.length)
        packs[place].usedBytes += UInt64(PackHeader.entrySize(compressed: isCompressed))
        packs[place].content.note(blob.type)
        if !isCompressed { packs[place].hasUncompressed = true }
        switch copies[Int(first[entry])] {
        case 0:
            packs[place].unused += 1
            packs[place].unusedBytes += size
            statistics.blobs.unused += 1
            statistics.sizes.unused += size
        case 1:
            packs[place].used += 1
            packs[place].usedBytes += size
            statistics.blobs.used += 1
            statistics.sizes.used += size
        default:
            hasDuplicates = true
            packs[place].unused += 1
            packs[place].duplicate += 1
            packs[place].unusedBytes += size
            statistics.blobs.duplicate += 1
            statistics.sizes.duplicate += size
        }
    }

    private mutating func choose(_ blob: PackedBlob, _ entry: Int, at place: Int, _ statistics: inout PruneStatistics) {
        let number = Int(first[entry])
        guard copies[number] != 1 else { return }
        let pack = packs[place]
        guard pack.used > 0 || pack.duplicate == pack.unused || copies[number] == 0 else {
            copies[number] = copies[number] == 2 ? 0 : copies[number] - 1
            return
        }
        let size = UInt64(blob.length)
        packs[place].used += 1
        packs[place].usedBytes += size
        packs[place].unused -= 1
        packs[place].unusedBytes -= size
        statistics.blobs.used += 1
        statistics.sizes.used += size
        statistics.blobs.duplicate -= 1
        statistics.sizes.duplicate -= size
        copies[number] = 1
    }
}
