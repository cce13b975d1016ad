import Bytes
import Sealing
import Testing

@Suite struct HashTests {
    @Test func `known digests of FIPS 180-4`() {
        #expect(sha256("").hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(sha256("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let million = sha256([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
        #expect(million.hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `pieces give the digest of the whole, and a context starts anew`() {
        let context = SHA256Context()
        var generator = SplitMix64(seed: 1)
        for _ in 0..<50 {
            let bytes = generator.bytes(Int.random(in: 0...500, using: &generator))
            let split = Int.random(in: 0...bytes.count, using: &generator)
            bytes[..<split].withUnsafeBytes { context.update($0) }
            bytes[split...].withUnsafeBytes { context.update($0) }
            #expect(context.finish() == sha256(bytes))
        }
    }

    @Test(arguments: [0, 1, 524_287, 524_288, 524_289])
    func `the shortcut for zeros gives the true digest`(count: Int) {
        let context = SHA256Context()
        var bytes = [UInt8](repeating: 0, count: count)
        #expect(bytes.withUnsafeBytes { context.blobDigest(of: $0) } == sha256(bytes))
        guard count > 0 else { return }
        bytes[count - 1] = 1
        #expect(bytes.withUnsafeBytes { context.blobDigest(of: $0) } == sha256(bytes))
    }
}
