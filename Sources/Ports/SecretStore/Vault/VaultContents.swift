import Bytes
package import Outcome
import Sealing
package import Strategy

/// An item of the vault whose name could be opened.
package struct VaultItem: Sendable {
    package var id: String
    package var name: String
    /// 1 login, 2 note, 5 SSH key; others exist and have fields too.
    var kind: Int
    /// Opens every text of the item.
    var key: VaultKey
    /// As the server sent it.
    var raw: JSONObject
}

/// What an account may read of its vault, names opened and all else sealed.
///
/// An item that does not open is left out and counted; it is an error only when it is the one that was asked for.
package struct VaultContents: Sendable {
    package private(set) var items: [VaultItem] = []
    /// Ids of items that did not open, with the reason.
    package private(set) var damaged: [String: VaultText.Problem] = [:]

    /// Nil when the document is no answer to a sync.
    package init?(_ document: JSONValue, userKey: VaultKey) {
        guard let profile = document["profile"], let ciphers = document["ciphers"]?.array else { return nil }
        let organizations = VaultContents.organizationKeys(profile, userKey)
        for cipher in ciphers {
            guard let raw = cipher.object, let id = raw["id"]?.text?.lowercased(), let kind = raw["type"]?.integer,
                raw["deletedDate"]?.isNull ?? true
            else { continue }
            do throws(VaultText.Problem) {
                let base = try VaultContents.baseKey(raw, userKey, organizations)
                let key = if let own = raw["key"]?.text { try base.openKey(own) } else { base }
                let name = try key.open(raw["name"]?.text ?? "").withBytes { String(decoding: $0, as: UTF8.self) }
                items.append(VaultItem(id: id, name: name, kind: kind, key: key, raw: raw))
            } catch {
                damaged[id] = error
            }
        }
    }

    private static func baseKey(
        _ raw: JSONObject,
        _ userKey: VaultKey,
        _ organizations: [String: VaultKey]
    ) throws(VaultText.Problem) -> VaultKey {
        guard let organization = raw["organizationId"]?.text else { return userKey }
        guard let key = organizations[organization.lowercased()] else { throw .wrongSort }
        return key
    }

    /// Keys of the organizations that confirmed the account; one that does not open leaves its items damaged.
    private static func organizationKeys(_ profile: JSONValue, _ userKey: VaultKey) -> [String: VaultKey] {
        guard let sealed = profile["privateKey"]?.text, let der = try? userKey.open(sealed),
            let privateKey = RSAPrivateKey(pkcs8: der)
        else { return [:] }
        var keys: [String: VaultKey] = [:]
        for organization in profile["organizations"]?.array ?? [] {
            guard let id = organization["id"]?.text, organization["enabled"]?.flag ?? true,
                organization["status"]?.integer == 2, let text = organization["key"]?.text,
                case .asymmetric(let data, let padding)? = try? VaultText(text),
                let key = privateKey.open(data, padding).flatMap({ VaultKey($0) })
            else { continue }
            keys[id.lowercased()] = key
        }
        return keys
    }

    // MARK: finding

    /// The one item that a reference means.
    func item(_ place: SecretReference.VaultField, for reference: SecretReference) throws -> VaultItem {
        switch place.item {
        case .id(let id):
            if let item = items.first(where: { $0.id == id }) { return item }
            if let problem = damaged[id] {
                throw SecretFailure(.vaultItem, reference, "the item \(problem)", next: problem.remedy)
            }
            throw SecretFailure(.vaultItem, reference, "the vault has no item of that id", next: existing)
        case .named(let name):
            let found = items.filter { $0.name == name }
            guard found.count <= 1 else {
                throw SecretFailure(
                    .vaultItem,
                    reference,
                    "\(found.count) items have that name: \(found.map(\.id).sorted().prefix(8).joined(separator: ", "))",
                    next: "name the one that is meant by its id: \"vault:id/UUID\""
                )
            }
            if let item = found.first { return item }
            let hidden = damaged.isEmpty ? "" : "; \(damaged.count) did not open, and one of those may have it"
            throw SecretFailure(.vaultItem, reference, "the vault has no item of that name\(hidden)", next: existing)
        }
    }

    private var existing: String { "compare it with the vault; the account sees \(items.count) items, trash left out" }

    /// The secret that a reference means.
    package func secret(_ place: SecretReference.VaultField, for reference: SecretReference) throws -> Secret {
        let item = try item(place, for: reference)
        guard let text = try sealedText(of: place.field, in: item, for: reference) else {
            let field = place.field.map { "field \"\(ByteString($0).display)\"" } ?? "password"
            throw SecretFailure(.vaultItem, reference, "the item has no \(field)", next: "name a field that it has")
        }
        let secret: Secret
        do throws(VaultText.Problem) {
            secret = try item.key.open(text)
        } catch {
            throw SecretFailure(.vaultItem, reference, "the field \(error)", next: error.remedy)
        }
        guard !secret.isEmpty, secret.count <= SecretLimits.secretBytes else {
            let what = secret.isEmpty ? "the field is empty" : "the field is too long for a secret"
            throw SecretFailure(.vaultItem, reference, what, next: "name the field that holds the secret")
        }
        return secret
    }

    /// The field's sealed text; nil when the item has none of that name.
    private func sealedText(
        of field: String?,
        in item: VaultItem,
        for reference: SecretReference
    ) throws -> String? {
        let raw = item.raw
        let isHidden = raw["viewPassword"]?.flag == false
        let login = raw["login"]
        let known: (text: String?, isHidden: Bool)
        switch (field, item.kind) {
        case (nil, 2): known = (raw["notes"]?.text, false)
        case (nil, 5), ("private-key", 5): known = (raw["sshKey"]?["privateKey"]?.text, isHidden)
        case (nil, _), ("password", _): known = (login?["password"]?.text, isHidden)
        case ("username", _): known = (login?["username"]?.text, false)
        case ("notes", _): known = (raw["notes"]?.text, false)
        case ("uri", _): known = (login?["uris"]?.array?.first?["uri"]?.text ?? login?["uri"]?.text, false)
        default: known = (nil, false)
        }
        if known.isHidden, known.text != nil { throw hidden(reference) }
        if let text = known.text { return text }
        guard let field else { return nil }
        return try customField(field, in: item, isHidden, reference)
    }

    private func customField(
        _ name: String,
        in item: VaultItem,
        _ isHidden: Bool,
        _ reference: SecretReference
    ) throws -> String? {
        let found = (item.raw["fields"]?.array ?? []).filter { field in
            guard let text = field["name"]?.text, let opened = try? item.key.open(text) else { return false }
            return opened.withBytes { String(decoding: $0, as: UTF8.self) } == name
        }
        guard found.count <= 1 else {
            throw SecretFailure(
                .vaultItem,
                reference,
                "the item has \(found.count) fields of that name",
                next: "give each a name of its own"
            )
        }
        // Kind 1 is hidden from those who may not see passwords.
        if isHidden, found.first?["type"]?.integer == 1 { throw hidden(reference) }
        return found.first?["value"]?.text
    }

    private func hidden(_ reference: SecretReference) -> SecretFailure {
        SecretFailure(
            .vaultItem,
            reference,
            "the collection hides its passwords from this account",
            next: "let the account see passwords in that collection"
        )
    }
}
