package import Bytes
import Compression
import Outcome
import ResticFormat
import Sealing

/// One task's tools for blobs: cipher, compressor, hash and scratch memory, all reused from blob to blob.
///
/// Isolation: belongs to one task at a time; it is not `Sendable`. Cost: the scratch grows to the largest blob met.
package final class BlobWorker {
    let cipher: ResticCipher
    let compressor: Compressor
    let decompressor: Decompressor
    let hash: SHA256Context
    private let entropy: any EntropySource
    private var initializationVectors: [UInt8] = []
    private var initializationVectorsUsed = 0
    var sealed = Scratch()
    var opened = Scratch()
    var plain = Scratch()
    /// The blob that was opened last and alone.
    private var last: (id: BlobID, frame: UnsafeRawBufferPointer?)?

    init(key: ResticKey, mode: CompressionMode, entropy: any EntropySource) {
        cipher = ResticCipher(key: key)
        compressor = Compressor(mode: mode)
        decompressor = Decompressor()
        hash = SHA256Context()
        self.entropy = entropy
    }

    /// SHA-256 of the bytes.
    package func digest(_ bytes: UnsafeRawBufferPointer) -> Digest {
        hash.update(bytes)
        return hash.finish()
    }

    /// SHA-256 of each message, together where that is faster.
    func digests(of messages: [UnsafeRawBufferPointer]) -> [Digest] {
        messages.count == 1 ? [digest(messages[0])] : SHA256Lanes.digests(of: messages)
    }

    /// A fresh random initialisation vector, never zero; drawn from the system 256 at a time.
    func nextInitializationVector() -> (UInt64, UInt64) {
        while true {
            if initializationVectorsUsed == initializationVectors.count {
                initializationVectors = entropy.bytes(4096)
                initializationVectorsUsed = 0
            }
            let start = initializationVectorsUsed
            initializationVectorsUsed += 16
            let pair = initializationVectors.withUnsafeBytes { bytes in
                (
                    bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self)
                )
            }
            if pair.0 | pair.1 != 0 { return pair }
        }
    }

    /// Opens, unpacks and checks one sealed blob (L3); the plaintext is lent to `body` and lies in this worker's scratch.
    ///
    /// Throws `BlobDamage` when the bytes are not what the index and the name promise.
    package func open<R>(
        _ sealedBytes: UnsafeRawBufferPointer,
        as location: BlobLocation,
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        last = nil
        let part = try openAll([SealedPart(bytes: sealedBytes, location: location)], keepingFrames: true)[0].get()
        last = (location.id, part.frame)
        return try body(part.plaintext)
    }

    /// The zstd frame of the blob, when it is the one that was opened last and it was compressed; valid until the next use.
    func frame(of id: BlobID) -> UnsafeRawBufferPointer? {
        guard let last, last.id == id else { return nil }
        return last.frame
    }
}

/// Why a sealed blob was not accepted.
package enum BlobDamage: String, Error {
    case wrongLength = "is shorter or longer than the index says"
    case notAuthentic = "does not authenticate (its bytes were changed)"
    case notDecompressible = "does not decompress to the size the index says"
    case tooLarge = "claims a size above the limit"
    case wrongDigest = "has other content than its name says"
}

/// Memory that grows and is reused; its contents are undefined after it was reserved.
///
/// What a rare large blob needed goes back with the next small one.
struct Scratch: ~Copyable {
    /// Blobs that are sealed together, and what growing adds.
    private static let keptBytes = Limits.sealBatchBytes + Limits.sealBatchBytes / 4
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0

    deinit { base?.deallocate() }

    mutating func reserve(_ count: Int) {
        let isTooLarge = capacity > Self.keptBytes && count <= Self.keptBytes / 2
        guard count > capacity || isTooLarge else { return }
        base?.deallocate()
        capacity = max(count + count / 8, 64 << 10)
        base = .allocate(byteCount: capacity, alignment: 64)
    }

    func slice(_ count: Int) -> UnsafeMutableRawBufferPointer { slice(0..<count) }

    func slice(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
        return UnsafeMutableRawBufferPointer(start: base.map { $0 + range.lowerBound }, count: range.count)
    }
}
