import Bytes
import ResticFormat
import Testing

import ResticRepository

@Suite struct BlobTableTests {
    private static func blob(_ number: UInt64, _ type: BlobType = .data) -> PackedBlob {
        // Spread over the whole range, as digests are.
        let spread = number &* 0x9E37_79B9_7F4A_7C15
        return PackedBlob(
            id: BlobID(Digest(a: spread, b: spread &* 31, c: number, d: ~number)),
            type: type,
            offset: UInt32(truncatingIfNeeded: number & 0xff_ffff),
            length: UInt32(truncatingIfNeeded: 40 + number % 1_000_000),
            uncompressedLength: UInt32(truncatingIfNeeded: number % 3 == 0 ? 0 : 50 + number % 2_000_000)
        )
    }

    private static func pack(_ number: Int) -> PackID {
        PackID(Digest(a: UInt64(number) &* 0xD134_2543_DE82_EF95, b: 7, c: 7, d: UInt64(number)))
    }

    @Test func `every blob that went in is found again with all its fields and its pack`() {
        var table = BlobTable()
        let packs = 700
        let each = 37
        for number in 0..<packs {
            table.append(
                pack: Self.pack(number),
                blobs: (0..<each).map { Self.blob(UInt64(number * each + $0), number % 5 == 0 ? .tree : .data) }
            )
        }
        #expect(table.count == packs * each)
        var wrong = 0
        for number in 0..<packs {
            for position in 0..<each {
                let wanted = Self.blob(UInt64(number * each + position), number % 5 == 0 ? .tree : .data)
                var found: [BlobLocation] = []
                table.forEachCopy(wanted.type, wanted.id) {
                    found.append(table.location($0))
                    return true
                }
                let right =
                    found.count == 1 && found[0].pack == Self.pack(number) && found[0].offset == wanted.offset
                    && found[0].length == wanted.length && found[0].uncompressedLength == wanted.uncompressedLength
                if !right { wrong += 1 }
            }
        }
        #expect(wrong == 0)
        let asData = table.contains(.data, Self.blob(1).id)
        #expect(!asData, "the type is part of the name")
        let unknown = table.contains(.data, Self.blob(99_999_999).id)
        #expect(!unknown)
    }

    @Test func `two copies of one blob are both found`() {
        var table = BlobTable()
        table.append(pack: Self.pack(1), blobs: [Self.blob(5)])
        table.append(pack: Self.pack(2), blobs: [Self.blob(6), Self.blob(5)])
        var packs: Set<PackID> = []
        table.forEachCopy(.data, Self.blob(5).id) {
            packs.insert(table.location($0).pack)
            return true
        }
        #expect(packs == [Self.pack(1), Self.pack(2)])
    }

    @Test(arguments: [false, true])
    func `a million blobs cost at most 52 bytes each, all tables included`(announced: Bool) {
        var table = BlobTable()
        let each = 20
        let packs = 50_000
        if announced { table.reserve(each * packs) }
        for number in 0..<packs {
            table.append(pack: Self.pack(number), blobs: (0..<each).map { Self.blob(UInt64(number * each + $0)) })
        }
        let bytesEach = Double(table.memoryBytes) / Double(table.count)
        print("index: \(bytesEach) bytes a blob at \(table.count) blobs, \(each) a pack")
        #expect(bytesEach <= 52)
    }

    @Test func `a guess that creeps up from file to file does not fill the slots anew for each`() {
        var table = BlobTable()
        let files = 100
        let each = 2_000
        var sizes: Set<Int> = []
        for file in 0..<files {
            // As if each file had a few blobs more to the byte than those before it.
            table.reserve(each, expecting: files * each * (900 + file) / 1000)
            sizes.insert(table.slotBytes)
            table.append(
                pack: Self.pack(file),
                blobs: (0..<each).map { Self.blob(UInt64(file * each + $0)) }
            )
            sizes.insert(table.slotBytes)
        }
        #expect(table.count == files * each)
        #expect(sizes.count <= 4, "filled \(sizes.count) times")
        #expect(Double(table.slotBytes) / Double(table.count) <= 5.4)
        for number in stride(from: 0, to: UInt64(files * each), by: 997) {
            let isThere = table.contains(.data, Self.blob(number).id)
            #expect(isThere)
        }
    }
}
