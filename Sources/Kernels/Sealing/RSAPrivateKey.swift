import CKernels
package import Outcome

/// A private RSA key that opens messages of OAEP: how a vault hands the key of an organization to its members.
///
/// For one task at a time. Wiped when released.
package final class RSAPrivateKey {
    /// Digest of the padding and of its mask.
    package enum OAEP: Sendable, Hashable {
        /// As vaults use it; collisions of SHA-1 do not touch OAEP.
        case sha1
        case sha256
    }

    private let handle: OpaquePointer

    /// From PKCS#8 DER; nil when it is no RSA key of 2048 to 4096 bits.
    package init?(pkcs8 der: Secret) {
        let handle = der.withBytes { der in
            der.baseAddress.flatMap { hf_rsa_new($0.assumingMemoryBound(to: UInt8.self), der.count) }
        }
        guard let handle else { return nil }
        self.handle = handle
    }

    deinit { hf_rsa_free(handle) }

    /// The message; nil when it was not made for this key.
    package func open(_ sealed: [UInt8], _ padding: OAEP) -> Secret? {
        // A modulus of 4096 bits.
        var plaintext = [UInt8](repeating: 0, count: 512)
        defer { wipe(&plaintext) }
        var count = plaintext.count
        guard hf_rsa_oaep_open(handle, padding == .sha256, sealed, sealed.count, &plaintext, &count) else { return nil }
        return Secret(plaintext.prefix(count))
    }
}
