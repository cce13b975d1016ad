import Bytes
import Compression
import Foundation
import Testing

/// Frames that no backup tool writes, built by hand from RFC 8878.
@Suite struct HostileFrameTests {
    private let text = [UInt8]("to be kept".utf8)

    @Test func `the hand-made frames are understood when they are honest`() throws {
        let frame = Frame(content: .bytes(4, UInt64(text.count)), blocks: [.raw(text)]).bytes
        #expect(try Decompressor().decompress(frame, limit: 100) == text)
        let runs = Frame(
            content: .bytes(8, 300_000),
            window: 0x70,
            blocks: [.run(1, 100_000), .run(2, 100_000), .run(3, 100_000)]
        ).bytes
        #expect(try Decompressor().decompress(runs, limit: 300_000).count == 300_000)
    }

    @Test func `I-02 a bomb is stopped at the limit and at its declared size`() {
        // 320 KiB of frame that says nothing of its 10 GiB.
        let endless = Frame(content: .unknown, window: 0x70, blocks: (0..<81_920).map { _ in .run(0, 131_072) }).bytes
        #expect(endless.count < 330_000)
        #expect(throws: CompressionError.tooLarge(limit: 8 << 20)) {
            try Decompressor().decompress(endless, limit: 8 << 20)
        }
        #expect(throws: CompressionError.tooLarge(limit: 1 << 20)) { try exactly(Decompressor(), endless, 1 << 20) }
        let honest = Frame(
            content: .bytes(8, 250 * 131_072),
            window: 0x70,
            blocks: (0..<250).map { _ in .run(0, 131_072) }
        ).bytes
        #expect(throws: CompressionError.tooLarge(limit: 8 << 20)) {
            try Decompressor().decompress(honest, limit: 8 << 20)
        }
    }

    @Test func `I-02 an unknown content size is decoded within the limit`() throws {
        let frame = Frame(content: .unknown, window: 0x70, blocks: [.run(9, 100_000), .run(8, 100_000), .raw(text)])
            .bytes
        #expect(try Decompressor().decompress(frame, limit: 1 << 20).count == 200_000 + text.count)
        #expect(try Decompressor().decompress(frame, limit: 200_000 + text.count).count == 200_000 + text.count)
        #expect(try exactly(Decompressor(), frame, 200_000 + text.count).suffix(text.count) == text[...])
        #expect(throws: CompressionError.tooLarge(limit: 200_009)) {
            try Decompressor().decompress(frame, limit: 200_009)
        }
        #expect(throws: CompressionError.wrongSize(expected: 300_000, found: 200_010)) {
            try exactly(Decompressor(), frame, 300_000)
        }
    }

    @Test func `I-02 content larger than the first room is decoded in steps`() throws {
        let blocks = (0..<400).map { Frame.Block.run(UInt8($0 % 256), 131_072) }
        let size = 400 * 131_072
        for content in [Frame.Content.unknown, .bytes(8, UInt64(size))] {
            let frame = Frame(content: content, window: 0x70, blocks: blocks).bytes
            let plain = try Decompressor().decompress(frame, limit: 64 << 20)
            #expect(plain.count == size && plain[131_072 * 5] == 5 && plain[size - 1] == 143)
        }
    }

    @Test(arguments: [0, 9, 11, 1 << 20, 1 << 31, 1 << 32, 1 << 40, UInt64.max - 1, .max] as [UInt64])
    func `I-02 I-05 a false content size is refused`(claim: UInt64) {
        let frame = Frame(content: .bytes(8, claim), window: 0x70, blocks: [.raw(text)]).bytes
        #expect(throws: CompressionError.self) { try Decompressor().decompress(frame, limit: 64 << 20) }
        #expect(throws: CompressionError.self) { try exactly(Decompressor(), frame, text.count) }
    }

    @Test func `I-02 a claim of the whole limit takes no memory for a short frame`() throws {
        let before = try residentBytes()
        let frame = Frame(content: .bytes(8, 1 << 30), window: 0x70, blocks: [.raw(text)]).bytes
        #expect(throws: CompressionError.self) { try Decompressor().decompress(frame, limit: 1 << 30) }
        #expect(try residentBytes() - before < 32 << 20)
    }

    @Test(arguments: [1, 2, 4])
    func `I-02 a dictionary is refused`(width: Int) {
        let frame = Frame(
            content: .bytes(8, UInt64(text.count)),
            dictionary: (width, 77),
            window: 0x70,
            blocks: [.raw(text)]
        ).bytes
        #expect(throws: CompressionError.dictionary(id: 77)) { try Decompressor().decompress(frame, limit: 100) }
        #expect(throws: CompressionError.dictionary(id: 77)) { try exactly(Decompressor(), frame, text.count) }
    }

    @Test func `I-02 a window above 2^27 is refused, one of 2^27 is not`() throws {
        let window = { (exponent: UInt8) in (exponent - 10) << 3 }
        for exponent in [28, 31, 41] as [UInt8] {
            let frame = Frame(content: .bytes(8, UInt64(text.count)), window: window(exponent), blocks: [.raw(text)])
                .bytes
            #expect(throws: CompressionError.windowTooLarge(bytes: 1 << UInt64(exponent))) {
                try exactly(Decompressor(), frame, text.count)
            }
        }
        let eighth = Frame(content: .bytes(8, UInt64(text.count)), window: window(27) | 1, blocks: [.raw(text)]).bytes
        #expect(throws: CompressionError.self) { try exactly(Decompressor(), eighth, text.count) }
        let largest = Frame(content: .bytes(8, UInt64(text.count)), window: window(27), blocks: [.raw(text)]).bytes
        #expect(try exactly(Decompressor(), largest, text.count) == text)
    }

    @Test func `I-02 skippable and concatenated frames are refused`() {
        let good = Frame(content: .bytes(4, UInt64(text.count)), blocks: [.raw(text)]).bytes
        let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
        let endless: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 0xff, 0xff, 0xff, 0xff]
        for frame in [skippable, skippable + good, endless] {
            #expect(throws: CompressionError.skippableFrame) { try Decompressor().decompress(frame, limit: 100) }
            #expect(throws: CompressionError.skippableFrame) { try exactly(Decompressor(), frame, text.count) }
        }
        for tail in [good, skippable, [0], [UInt8](repeating: 0xff, count: 100)] {
            #expect(throws: CompressionError.trailingBytes(count: tail.count)) {
                try Decompressor().decompress(good + tail, limit: 100)
            }
            #expect(throws: CompressionError.trailingBytes(count: tail.count)) {
                try exactly(Decompressor(), good + tail, text.count)
            }
        }
    }

    @Test func `I-02 endless empty blocks end with the input`() throws {
        let empty = (0..<100_000).map { _ in Frame.Block.raw([]) }
        let frame = Frame(content: .unknown, window: 0x70, blocks: empty).bytes
        #expect(try Decompressor().decompress(frame, limit: 100) == [])
        let unended = Array(frame.dropLast(3))
        #expect(throws: CompressionError.damaged) { try Decompressor().decompress(unended, limit: 100) }
    }

    @Test func `bytes that are no frame are refused`() {
        for bytes in [[], [0x28], [0x28, 0xb5, 0x2f], [UInt8](repeating: 0, count: 40), text] as [[UInt8]] {
            #expect(throws: CompressionError.notAFrame) { try Decompressor().decompress(bytes, limit: 100) }
        }
        #expect(throws: CompressionError.damaged) {
            try Decompressor().decompress([0x28, 0xb5, 0x2f, 0xfd], limit: 100)
        }
        // The reserved bit.
        #expect(throws: CompressionError.damaged) {
            try Decompressor().decompress([0x28, 0xb5, 0x2f, 0xfd, 0x28, 1, 1, 0, 0], limit: 100)
        }
    }

    @Test func `every prefix of a frame is refused`() throws {
        var generator = SplitMix64(seed: 1)
        let plain = text + generator.bytes(100) + text + text
        let frame = try Compressor(mode: .auto).compress(plain)
        for length in 0..<frame.count {
            #expect(throws: CompressionError.self) {
                try Decompressor().decompress(Array(frame[..<length]), limit: 1 << 20)
            }
        }
    }

    @Test func `no flipped bit writes beyond the size or stops the decompressor from working`() throws {
        var generator = SplitMix64(seed: 2)
        let plain = (0..<30).flatMap { "row \($0) \($0 * 37 % 11)\n".utf8 } + generator.bytes(60)
        let frame = try Compressor(mode: .better).compress(plain)
        let decompressor = Decompressor()
        for bit in 0..<frame.count * 8 {
            var changed = frame
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            if let decoded = try? decompressor.decompress(changed, limit: 4096) { #expect(decoded.count <= 4096) }
            if let decoded = try? exactly(decompressor, changed, plain.count) { #expect(decoded.count == plain.count) }
        }
        #expect(try decompressor.decompress(frame, limit: plain.count) == plain)
    }

    private func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (Int(status[1]) ?? 0) * 4096
    }
}

/// A zstd frame written field by field.
private struct Frame {
    enum Content {
        case unknown
        /// Width of the field in bytes (1, 4 or 8) and the number.
        case bytes(Int, UInt64)
    }

    enum Block {
        case raw([UInt8])
        case run(UInt8, Int)
    }

    var content: Content
    var dictionary: (width: Int, id: UInt64)? = nil
    /// The window descriptor; nil makes a single segment.
    var window: UInt8? = nil
    var blocks: [Block]

    var bytes: [UInt8] {
        var descriptor: UInt8 = window == nil ? 32 : 0
        var tail: [UInt8] = window.map { [$0] } ?? []
        if let dictionary {
            descriptor |= [0, 1, 2, 0, 3][dictionary.width]
            tail += little(dictionary.id, dictionary.width)
        }
        if case .bytes(let width, let number) = content {
            descriptor |= [0, 0, 0, 0, 2, 0, 0, 0, 3][width] << 6
            tail += little(number, width)
        }
        var bytes: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, descriptor] + tail
        for (index, block) in blocks.enumerated() {
            let last = index == blocks.count - 1 ? 1 : 0
            switch block {
            case .raw(let content): bytes += little(UInt64(content.count << 3 | last), 3) + content
            case .run(let byte, let count): bytes += little(UInt64(count << 3 | 2 | last), 3) + [byte]
            }
        }
        return bytes
    }

    private func little(_ number: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
    }
}
