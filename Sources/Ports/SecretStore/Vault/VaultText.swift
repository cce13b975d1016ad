package import Bytes
package import Outcome
package import Sealing

/// A sealed text of a vault: its kind and its parts.
///
/// ```
/// 2.<IV>|<ciphertext>|<MAC>      AES-256-CBC under HMAC-SHA-256: everything of an item, all keys but those of organizations
/// 3.<data>  4.<data>             RSA-OAEP with SHA-256, SHA-1: keys of organizations
/// ```
/// Each part is Base64 with padding. All other kinds are refused: 0 and 1 are malleable or long gone, 5 and 6 carry a MAC that nobody checks, 7 is
/// the encryption of newer accounts.
package enum VaultText: Sendable, Hashable {
    case symmetric(CBCCipher.Message)
    case asymmetric([UInt8], RSAPrivateKey.OAEP)

    /// Why a text was not taken or opened, in words behind "it".
    package enum Problem: Error, Hashable {
        case malformed
        /// Kind 0 or 1.
        case unauthenticated
        /// Kind 7.
        case newerEncryption
        case unknownKind
        /// A key of another sort is needed.
        case wrongSort
        case wrongMAC
        case wrongPadding
    }

    package init(_ text: String) throws(Problem) {
        guard text.utf8.count <= SecretLimits.vaultTextBytes, let point = text.firstIndex(of: ".") else {
            throw .malformed
        }
        let parts = text[text.index(after: point)...].split(separator: "|", omittingEmptySubsequences: false)
        switch text[..<point] {
        case "0", "1": throw .unauthenticated
        case "2":
            guard parts.count == 3, let iv = Base64.decode(parts[0].utf8),
                let ciphertext = Base64.decode(parts[1].utf8),
                let mac = Base64.decode(parts[2].utf8)
            else { throw .malformed }
            self = .symmetric(CBCCipher.Message(iv: iv, ciphertext: ciphertext, mac: mac))
        case "3", "4":
            guard parts.count == 1, let data = Base64.decode(parts[0].utf8) else { throw .malformed }
            self = .asymmetric(data, text[..<point] == "3" ? .sha256 : .sha1)
        case "7": throw .newerEncryption
        default: throw .unknownKind
        }
    }

    /// As it goes over the wire.
    package var text: String {
        switch self {
        case .symmetric(let message):
            "2.\(Base64.encode(message.iv))|\(Base64.encode(message.ciphertext))|\(Base64.encode(message.mac))"
        case .asymmetric(let data, .sha256): "3.\(Base64.encode(data))"
        case .asymmetric(let data, .sha1): "4.\(Base64.encode(data))"
        }
    }
}

extension VaultText.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed: "is no sealed text"
        case .unauthenticated: "is sealed in an old way that anybody can change unnoticed"
        case .newerEncryption: "is sealed by newer encryption than is known here"
        case .unknownKind: "is sealed in a way that is not known here"
        case .wrongSort: "is sealed for another sort of key"
        case .wrongMAC: "was changed, or sealed under another key"
        case .wrongPadding: "was sealed wrongly by whoever had the key"
        }
    }

    /// What the operator does about it.
    var remedy: String {
        switch self {
        case .unauthenticated: "save the item again with a current client"
        case .newerEncryption: "read it with the vendor's program: \"command:bw get password ITEM\""
        case .malformed, .unknownKind, .wrongSort, .wrongMAC, .wrongPadding:
            "open the item in another client; if that fails too, restore it from the vault's backup"
        }
    }
}

/// A key of a vault: the user's, an organization's, or an item's own.
package struct VaultKey: Sendable {
    private let cipher: CBCCipher

    /// Nil when it does not have 64 bytes.
    package init?(_ secret: Secret) {
        guard let cipher = CBCCipher(key: secret) else { return nil }
        self.cipher = cipher
    }

    /// Opens a sealed text; the MAC is checked first.
    package func open(_ text: String) throws(VaultText.Problem) -> Secret {
        guard case .symmetric(let message) = try VaultText(text) else { throw .wrongSort }
        do throws(CBCError) {
            return try cipher.open(message)
        } catch {
            switch error {
            case .wrongLength: throw .malformed
            case .wrongMAC: throw .wrongMAC
            case .wrongPadding: throw .wrongPadding
            }
        }
    }

    /// Opens a sealed key.
    package func openKey(_ text: String) throws(VaultText.Problem) -> VaultKey {
        guard let key = VaultKey(try open(text)) else { throw .malformed }
        return key
    }

    /// Seals under a fresh IV.
    package func seal(_ secret: Secret, entropy: any EntropySource) -> String {
        VaultText.symmetric(cipher.seal(secret, entropy: entropy)).text
    }

    /// Seals a word that is no secret to us, but to the server.
    func seal(_ text: String, entropy: any EntropySource) -> String { seal(Secret(text.utf8), entropy: entropy) }
}
