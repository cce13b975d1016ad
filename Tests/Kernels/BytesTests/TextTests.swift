import Bytes
import Testing

@Suite struct TextTests {
    @Test func `hex round trips and refuses everything else`() {
        let all = [UInt8](0...255)
        #expect(Hex.decode(Hex.encode(all)) == all)
        #expect(Hex.encode([0x00, 0x9a, 0xff]) == "009aff")
        #expect(Hex.decode("") == [])
        for text in ["0", "0g", "AB", "0x", " 0", "é"] { #expect(Hex.decode(text) == nil, "\(text)") }
    }

    @Test func `hex numbers are bounded to sixteen digits`() {
        #expect(Hex.number("0".utf8) == 0)
        #expect(Hex.number("3da3358b4dc173".utf8) == 0x3d_a335_8b4d_c173)
        #expect(Hex.number("ffffffffffffffff".utf8) == .max)
        for text in ["", "10000000000000000", "FF", "-1", "0x1", "1 "] {
            #expect(Hex.number(text.utf8) == nil, "\(text)")
        }
    }

    @Test func `integers are read at odd offsets`() {
        let bytes: [UInt8] = [0xee, 1, 2, 3, 4, 5, 6, 7, 8, 0xee]
        bytes.withUnsafeBytes { raw in
            #expect(raw.littleUInt16(at: 1) == 0x0201)
            #expect(raw.littleUInt32(at: 1) == 0x0403_0201)
            #expect(raw.littleUInt64(at: 1) == 0x0807_0605_0403_0201)
            #expect(raw.bigUInt64(at: 1) == 0x0102_0304_0506_0708)
        }
        #expect(bytes.littleUInt32(at: 6) == 0xee08_0706)
        #expect(bytes.littleUInt64(at: 2) == 0xee08_0706_0504_0302)
    }

    @Test func `integers are written as they are read`() {
        var bytes: [UInt8] = []
        bytes.appendLittle(UInt32(0x0403_0201))
        bytes.appendLittle(UInt64(0x0807_0605_0403_0201))
        #expect(bytes == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8])
        bytes.withUnsafeMutableBytes { raw in
            raw.storeLittle(UInt32(0xA0B0_C0D0), at: 1)
            raw.storeBig(0x0102_0304_0506_0708, at: 4)
        }
        #expect(bytes == [1, 0xd0, 0xc0, 0xb0, 1, 2, 3, 4, 5, 6, 7, 8])
        let digest = Digest(a: 1, b: 2, c: 3, d: .max)
        bytes.append(digest)
        #expect(bytes.withUnsafeBytes { $0.digest(at: 12) } == digest)
    }

    @Test func `a read over the end traps`() async {
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 4).littleUInt32(at: 1) }
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 8).littleUInt64(at: -1) }
        await #expect(processExitsWith: .failure) { _ = [UInt8](repeating: 0, count: 3).littleUInt32(at: 0) }
        await #expect(processExitsWith: .failure) {
            [UInt8](repeating: 0, count: 8).withUnsafeBytes { _ = $0.part(from: 4, count: 5) }
        }
        await #expect(processExitsWith: .failure) {
            [UInt8](repeating: 0, count: 8).withUnsafeBytes { _ = $0.part(from: Int.max, count: 1) }
        }
    }

    @Test func `all zero is told from almost all zero at every place and size`() {
        for count in 0..<70 {
            var bytes = [UInt8](repeating: 0, count: count)
            #expect(bytes.withUnsafeBytes { isAllZero($0) })
            for index in bytes.indices {
                bytes[index] = 128
                #expect(!bytes.withUnsafeBytes { isAllZero($0) })
                bytes[index] = 0
            }
        }
    }

    @Test func `seeded entropy repeats and differs by seed`() {
        #expect(SeededEntropy(seed: 1).bytes(37) == SeededEntropy(seed: 1).bytes(37))
        #expect(SeededEntropy(seed: 1).bytes(37) != SeededEntropy(seed: 2).bytes(37))
        // The published first numbers of splitmix64 for seed 1234567.
        var generator = SplitMix64(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
    }
}

@Suite struct ByteStringTests {
    @Test func `byte strings order by unsigned bytes, the shorter first`() {
        let ordered: [ByteString] = [
            "", "a", "a\u{1}", "aa", "ab", "abcdefgh", "abcdefghi", "abcdefgi", "b", ByteString([0xc3, 0xa9]),
            ByteString([0xff]),
        ]
        for (left, a) in ordered.enumerated() {
            for (right, b) in ordered.enumerated() {
                #expect((a < b) == (left < right))
                #expect((a == b) == (left == right))
            }
        }
    }

    @Test(
        arguments: [
            ([0x61, 0x62], "ab"), (Array("/etc/é".utf8), "/etc/é"), ([0x61, 0xff, 0x62], "a\\xffb"),
            ([0x1b, 0x5b, 0x32, 0x4a], "\\x1b[2J"),
            (Array("a\u{202e}b".utf8), "a\\u{202e}b"), ([0xc2, 0x9b], "\\x9b"),
        ] as [([UInt8], String)]
    )
    func `G-08 what is shown can neither move the cursor nor turn the line`(bytes: [UInt8], shown: String) {
        #expect(ByteString(bytes).display == shown)
    }

    @Test func `any bytes are a text that gives them back`() {
        let awkward: [[UInt8]] = [
            [], [0xff], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xf0, 0x9f, 0x92], [0x80, 0x80], [0xed, 0xa0, 0x80],
            Array("\u{10ffff}".utf8), Array("a\u{10ff80}b".utf8), Array("e\u{301}".utf8), [0xcc, 0x81],
        ]
        let entropy = SeededEntropy(seed: 41)
        let random = (0..<2000).map { _ in entropy.bytes(1 + Int(entropy.bytes(1)[0] % 12)) }
        for bytes in awkward + random {
            let text = ByteString(bytes).escapedText
            #expect(ByteString(escapedText: text).bytes == bytes, "\(bytes)")
            let isText = String(validating: bytes, as: UTF8.self) != nil
            #expect(isText || ByteString.holdsEscapes(text), "\(bytes)")
        }
        #expect(ByteString("/etc/é").escapedText == "/etc/é")
    }
}
