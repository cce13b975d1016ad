import Bytes
import Compression
import Testing

@Suite struct SelfTestTests {
    @Test func `R-10 the compressor of this build gives the known answer`() throws {
        try CompressionSelfTest().run()
    }

    @Test func `R-10 a decompressor that changes a byte is noticed`() {
        var test = CompressionSelfTest()
        let decompress = test.decompress
        test.decompress = { frame, limit in
            var bytes = decompress(frame, limit)
            bytes?[0] ^= 1
            return bytes
        }
        #expect(throws: SelfTestFailure.self) { try test.run() }
    }
}
