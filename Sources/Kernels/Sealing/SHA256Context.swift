package import Bytes
import CKernels

/// A SHA-256 computation that is fed in pieces and used again after `finish`; for one task at a time.
package final class SHA256Context {
    private let handle: OpaquePointer

    package init() { handle = hf_sha256_new() }

    deinit { hf_sha256_free(handle) }

    /// Adds `bytes`.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        hf_sha256_update(handle, bytes.baseAddress, bytes.count)
    }

    /// The digest of everything added since the last `finish`; starts anew.
    package func finish() -> Digest {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { buffer in
            guard let start = buffer.baseAddress else { return }
            hf_sha256_finish(handle, start.assumingMemoryBound(to: UInt8.self))
        }
        return Digest(a: words.0.bigEndian, b: words.1.bigEndian, c: words.2.bigEndian, d: words.3.bigEndian)
    }

    /// The digest of `bytes` alone; nothing may have been added before.
    package func digest(of bytes: UnsafeRawBufferPointer) -> Digest {
        update(bytes)
        return finish()
    }

    /// The digest of a blob's plaintext: as `digest(of:)`, with the all-zero chunk of the minimum size known by heart, because
    /// disk images are full of it.
    package func blobDigest(of bytes: UnsafeRawBufferPointer) -> Digest {
        if bytes.count == Self.zeroChunkBytes, isAllZero(bytes) { return Self.zeroChunkDigest }
        return digest(of: bytes)
    }

    /// The digest of `bytes` with a context of its own.
    package static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        SHA256Context().digest(of: bytes)
    }

    private static let zeroChunkBytes = 512 << 10
    /// SHA-256 of 512 KiB of zeros, computed once.
    private static let zeroChunkDigest = sha256([UInt8](repeating: 0, count: zeroChunkBytes))
}

/// The SHA-256 of `bytes`.
package func sha256(_ bytes: UnsafeRawBufferPointer) -> Digest { SHA256Context.hash(bytes) }

/// The SHA-256 of `bytes`.
package func sha256(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { SHA256Context.hash($0) } }

/// The SHA-256 of the UTF-8 form of `text`.
package func sha256(_ text: String) -> Digest { sha256([UInt8](text.utf8)) }
