import Bytes
import Sealing
import Testing

@Suite struct LanesTests {
    /// Lengths around the blocks of SHA-256, where the padding changes.
    private static let edges = [0, 1, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 4096]

    private func lend<R>(_ messages: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) -> R) -> R {
        messages.flatMap { $0 }.withUnsafeBytes { bytes in
            var start = 0
            return body(
                messages.map { message in
                    defer { start += message.count }
                    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + message.count])
                }
            )
        }
    }

    @Test(arguments: SHA256Lanes.Form.allCases)
    func `every number of messages of any length has the plain digests`(form: SHA256Lanes.Form) {
        var generator = SplitMix64(seed: 81)
        for count in 0...70 {
            let messages = (0..<count).map { _ -> [UInt8] in
                let length =
                    Bool.random(using: &generator)
                    ? Self.edges.randomElement(using: &generator) ?? 0 : Int.random(in: 0...3000, using: &generator)
                return generator.bytes(length)
            }
            #expect(lend(messages) { SHA256Lanes.digests(of: $0, form: form) } == messages.map { sha256($0) })
        }
    }

    @Test(arguments: SHA256Lanes.Form.allCases)
    func `I-11 messages at any address have the plain digests`(form: SHA256Lanes.Form) {
        var generator = SplitMix64(seed: 83)
        let bytes = generator.bytes(9000)
        for shift in 0...70 {
            let ranges = (0..<9).map { number in (shift + 64 * number)..<(shift + 64 * number + 55 + number * 400) }
            let given = bytes.withUnsafeBytes { all in
                SHA256Lanes.digests(of: ranges.map { UnsafeRawBufferPointer(rebasing: all[$0]) }, form: form)
            }
            #expect(given == ranges.map { sha256(Array(bytes[$0])) }, "\(shift)")
        }
    }

    @Test(arguments: SHA256Lanes.Form.allCases)
    func `a long message hashed by pieces beside others has the plain digest`(form: SHA256Lanes.Form) {
        var generator = SplitMix64(seed: 82)
        for _ in 0..<40 {
            let long = (0..<2).map { _ in generator.bytes(Int.random(in: 0...20_000, using: &generator)) }
            let chains = [SHA256Chain(), SHA256Chain()]
            while true {
                var pieces: [SHA256Piece] = []
                let messages = (0..<Int.random(in: 0...9, using: &generator)).map { _ in generator.bytes(500) }
                let given = lend(long) { long -> [Digest] in
                    for (bytes, chain) in zip(long, chains) {
                        let blocks = min((bytes.count - chain.count) / 64, Int.random(in: 0...90, using: &generator))
                        let piece = UnsafeRawBufferPointer(rebasing: bytes[chain.count..<chain.count + 64 * blocks])
                        pieces.append(SHA256Piece(piece, of: chain))
                    }
                    return lend(messages) { SHA256Lanes.digests(of: $0, beside: pieces, form: form) }
                }
                #expect(given == messages.map { sha256($0) })
                if zip(long, chains).allSatisfy({ $0.count - $1.count < 64 }) { break }
            }
            for (bytes, chain) in zip(long, chains) {
                #expect(bytes[chain.count...].withUnsafeBytes { chain.finish($0) } == sha256(bytes))
            }
        }
    }

    @Test func `a piece that ends inside a block is a bug`() async {
        await #expect(processExitsWith: .failure) {
            [UInt8](repeating: 0, count: 65).withUnsafeBytes { bytes in
                _ = SHA256Piece(bytes, of: SHA256Chain())
            }
        }
    }
}
