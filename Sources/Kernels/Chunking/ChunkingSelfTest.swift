package import Bytes

/// A known answer of the chunker, checked at start.
package struct ChunkingSelfTest {
    /// The search under test, so that a test can put a broken one in its place.
    package var lengths: (RabinChunker, [UInt8]) -> [Int] = { chunker, bytes in
        bytes.withUnsafeBytes { chunker.lengths(of: $0) }
    }

    package init() {}

    /// Runs in well under a millisecond.
    package func run() throws(SelfTestFailure) {
        guard let polynomial = Polynomial(bits: 0x3D_A335_8B4D_C173) else {
            throw SelfTestFailure(kernel: "Rabin", what: "the polynomial does not parse")
        }
        let chunker = RabinChunker(polynomial: polynomial, splitBits: 9, minimumBytes: 64, maximumBytes: 4096)
        var generator = SplitMix64(seed: 10)
        let given = lengths(chunker, generator.bytes(8192))
        guard given == Self.expected else {
            throw SelfTestFailure(kernel: "Rabin", what: "cut \(given), expected \(Self.expected)")
        }
    }

    /// From the definition evaluated with big integers in Python.
    private static let expected = [
        1059, 168, 118, 73, 401, 598, 180, 673, 722, 662, 497, 890, 450, 293, 162, 161, 816, 269,
    ]
}
