import Bytes
import Chunking
import GoldenVectors
import Sealing
import Testing

@Suite struct ResticChunkTests {
    @Test(arguments: ["restic-chunks-1.txt", "restic-chunks-2.txt"])
    func `a stream is cut where restic cut it`(name: String) throws {
        let vector = try GoldenVector(name)
        let polynomial = try #require(Polynomial(hex: vector("polynomial")))
        #expect(polynomial.isIrreducible)
        let stream = try stream(key: vector("stream-key"), iv: vector("stream-iv"))
        var given: [String] = []
        stream.withUnsafeBytes { stream in
            var start = 0
            for length in RabinChunker(polynomial: polynomial).lengths(of: stream) {
                let chunk = UnsafeRawBufferPointer(rebasing: stream[start..<start + length])
                given.append("\(length) \(SHA256Context.hash(chunk).hex)")
                start += length
            }
        }
        #expect(given == vector.all("chunk"))
        let lengths = given.compactMap { Int($0.prefix { $0 != " " }) }
        #expect(lengths.contains(RabinChunker.minimum) && lengths.contains(RabinChunker.maximum))
    }

    /// The stream that `scripts/vectors` backs up.
    private func stream(key: String, iv: String) throws -> [UInt8] {
        let mib = 1 << 20
        let random = try keyStream(key: key, iv: iv, count: 27 * mib)
        return random[..<(24 * mib)] + [UInt8](repeating: 0, count: 2 * mib + 12345)
            + [UInt8](repeating: UInt8(ascii: "a"), count: 20 * mib) + random[(24 * mib)...]
    }

    private func keyStream(key: String, iv: String, count: Int) throws -> [UInt8] {
        let encrypt = try #require(Hex.decode(key))
        let words = try #require(Hex.decode(iv)).withUnsafeBytes { ($0.bigUInt64(at: 0), $0.bigUInt64(at: 8)) }
        let ones = [UInt8](repeating: 1, count: 16)
        let cipher = try ResticCipher(key: #require(ResticKey(encrypt: encrypt, k: ones, r: ones)))
        var sealed = [UInt8](repeating: 0, count: count + ResticCipher.overhead)
        sealed.withUnsafeMutableBytes { sealed in
            cipher.seal(UnsafeRawBufferPointer(rebasing: sealed[16..<16 + count]), iv: words, into: sealed)
        }
        return Array(sealed[16..<16 + count])
    }
}
