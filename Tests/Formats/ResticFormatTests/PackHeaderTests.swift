import Bytes
import ResticFormat
import Testing

@Suite struct PackHeaderTests {
    @Test func `an empty header is refused`() {
        #expect(throws: PackHeaderError.cutShort(offset: 0)) { try PackHeader.decode([], blobBytes: nil) }
    }
}
