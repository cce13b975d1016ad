package import Bytes
import HTTPTransport
package import Outcome
import Sealing
import Strategy

/// What is added to a vault: a login item of its own, which nothing else is changed for.
package struct NewVaultItem: Sendable {
    /// Its name; none of the items that the account sees may have it.
    package var name: String
    package var password: Secret
    /// What it opens, for people.
    package var notes: String
    /// Names the errand: done again under the same name, it finds what it did before and adds nothing.
    package var operation: String

    package init(name: String, password: Secret, notes: String, operation: String) {
        self.name = name
        self.password = password
        self.notes = notes
        self.operation = operation
    }

    /// `restic-offsite 2026-11-22`: the name with the day (UTC) on which it was made.
    package static func datedName(_ name: String, at moment: Timestamp) -> String {
        "\(name) \(LocalTime(utc: moment).date)"
    }
}

/// Adds to a vault, and believes nothing that it did not read back.
///
/// 1. Nothing is overwritten: a new item, or a new password in front of the old one, which the item's history keeps.
/// 2. What was written is read again from the server, opened, and compared, before the function returns.
/// 3. There is no way to tell the server that a question is the same as before. So an answer that is lost is never asked for again: the vault is read,
///    and the field `holdfast-operation` tells whether the item is there.
struct VaultWriting {
    static let operationField = "holdfast-operation"

    let session: VaultSession
    let time: any TimeSource
    let entropy: any EntropySource

    /// Adds the item and returns the reference to its password, by id.
    func add(_ new: NewVaultItem) async throws -> SecretReference.VaultField {
        let reference = SecretReference.vault(SecretReference.VaultField(.named(new.name)))
        let before = try await session.sync()
        if let done = made(by: new.operation, in: before) { return try proven(done.id, new.password, in: before) }
        guard !before.items.contains(where: { $0.name == new.name }) else {
            throw SecretFailure(
                .vaultItem,
                reference,
                "an item of that name is there already",
                next: "choose another name"
            )
        }
        let body = try document(of: new, reference)
        let request = VaultRequest(
            method: .post,
            path: "/api/ciphers",
            body: ("application/json", body.bytes),
            operation: "add an item to"
        )
        let lost = try await write(request)
        let after = try await readBack(lost, "the item may be there; the old secret is still the one that counts")
        guard let item = made(by: new.operation, in: after) else {
            throw lost
                ?? SecretFailure(
                    .vaultAnswer,
                    reference,
                    "the vault took the item and does not have it",
                    next: "look for it in the vault; the old secret is still the one that counts"
                )
        }
        return try proven(item.id, new.password, in: after)
    }

    /// Puts a new password in front of the old one of a login; the item's history keeps the old one.
    func replacePassword(of place: SecretReference.VaultField, with password: Secret) async throws {
        let reference = SecretReference.vault(place)
        let item = try (await session.sync()).item(place, for: reference)
        guard item.kind == 1, var login = item.raw["login"]?.object, place.field == nil || place.field == "password"
        else {
            throw SecretFailure(.vaultItem, reference, "is not the password of a login", next: "add an item instead")
        }
        let now = VaultWriting.stamp(time.now())
        var raw = item.raw
        if let old = login["password"], !old.isNull {
            let entry = JSONValue.object(JSONObject([("password", old), ("lastUsedDate", .text(now))]))
            let kept = (raw["passwordHistory"]?.array ?? []).prefix(SecretLimits.passwordHistory - 1)
            raw.set("passwordHistory", .array([entry] + kept))
        }
        login.set("password", .text(item.key.seal(password, entropy: entropy)))
        login.set("passwordRevisionDate", .text(now))
        raw.set("login", .object(login))
        // The server refuses the change when somebody else made one since we read.
        if let revision = raw["revisionDate"] { raw.set("lastKnownRevisionDate", revision) }
        let request = VaultRequest(
            method: .put,
            path: "/api/ciphers/\(item.id)",
            body: ("application/json", JSONValue.object(raw).bytes),
            operation: "write a new password to"
        )
        let lost = try await write(request)
        let after = try await readBack(lost, "the item has either password; its history keeps the old one")
        do {
            _ = try proven(item.id, password, in: after)
        } catch {
            throw lost ?? error
        }
    }

    // MARK: inside

    /// Writes once; what is returned says that the answer was lost, and with it whether it was done.
    private func write(_ request: VaultRequest) async throws -> SecretFailure? {
        do {
            _ = try await session.ask(request)
            return nil
        } catch let failure as SecretFailure where failure.code == .vaultUnreachable {
            return failure
        }
    }

    private func readBack(_ lost: SecretFailure?, _ state: String) async throws -> VaultContents {
        do {
            return try await session.sync()
        } catch var failure as SecretFailure {
            failure.state = state
            failure.cause = lost
            throw failure
        }
    }

    private func document(of new: NewVaultItem, _ reference: SecretReference) throws -> JSONValue {
        var bytes = entropy.bytes(CBCCipher.keyBytes)
        defer { wipe(&bytes) }
        let own = Secret(bytes)
        guard let key = VaultKey(own) else { preconditionFailure("a key of the wrong size") }
        func sealed(_ text: String) -> JSONValue { .text(key.seal(text, entropy: entropy)) }
        let notes = key.seal(new.notes, entropy: entropy)
        guard notes.utf8.count <= 10_000 else {
            throw SecretFailure(.vaultItem, reference, "its notes are too long for a vault", next: "write fewer words")
        }
        let operation = JSONObject([
            ("type", .number("0")), ("name", sealed(Self.operationField)), ("value", sealed(new.operation)),
            ("linkedId", .null),
        ])
        let login = JSONObject([
            ("username", .null), ("password", .text(key.seal(new.password, entropy: entropy))), ("totp", .null),
            ("uris", .null),
        ])
        return .object(
            JSONObject([
                ("type", .number("1")), ("name", sealed(new.name)), ("notes", .text(notes)),
                ("fields", .array([.object(operation)])), ("login", .object(login)),
                ("key", .text(session.userKey.seal(own, entropy: entropy))), ("folderId", .null),
                ("organizationId", .null), ("favorite", .flag(false)), ("reprompt", .number("0")),
            ])
        )
    }

    private func made(by operation: String, in contents: VaultContents) -> VaultItem? {
        contents.items.first { item in
            (item.raw["fields"]?.array ?? []).contains { field in
                text(field["name"], item.key) == Self.operationField && text(field["value"], item.key) == operation
            }
        }
    }

    private func text(_ value: JSONValue?, _ key: VaultKey) -> String? {
        guard let text = value?.text, let opened = try? key.open(text) else { return nil }
        return opened.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func proven(
        _ id: String,
        _ password: Secret,
        in contents: VaultContents
    ) throws -> SecretReference.VaultField {
        let place = SecretReference.VaultField(.id(id))
        let found = try contents.secret(place, for: .vault(place))
        let isSame = found.withBytes { found in password.withBytes { found.elementsEqual($0) } }
        guard isSame else {
            throw SecretFailure(
                .vaultItem,
                .vault(place),
                "holds another password than was written",
                next: "look at the item in the vault; the old secret is still the one that counts"
            )
        }
        return place
    }

    /// `2026-11-22T02:31:00Z`.
    static func stamp(_ moment: Timestamp) -> String {
        String("\(LocalTime(utc: moment))Z".map { $0 == " " ? "T" : $0 })
    }
}
