import Bytes
import Chunking
import Testing

@Suite struct ChunkerTests {
    private func polynomial(seed: UInt64) -> Polynomial { .random(SeededEntropy(seed: seed)) }

    private func lengths(_ chunker: RabinChunker, _ bytes: [UInt8]) -> [Int] {
        bytes.withUnsafeBytes { chunker.lengths(of: $0) }
    }

    /// Data with cuts at all three bounds: random, runs, repeats.
    private func sample(_ count: Int, _ generator: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = Int.random(in: 1...20_000, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes += [UInt8](repeating: UInt8.random(in: 0...255, using: &generator), count: part)
            case 1: bytes += [UInt8](repeating: 0, count: part)
            default: bytes += generator.bytes(part)
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `the fast search cuts where the plain form cuts`(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let minimum = [64, 65, 100, 1000, 5000][Int(seed) % 5]
        let chunker = RabinChunker(
            polynomial: polynomial(seed: seed),
            splitBits: [6, 9, 12][Int(seed) % 3],
            minimumBytes: minimum,
            maximumBytes: minimum + [0, 1, 300, 10_000, 60_000][Int(seed / 2) % 5]
        )
        let bytes = sample(seed == 7 ? 120_000 : 40_000, &generator)
        #expect(lengths(chunker, bytes) == SerialRabin(chunker).lengths(of: bytes), "seed \(seed)")
    }

    @Test func `I-11 the same bytes are cut alike at any address`() {
        var generator = SplitMix64(seed: 12)
        let chunker = RabinChunker(
            polynomial: polynomial(seed: 5),
            splitBits: 12,
            minimumBytes: 512,
            maximumBytes: 1 << 15
        )
        let bytes = sample(60_000, &generator)
        let wanted = SerialRabin(chunker).lengths(of: bytes)
        for shift in 0...66 {
            let moved = generator.bytes(shift) + bytes + generator.bytes(70)
            let cuts = moved.withUnsafeBytes { moved in
                chunker.lengths(of: UnsafeRawBufferPointer(rebasing: moved[shift..<shift + bytes.count]))
            }
            #expect(cuts == wanted, "\(shift)")
        }
    }

    @Test func `a cut is found at every offset of the lanes`() {
        // One matching window planted in bytes that never match: the first match wins wherever it lies.
        let chunker = RabinChunker(
            polynomial: polynomial(seed: 5),
            splitBits: 20,
            minimumBytes: 64,
            maximumBytes: 1 << 20
        )
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 40_000)
        #expect(lengths(chunker, bytes) == [40_000])
        let zeros = [UInt8](repeating: 0, count: 64)
        for end in stride(from: 64, through: 40_000, by: 611) + [40_000] {
            var planted = bytes
            planted.replaceSubrange(end - 64..<end, with: zeros)
            #expect(lengths(chunker, planted).first == end)
        }
        // Two of them in different lanes.
        for (first, second) in [(9_000, 31_000), (31_000, 9_000), (12_000, 12_100), (39_999, 20_001)] {
            bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 40_000)
            for end in [first, second] { bytes.replaceSubrange(end - 64..<end, with: zeros) }
            #expect(lengths(chunker, bytes).first == min(first, second))
        }
    }

    @Test func `zeros cut at the minimum and one letter at the maximum`() {
        let chunker = RabinChunker(polynomial: polynomial(seed: 1))
        let zeros = [UInt8](repeating: 0, count: RabinChunker.minimum * 2 + 7)
        #expect(lengths(chunker, zeros) == [RabinChunker.minimum, RabinChunker.minimum, 7])
        let letters = [UInt8](repeating: 97, count: RabinChunker.maximum + 1)
        #expect(lengths(chunker, letters) == [RabinChunker.maximum, 1])
    }

    @Test func `an empty stream has no chunks and a short one is one chunk`() {
        let chunker = RabinChunker(polynomial: polynomial(seed: 1))
        #expect(lengths(chunker, []) == [])
        #expect(lengths(chunker, [1]) == [1])
        let short = [UInt8](repeating: 0, count: RabinChunker.minimum - 1)
        #expect(lengths(chunker, short) == [RabinChunker.minimum - 1])
        short.withUnsafeBytes { #expect(chunker.firstCut(in: $0, atEnd: false) == nil) }
        UnsafeRawBufferPointer(start: nil, count: 0).withMemoryRebound(to: UInt8.self) { empty in
            #expect(chunker.firstCut(in: UnsafeRawBufferPointer(empty), atEnd: true) == nil)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a growing buffer gives the same cuts in drips, byte by byte and whole`(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let chunker = RabinChunker(
            polynomial: polynomial(seed: seed),
            splitBits: 10,
            minimumBytes: 200,
            maximumBytes: 3000
        )
        let bytes = sample(40_000, &generator)
        let expected = lengths(chunker, bytes)
        for step in [1, 3, 64, 1000, Int.random(in: 1...5000, using: &generator)] {
            var scanner = ChunkScanner(chunker: chunker)
            var given: [Int] = []
            var start = 0
            var end = 0
            while start < bytes.count {
                let length = bytes[start..<end].withUnsafeBytes { scanner.scan($0, atEnd: end == bytes.count) }
                if let length {
                    given.append(length)
                    start += length
                    end = max(end, start)
                } else {
                    end = min(end + step, bytes.count)
                }
            }
            #expect(given == expected, "seed \(seed), step \(step)")
        }
    }

    @Test func `cuts find each other again behind an insertion`() {
        var generator = SplitMix64(seed: 77)
        let chunker = RabinChunker(
            polynomial: polynomial(seed: 7),
            splitBits: 10,
            minimumBytes: 256,
            maximumBytes: 8192
        )
        let bytes = generator.bytes(200_000)
        let tail = { (lengths: [Int]) in Array(lengths.suffix(lengths.count / 2)) }
        #expect(
            tail(lengths(chunker, bytes))
                == Array(lengths(chunker, [1, 2, 3] + bytes).suffix(lengths(chunker, bytes).count / 2))
        )
    }

    @Test func `two polynomials cut differently`() {
        var generator = SplitMix64(seed: 8)
        let bytes = generator.bytes(100_000)
        let cuts = { (seed: UInt64) in
            lengths(
                RabinChunker(polynomial: polynomial(seed: seed), splitBits: 10, minimumBytes: 64, maximumBytes: 8192),
                bytes
            )
        }
        #expect(cuts(1) != cuts(2))
    }
}
