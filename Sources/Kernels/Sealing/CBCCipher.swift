package import Bytes
import CKernels
package import Outcome

/// Why a message of AES-CBC with HMAC was not opened.
package enum CBCError: Error, Hashable {
    /// The IV, the ciphertext or the MAC has an impossible length.
    case wrongLength
    /// The bytes were changed, or made under another key; nothing was decrypted.
    case wrongMAC
    /// The MAC is right and the padding is not: whoever made the message had the key and made it wrong.
    case wrongPadding
}

/// AES-256-CBC with PKCS#7 under HMAC-SHA-256 over IV and ciphertext: how Bitwarden-compatible vaults keep their texts.
///
/// Layout of the key:
/// ```
/// 0        32       64
/// encrypt  | mac    |
/// ```
/// Invariant: the MAC is compared in constant time before a byte is decrypted (L3).
package struct CBCCipher: Sendable {
    package static let keyBytes = 64
    private let key: Secret

    /// Nil when the key does not have 64 bytes.
    package init?(key: Secret) {
        guard key.count == Self.keyBytes else { return nil }
        self.key = key
    }

    /// A message in its three parts.
    package struct Message: Sendable, Hashable {
        package var iv: [UInt8]
        package var ciphertext: [UInt8]
        package var mac: [UInt8]

        package init(iv: [UInt8], ciphertext: [UInt8], mac: [UInt8]) {
            self.iv = iv
            self.ciphertext = ciphertext
            self.mac = mac
        }
    }

    /// Seals under a fresh IV.
    package func seal(_ plaintext: Secret, entropy: any EntropySource) -> Message {
        let iv = entropy.bytes(16)
        let ciphertext = plaintext.withBytes { plaintext in
            key.withBytes { key in
                [UInt8](unsafeUninitializedCapacity: plaintext.count + 16) { buffer, count in
                    guard let key = key.bytes, let out = buffer.baseAddress else { return }
                    count = hf_cbc_seal(key, iv, plaintext.bytes, plaintext.count, out)
                }
            }
        }
        return Message(iv: iv, ciphertext: ciphertext, mac: mac(iv, ciphertext))
    }

    /// Checks the MAC, then opens.
    package func open(_ message: Message) throws(CBCError) -> Secret {
        guard message.iv.count == 16, message.mac.count == 32, !message.ciphertext.isEmpty,
            message.ciphertext.count % 16 == 0, message.ciphertext.count < 1 << 30
        else { throw .wrongLength }
        guard hf_is_equal(mac(message.iv, message.ciphertext), message.mac, 32) else { throw .wrongMAC }
        var plaintext = [UInt8](repeating: 0, count: message.ciphertext.count)
        defer { wipe(&plaintext) }
        var count = 0
        let isOpened = key.withBytes { key in
            guard let key = key.bytes else { return false }
            return hf_cbc_open(key, message.iv, message.ciphertext, message.ciphertext.count, &plaintext, &count)
        }
        guard isOpened else { throw .wrongPadding }
        return Secret(plaintext.prefix(count))
    }

    private func mac(_ iv: [UInt8], _ ciphertext: [UInt8]) -> [UInt8] {
        let bytes = iv + ciphertext
        var mac = [UInt8](repeating: 0, count: 32)
        key.withBytes { key in
            guard let start = key.bytes else { return }
            hf_hmac_sha256(start + 32, 32, bytes, bytes.count, &mac)
        }
        return mac
    }
}

extension UnsafeRawBufferPointer {
    /// The start as bytes; nil for a buffer without memory.
    fileprivate var bytes: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}
