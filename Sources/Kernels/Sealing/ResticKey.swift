package import Bytes
import CKernels
import Outcome

/// The three keys of restic's message format, held as one secret that never prints and is wiped when released.
///
/// Layout of the secret, which is also the layout of scrypt's output (spec 2.2):
/// ```
/// 0        32       48       64
/// encrypt  | k      | r      |      AES-256-CTR, AES-128 of the MAC's nonce, Poly1305 r (unclamped)
/// ```
package struct ResticKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    package static let encryptBytes = 32
    package static let kBytes = 16
    package static let rBytes = 16
    /// All three together.
    package static let byteCount = 64

    private let secret: Secret

    /// The parts as stored in a key file; nil when a size is wrong or a part is all zero, which restic calls invalid.
    package init?(encrypt: [UInt8], k: [UInt8], r: [UInt8]) {
        guard encrypt.count == Self.encryptBytes, k.count == Self.kBytes, r.count == Self.rBytes else { return nil }
        self.init(concatenated: encrypt + k + r)
    }

    /// The 64 bytes that scrypt derives; nil when the size is wrong or a part is all zero.
    package init?(concatenated bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        for part in [bytes[0..<32], bytes[32..<48], bytes[48..<64]] where part.allSatisfy({ $0 == 0 }) { return nil }
        secret = Secret(bytes)
    }

    /// A fresh key.
    package static func random(_ entropy: any EntropySource) -> ResticKey {
        while true {
            var bytes = entropy.bytes(byteCount)
            defer { wipe(&bytes) }
            if let key = ResticKey(concatenated: bytes) { return key }
        }
    }

    /// Lends the three parts, for writing a key file; the caller keeps no copy beyond the call.
    package func withParts<R, E: Error>(
        _ body: (_ encrypt: UnsafeRawBufferPointer, _ k: UnsafeRawBufferPointer, _ r: UnsafeRawBufferPointer) throws(E)
            -> R
    ) throws(E) -> R {
        try secret.withBytes { bytes throws(E) in
            try body(
                UnsafeRawBufferPointer(rebasing: bytes[0..<32]),
                UnsafeRawBufferPointer(rebasing: bytes[32..<48]),
                UnsafeRawBufferPointer(rebasing: bytes[48..<64])
            )
        }
    }

    /// Compares in a time that does not depend on where two keys differ.
    package static func == (left: ResticKey, right: ResticKey) -> Bool {
        left.secret.withBytes { left in
            right.secret.withBytes { right in
                var difference: UInt8 = 0
                for index in 0..<byteCount { difference |= left[index] ^ right[index] }
                return difference == 0
            }
        }
    }

    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
}

extension ResticKey: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Overwrites bytes that held a secret.
package func wipe(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { buffer in
        guard let start = buffer.baseAddress else { return }
        hf_wipe(start, buffer.count)
    }
}
