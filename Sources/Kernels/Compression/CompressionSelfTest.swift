package import Bytes

/// A known frame and a round trip, checked at start.
package struct CompressionSelfTest {
    /// The functions under test, so that a test can put broken ones in their place.
    package var compress: ([UInt8]) -> [UInt8]? = { try? Compressor(mode: .fastest).compress($0) }
    package var decompress: ([UInt8], Int) -> [UInt8]? = { try? Decompressor().decompress($0, limit: $1) }

    package init() {}

    /// Runs in well under a millisecond.
    package func run() throws(SelfTestFailure) {
        let text = [UInt8]("holdfast holdfast holdfast holdfast holdfast".utf8)
        guard let frame = Hex.decode(Self.frame), decompress(frame, text.count) == text else {
            throw SelfTestFailure(kernel: "zstd", what: "a known frame decodes to other bytes")
        }
        var generator = SplitMix64(seed: 3)
        let sample = generator.bytes(300) + text + text
        guard let packed = compress(sample), packed.count < sample.count + 32,
            decompress(packed, sample.count) == sample
        else {
            throw SelfTestFailure(kernel: "zstd", what: "a round trip gives other bytes")
        }
        guard decompress(packed, sample.count - 1) == nil else {
            throw SelfTestFailure(kernel: "zstd", what: "decodes beyond the limit")
        }
    }

    /// From `zstd --no-check` 1.5.4.
    private static let frame = "28b52ffd202c7d000048686f6c6466617374200100489623"
}
