package import Bytes
import Chunking
import Compression
import Sealing

/// Proves that this build computes what it must, in well under ten milliseconds.
///
/// Errors: the first kernel that does not. Then nothing may be read or written with it.
package func testKernels() throws(SelfTestFailure) {
    try SealingSelfTest().run()
    try ChunkingSelfTest().run()
    try CompressionSelfTest().run()
}
