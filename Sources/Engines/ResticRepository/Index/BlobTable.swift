package import Bytes
package import ResticFormat

/// The blobs of a repository in memory: at most 52 bytes each, all tables included.
///
/// 1. An entry is 44 bytes: identifier 32, offset 4, sealed length 4, and one word of uncompressed length (31 bits) and type (top bit).
/// 2. Entries are appended and never move; those of one pack lie together, so an entry needs no pack number: the pack is found by
///    binary search in the table of each pack's first entry (36 bytes a pack).
/// 3. A slot is 4 bytes: the entry's number plus one in its low bits, a piece of the identifier above them. Slots are filled between
///    75 and 90 %, linear probing; growing frees the old slots first and refills from the entries.
/// 4. Several copies of a blob are several entries; a lookup meets them all in one probe run.
///
/// Cost: 44 + 4.5…5.4 bytes a blob + 36 bytes a pack.
package struct BlobTable: ~Copyable {
    private static let entryBytes = 44
    private static let chunkEntries = 1 << 14
    private static let typeBit: UInt32 = 1 << 31

    private var chunks: [UnsafeMutableRawPointer] = []
    package private(set) var count = 0

    private var packs = SegmentedArray<Digest>(empty: .zero)
    private var packFirstEntry = SegmentedArray<UInt32>(empty: 0)

    private var slots: UnsafeMutablePointer<UInt32>
    private var slotCount: Int
    private var indexBits: UInt32

    package init() {
        slotCount = 64
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: 0, count: slotCount)
        indexBits = 7
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
        slots.deallocate()
    }

    package var packCount: Int { packs.count }

    /// Bytes of the slots; another number means that they were filled anew.
    package var slotBytes: Int { slotCount * 4 }

    /// Bytes held by all tables.
    package var memoryBytes: Int {
        chunks.count * Self.chunkEntries * Self.entryBytes + slotBytes + packs.memoryBytes(each: 32)
            + packFirstEntry.memoryBytes(each: 4)
    }

    /// Makes room in the slots for `additional` more blobs; where there is none, for all that are expected in the end.
    ///
    /// A guess that grows from file to file rebuilds nothing as long as there is room: a bulk load fills the slots once or twice.
    package mutating func reserve(_ additional: Int, expecting total: Int = 0) {
        let wanted = count + additional
        if wanted * 10 > slotCount * 9 { rebuildSlots(for: max(wanted, total), spare: 1.02) }
    }

    /// Adds a whole pack; its blobs become visible together.
    package mutating func append(pack: PackID, blobs: some Collection<PackedBlob>) {
        guard !blobs.isEmpty else { return }
        precondition(count + blobs.count < Int(Int32.max), "more blobs than an index can number")
        packFirstEntry.append(UInt32(count))
        packs.append(pack.digest)
        for blob in blobs {
            if (count + 1) * 10 > slotCount * 9 { rebuildSlots(for: count + 1, spare: 1.2) }
            if count == chunks.count * Self.chunkEntries {
                chunks.append(.allocate(byteCount: Self.chunkEntries * Self.entryBytes, alignment: 8))
            }
            write(blob, at: count)
            insertSlot(for: count, digest: blob.id.digest)
            count += 1
        }
    }

    /// Calls `body` with every copy of the blob until it returns false.
    package func forEachCopy(_ type: BlobType, _ id: BlobID, _ body: (_ entry: Int) -> Bool) {
        let digest = id.digest
        let tag = tagBits(digest)
        let mask: UInt32 = (1 << indexBits) - 1
        var slot = home(digest)
        while true {
            let value = slots[slot]
            if value == 0 { return }
            if value & ~mask == tag {
                let entry = Int(value & mask) - 1
                if matches(entry, type, digest), !body(entry) { return }
            }
            slot += 1
            if slot == slotCount { slot = 0 }
        }
    }

    /// Whether there is any copy of the blob.
    package func contains(_ type: BlobType, _ id: BlobID) -> Bool {
        var found = false
        forEachCopy(type, id) { _ in
            found = true
            return false
        }
        return found
    }

    /// The entry in full.
    package func location(_ entry: Int) -> BlobLocation {
        let blob = self[entry]
        return BlobLocation(
            id: blob.id,
            type: blob.type,
            pack: PackID(packs[packNumber(of: entry)]),
            offset: blob.offset,
            length: blob.length,
            uncompressedLength: blob.uncompressedLength
        )
    }

    package subscript(entry: Int) -> PackedBlob {
        let base = pointer(entry)
        let last = base.loadUnaligned(fromByteOffset: 40, as: UInt32.self)
        return PackedBlob(
            id: BlobID(digest(at: base)),
            type: last & Self.typeBit != 0 ? .tree : .data,
            offset: base.loadUnaligned(fromByteOffset: 32, as: UInt32.self),
            length: base.loadUnaligned(fromByteOffset: 36, as: UInt32.self),
            uncompressedLength: last & ~Self.typeBit
        )
    }

    /// The name of the pack with that number, in the order of `append`.
    package func pack(_ number: Int) -> PackID { PackID(packs[number]) }

    /// The entries of the pack with that number.
    package func entries(ofPack number: Int) -> Range<Int> {
        let next = number + 1 < packs.count ? Int(packFirstEntry[number + 1]) : count
        return Int(packFirstEntry[number])..<next
    }

    /// The entries of the pack that holds the entry.
    func entries(ofPackHolding entry: Int) -> Range<Int> { entries(ofPack: packNumber(of: entry)) }

    // MARK: entries

    private func pointer(_ entry: Int) -> UnsafeMutableRawPointer {
        chunks[entry / Self.chunkEntries] + (entry % Self.chunkEntries) * Self.entryBytes
    }

    private func digest(at base: UnsafeMutableRawPointer) -> Digest {
        Digest(
            a: base.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            b: base.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            c: base.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            d: base.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    private func matches(_ entry: Int, _ type: BlobType, _ wanted: Digest) -> Bool {
        let base = pointer(entry)
        guard digest(at: base) == wanted else { return false }
        let isTree = base.loadUnaligned(fromByteOffset: 40, as: UInt32.self) & Self.typeBit != 0
        return isTree == (type == .tree)
    }

    private func write(_ blob: PackedBlob, at entry: Int) {
        precondition(blob.uncompressedLength < Self.typeBit, "a blob of 2 GiB or more cannot be indexed")
        let base = pointer(entry)
        let digest = blob.id.digest
        base.storeBytes(of: digest.a, toByteOffset: 0, as: UInt64.self)
        base.storeBytes(of: digest.b, toByteOffset: 8, as: UInt64.self)
        base.storeBytes(of: digest.c, toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: digest.d, toByteOffset: 24, as: UInt64.self)
        base.storeBytes(of: blob.offset, toByteOffset: 32, as: UInt32.self)
        base.storeBytes(of: blob.length, toByteOffset: 36, as: UInt32.self)
        let last = blob.uncompressedLength | (blob.type == .tree ? Self.typeBit : 0)
        base.storeBytes(of: last, toByteOffset: 40, as: UInt32.self)
    }

    private func packNumber(of entry: Int) -> Int {
        var low = 0
        var high = packFirstEntry.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if Int(packFirstEntry[middle]) <= entry { low = middle } else { high = middle }
        }
        return low
    }

    // MARK: slots

    private func home(_ digest: Digest) -> Int {
        Int(digest.a.multipliedFullWidth(by: UInt64(slotCount)).high)
    }

    private func tagBits(_ digest: Digest) -> UInt32 {
        UInt32(truncatingIfNeeded: digest.b) & ~((1 << indexBits) - 1)
    }

    private mutating func insertSlot(for entry: Int, digest: Digest) {
        var slot = home(digest)
        while slots[slot] != 0 {
            slot += 1
            if slot == slotCount { slot = 0 }
        }
        slots[slot] = UInt32(entry + 1) | tagBits(digest)
    }

    private mutating func rebuildSlots(for wanted: Int, spare: Double) {
        slots.deallocate()
        slotCount = max(64, Int(Double(wanted) * spare / 0.9) + 1)
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: 0, count: slotCount)
        indexBits = UInt32(Int.bitWidth - (slotCount + 1).leadingZeroBitCount)
        for entry in 0..<count { insertSlot(for: entry, digest: digest(at: pointer(entry))) }
    }
}

/// An array that grows by fixed pieces, so that growing neither copies nor doubles.
struct SegmentedArray<Element> {
    private static var segmentCount: Int { 1 << 12 }
    private var segments: [[Element]] = []
    private(set) var count = 0
    private let empty: Element

    init(empty: Element) { self.empty = empty }

    mutating func append(_ element: Element) {
        let segment = count / Self.segmentCount
        if segment == segments.count {
            segments.append([Element](repeating: empty, count: Self.segmentCount))
        }
        segments[segment][count % Self.segmentCount] = element
        count += 1
    }

    subscript(index: Int) -> Element {
        precondition(index < count)
        return segments[index / Self.segmentCount][index % Self.segmentCount]
    }

    func memoryBytes(each: Int) -> Int { segments.count * Self.segmentCount * each }
}
