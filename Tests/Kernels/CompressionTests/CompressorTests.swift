import Bytes
import Compression
import Foundation
import GoldenVectors
import Sealing
import Testing

@Suite struct CompressorTests {
    @Test(arguments: CompressionMode.allCases)
    func `every mode round trips and records the content size alone`(mode: CompressionMode) throws {
        let compressor = Compressor(mode: mode)
        let decompressor = Decompressor()
        var generator = SplitMix64(seed: 1)
        for count in [0, 1, 2, 100, 255, 256, 65_535, 65_536, 300_000] {
            for bytes in [generator.bytes(count), [UInt8](repeating: 7, count: count), text(count)] {
                let frame = try compressor.compress(bytes)
                let header = try frame.withUnsafeBytes { frame throws(CompressionError) in try ZstdFrameHeader(frame) }
                #expect(header.contentBytes == UInt64(count))
                #expect(!header.hasChecksum && header.dictionaryID == 0)
                #expect(header.windowBytes <= 1 << 23)
                #expect(try decompressor.decompress(frame, limit: count) == bytes)
                #expect(try exactly(decompressor, frame, count) == bytes)
            }
        }
    }

    @Test func `I-11 frames come and go at any address, and nothing around them is touched`() throws {
        let (compressor, decompressor) = (Compressor(mode: .auto), Decompressor())
        let plain = text(3000)
        let wanted = try compressor.compress(plain)
        for shift in 0...40 {
            let source = [UInt8](repeating: 1, count: shift) + plain + [2, 3]
            var frame = [UInt8](repeating: 0xA5, count: shift + compressor.bound(plain.count) + 9)
            let end = frame.count - 9
            let length = try source.withUnsafeBytes { source in
                try frame.withUnsafeMutableBytes { frame in
                    try compressor.compress(
                        UnsafeRawBufferPointer(rebasing: source[shift..<shift + plain.count]),
                        into: UnsafeMutableRawBufferPointer(rebasing: frame[shift..<end])
                    )
                }
            }
            #expect(Array(frame[shift..<shift + length]) == wanted, "\(shift)")
            #expect((frame[..<shift] + frame[end...]).allSatisfy { $0 == 0xA5 }, "around \(shift)")
            let opened = try frame.withUnsafeBytes { frame in
                try decompressor.decompress(
                    UnsafeRawBufferPointer(rebasing: frame[shift..<shift + length]),
                    limit: plain.count
                )
            }
            #expect(opened == plain, "\(shift)")
        }
    }

    @Test func `the bound holds for bytes that do not compress`() throws {
        var generator = SplitMix64(seed: 2)
        for mode in CompressionMode.allCases {
            let compressor = Compressor(mode: mode)
            for count in [0, 1, 1000, 200_000] {
                #expect(try compressor.compress(generator.bytes(count)).count <= compressor.bound(count))
            }
        }
    }

    @Test func `too little room is an error and the next call works`() throws {
        let compressor = Compressor(mode: .auto)
        var generator = SplitMix64(seed: 3)
        let bytes = generator.bytes(1000)
        var room = [UInt8](repeating: 0, count: 500)
        #expect(throws: CompressionError.noRoom) {
            try bytes.withUnsafeBytes { bytes in
                try room.withUnsafeMutableBytes { try compressor.compress(bytes, into: $0) }
            }
        }
        #expect(try Decompressor().decompress(compressor.compress(bytes), limit: 1000) == bytes)
    }

    @Test func `blobs that restic wrote in every mode open, decompress and hash to their names`() throws {
        let vector = try GoldenVector("restic-packs.txt")
        let master = try vector.json("master-key", as: MasterKeyJSON.self)
        let key = ResticKey(encrypt: [UInt8](master.encrypt), k: [UInt8](master.mac.k), r: [UInt8](master.mac.r))
        let cipher = try ResticCipher(key: #require(key))
        let decompressor = Decompressor()
        var packs: [String: [UInt8]] = [:]
        for line in vector.all("pack") {
            let parts = line.split(separator: " ")
            packs[String(parts[0])] = Hex.decode(String(parts[1]))
        }
        var compressed = 0
        for pack in try vector.json("index", as: [PackJSON].self) {
            let bytes = try #require(packs[pack.id])
            #expect(sha256(bytes).hex == pack.id)
            for blob in pack.blobs {
                var plaintext = try cipher.open(Array(bytes[blob.offset..<blob.offset + blob.length]))
                if let size = blob.uncompressed_length {
                    plaintext = try exactly(decompressor, plaintext, size)
                    compressed += 1
                }
                #expect(sha256(plaintext).hex == blob.id)
            }
        }
        #expect(packs.count >= 10 && compressed >= 9)
    }

    @Test func `random bytes look incompressible, and nothing else does`() {
        var generator = SplitMix64(seed: 4)
        let random = generator.bytes(1 << 20)
        #expect(looks(random))
        #expect(looks(Array(random[..<(64 << 10)])))
        #expect(!looks(Array(random[..<1000])), "small blobs are tried")
        #expect(!looks([]))
        #expect(!looks(text(1 << 20)))
        #expect(!looks([UInt8](repeating: 0, count: 1 << 20)))
        #expect(!looks(random.map { 0x40 | $0 & 0x3f }), "six bits in eight, as base64 has")
        #expect(
            !looks(Array(random[..<(512 << 10)]) + text(100_000) + Array(random[(600 << 10)...])),
            "a tenth is text"
        )
        let half = Array(random[..<(512 << 10)])
        #expect(!looks(half + half), "the second half repeats the first")
        let record = Array(random[..<5000])
        #expect(!looks((0..<100).flatMap { _ in record }), "one record again and again")
        var counters: [UInt8] = []
        for number in 0..<100_000 as Range<UInt32> { counters.appendLittle(number) }
        #expect(!looks(counters))
        let samples = stride(from: 0, to: 1 << 20, by: 2).flatMap { [random[$0], random[$0 + 1] & 0x1f] }
        #expect(!looks(samples), "half of the bytes have five bits")
    }

    @Test func `D-09 what looks incompressible gains less than a hundredth`() throws {
        var generator = SplitMix64(seed: 5)
        let compressor = Compressor(mode: .auto)
        var refused = 0
        for round in 0..<60 {
            // From pure noise to a third of text.
            var bytes: [UInt8] = []
            while bytes.count < 200_000 {
                bytes += generator.bytes(Int.random(in: 500...5000, using: &generator))
                bytes += text(Int.random(in: 0...(round * 30), using: &generator))
            }
            guard looks(bytes) else { continue }
            refused += 1
            #expect(try compressor.compress(bytes).count * 100 > bytes.count * 99, "round \(round)")
        }
        #expect(refused > 0)
    }

    private func looks(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { looksIncompressible($0) } }

    private func text(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var line = 0
        while bytes.count < count {
            bytes += "line \(line) of some text that goes on and on, \(line &* 7919 % 1013)\n".utf8
            line += 1
        }
        return Array(bytes[..<count])
    }
}

/// Decodes into a buffer of just the size.
func exactly(_ decompressor: Decompressor, _ frame: [UInt8], _ size: Int) throws -> [UInt8] {
    var out = [UInt8](repeating: 0, count: size)
    try frame.withUnsafeBytes { frame in
        try out.withUnsafeMutableBytes { try decompressor.decompress(frame, exactly: size, into: $0) }
    }
    return out
}
