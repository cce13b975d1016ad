import Bytes
import HostSystem
import Outcome
import Sealing
package import Strategy

/// An account of a Bitwarden-compatible vault, and where what opens it is found: never in the vault itself.
package struct VaultAccount: Sendable, Hashable {
    /// What logs in without a second factor; the master password is needed all the same, to decrypt.
    package struct APIKey: Sendable, Hashable {
        /// `user.UUID`.
        package var id: SecretReference
        package var secret: SecretReference

        package init(id: SecretReference, secret: SecretReference) {
            self.id = id
            self.secret = secret
        }
    }

    /// `https://vault.example`, with a path where the server has one.
    package var address: String
    package var email: String
    /// Nil: a person types it, when one is there.
    package var password: SecretReference?
    package var apiKey: APIKey?
    /// A file of certificates in PEM that are trusted beside no others; nil: those of the system.
    package var certificates: String?

    /// Checks what can be checked without the network.
    ///
    /// **Errors**: `E-SECRET` for an address that is not HTTPS, unless it is this machine's, and for references into the vault.
    package init(
        address: String,
        email: String,
        password: SecretReference?,
        apiKey: APIKey? = nil,
        certificates: String? = nil
    ) throws {
        var address = address
        while address.hasSuffix("/") { address.removeLast() }
        self.address = address
        self.email = email
        self.password = password
        self.apiKey = apiKey
        self.certificates = certificates
        try checkAddress()
        for reference in [password, apiKey?.id, apiKey?.secret] {
            guard case .vault? = reference else { continue }
            throw failure("is opened by \(reference?.text ?? ""), which lies in itself", next: "name another place")
        }
    }

    private func checkAddress() throws {
        let isPlain = address.hasPrefix("http://")
        let rest = address.dropFirst(isPlain ? 7 : 8)
        let host = rest.prefix { $0 != "/" }
        guard isPlain || address.hasPrefix("https://"), !host.isEmpty,
            address.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !address.contains(where: { "?#\\".contains($0) })
        else { throw failure("has no address that starts with https://", next: "write such as https://vault.example") }
        guard !host.contains("@") else {
            throw failure("has a user in its address", next: "write the address alone")
        }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        guard !isPlain || ["127.0.0.1", "localhost", "[::1]"].contains(String(name)) else {
            throw failure("would be asked without encryption", next: "write https:// in its address")
        }
    }

    /// For messages: where the master password comes from.
    var passwordObject: String { password?.text ?? "master password of \(email)" }

    /// For messages: the address without a user, should one stand in it.
    var object: String { "vault \(address.split(separator: "@").last.map(String.init) ?? "")" }

    private func failure(_ what: String, next: String) -> SecretFailure {
        SecretFailure(
            .unreadable,
            retry: .afterRepair,
            operation: "open",
            object: object,
            what: what,
            state: "nothing was asked",
            next: next
        )
    }

    /// A name for this machine that stays, so that the vault does not see a new device each night.
    var deviceID: String {
        let seed = "holdfast vault device\n\(address)\n\(email)\n\(hostName().display)"
        let hex = Array(sha256(seed).hex.prefix(32))
        let cuts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return cuts.map { String(hex[$0]) }.joined(separator: "-")
    }
}
