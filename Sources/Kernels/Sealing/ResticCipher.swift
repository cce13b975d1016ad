package import Bytes
import CKernels

/// Why sealed bytes were not opened.
package enum SealError: Error, Hashable {
    /// Fewer than 32 bytes.
    case tooShort
    /// An all-zero IV, which no writer uses.
    case zeroIV
    /// The bytes were changed, cut, or sealed under another key.
    case wrongMAC
}

/// Seals and opens messages with AES-256-CTR and Poly1305-AES (spec 2.1); one for each worker, used by one task at a time.
///
/// ```
/// 0          16                 16 + n          32 + n
/// IV         | ciphertext       | MAC           |        the MAC covers the ciphertext alone
/// ```
/// Invariants: 1. the MAC is checked before a byte is decrypted (L3). 2. An all-zero IV is neither written nor accepted.
package final class ResticCipher {
    /// Bytes that sealing adds.
    package static let overhead = 32
    /// Where the ciphertext starts in sealed bytes: behind the IV.
    package static let contentOffset = 16

    private let handle: OpaquePointer

    package init(key: ResticKey) {
        handle = key.withParts { encrypt, k, r in
            hf_cipher_new(encrypt.bytePointer, k.bytePointer, r.bytePointer)
        }
    }

    deinit { hf_cipher_free(handle) }

    /// Seals `plaintext` into exactly `plaintext.count + 32` bytes of `out`; traps on an all-zero IV or another size.
    ///
    /// `iv` is the IV's first and last eight bytes as big-endian numbers and is never used twice under one key. `out` may hold the
    /// plaintext at offset 16 (sealing in place); any other overlap is a bug.
    package func seal(
        _ plaintext: UnsafeRawBufferPointer,
        iv: (UInt64, UInt64),
        into out: UnsafeMutableRawBufferPointer
    ) {
        precondition(iv.0 | iv.1 != 0, "an all-zero IV")
        precondition(out.count == plaintext.count + Self.overhead, "the room for the sealed bytes has the wrong size")
        withUnsafeBytes(of: (iv.0.bigEndian, iv.1.bigEndian)) { iv in
            hf_cipher_seal(
                handle,
                iv.bytePointer,
                plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self),
                plaintext.count,
                out.bytePointer
            )
        }
    }

    /// Checks the MAC in constant time, then decrypts into exactly `sealed.count - 32` bytes of `out`; traps on another size.
    ///
    /// On failure nothing is written. `out` may be the ciphertext's own place (`sealed` from offset 16).
    package func open(_ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) throws(SealError) {
        guard sealed.count >= Self.overhead else { throw .tooShort }
        precondition(out.count == sealed.count - Self.overhead, "the room for the opened bytes has the wrong size")
        guard sealed.bigUInt64(at: 0) | sealed.bigUInt64(at: 8) != 0 else { throw .zeroIV }
        let opened = hf_cipher_open(
            handle,
            sealed.bytePointer,
            sealed.count,
            out.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        guard opened else { throw .wrongMAC }
    }

    /// Whether the MAC is right, without opening; constant time.
    package func isAuthentic(_ sealed: UnsafeRawBufferPointer) -> Bool {
        guard sealed.count >= Self.overhead, sealed.bigUInt64(at: 0) | sealed.bigUInt64(at: 8) != 0 else {
            return false
        }
        return hf_cipher_is_authentic(handle, sealed.bytePointer, sealed.count)
    }

    /// Seals under a fresh random IV.
    package func seal(_ plaintext: [UInt8], entropy: any EntropySource) -> [UInt8] {
        let iv = Self.randomIV(entropy)
        return [UInt8](unsafeUninitializedCapacity: plaintext.count + Self.overhead) { buffer, count in
            let size = plaintext.count + Self.overhead
            plaintext.withUnsafeBytes { plaintext in
                seal(
                    plaintext,
                    iv: iv,
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
                )
            }
            count = size
        }
    }

    /// Opens into a new array.
    package func open(_ sealed: [UInt8]) throws(SealError) -> [UInt8] {
        var result: Result<[UInt8], SealError> = .success([])
        sealed.withUnsafeBytes { sealed in
            do throws(SealError) { result = .success(try open(sealed)) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// Opens lent bytes into a new array.
    package func open(_ sealed: UnsafeRawBufferPointer) throws(SealError) -> [UInt8] {
        guard sealed.count >= Self.overhead else { throw .tooShort }
        let size = sealed.count - Self.overhead
        var failure: SealError?
        let plaintext = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
            do throws(SealError) {
                try open(sealed, into: room)
                count = size
            } catch { failure = error }
        }
        if let failure { throw failure }
        return plaintext
    }

    /// An IV for one message.
    package static func randomIV(_ entropy: any EntropySource) -> (UInt64, UInt64) {
        while true {
            let iv = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { buffer in
                entropy.fill(buffer)
                let bytes = UnsafeRawBufferPointer(buffer)
                return (bytes.bigUInt64(at: 0), bytes.bigUInt64(at: 8))
            }
            if iv.0 | iv.1 != 0 { return iv }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The start as bytes; traps for a buffer without memory.
    fileprivate var bytePointer: UnsafePointer<UInt8> {
        guard let baseAddress else { preconditionFailure("a buffer without memory") }
        return baseAddress.assumingMemoryBound(to: UInt8.self)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The start as bytes; traps for a buffer without memory.
    fileprivate var bytePointer: UnsafeMutablePointer<UInt8> {
        guard let baseAddress else { preconditionFailure("a buffer without memory") }
        return baseAddress.assumingMemoryBound(to: UInt8.self)
    }
}
