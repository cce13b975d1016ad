import Bytes
import Chunking
import Testing

@Suite struct SelfTestTests {
    @Test func `R-10 the chunker of this build gives the known answer`() throws {
        try ChunkingSelfTest().run()
    }

    @Test func `R-10 a chunker that cuts elsewhere is noticed`() {
        var test = ChunkingSelfTest()
        let lengths = test.lengths
        test.lengths = { chunker, bytes in lengths(chunker, bytes.reversed()) }
        #expect(throws: SelfTestFailure.self) { try test.run() }
    }
}
