package import Bytes
import HostSystem
package import Outcome
import Sealing
package import Strategy

/// What a vault said, sealed in a file of this machine, so that a night's backup does not need the vault.
///
/// ```
/// 0            8            72
/// "HFSECRT1"   | salt       | IV, ciphertext, MAC       JSON under AES-256-CTR and Poly1305-AES, the key by scrypt from the reference
/// ```
/// 1. The file is replaced durably and whole (L1); mode 0600. 2. The MAC is checked before a byte is opened (L3). 3. Damage is refused by name and never
/// counts as absence: the vault is asked again and the old file set aside, or the run says why it cannot go on. 4. An entry leaves only with the file: an item that vanished from
/// the vault still opens what it opened.
package struct SealedCache: Sendable {
    /// The file.
    package let path: String
    /// What seals it; not in the vault.
    package let key: SecretReference

    private let resolver: SecretResolver
    private let entropy: any EntropySource

    /// **Errors**: `E-SECRET-CACHE` when the key lies in the vault itself.
    package init(
        path: String,
        key: SecretReference,
        resolver: SecretResolver,
        entropy: any EntropySource = SystemEntropy()
    ) throws {
        self.path = path
        self.key = key
        self.resolver = resolver
        self.entropy = entropy
        if case .vault = key {
            throw failure("is sealed by \(key.text), which lies in the vault", next: "name a credential or a file")
        }
    }

    /// What is sealed.
    package struct Contents: Sendable {
        /// One secret, and when the vault said it.
        package struct Entry: Sendable {
            package var secret: Secret
            package var fetched: Timestamp
        }

        /// The vault and the account that it came from.
        package var origin: String
        /// How the account's key was derived, so that a server that asks for less is noticed.
        package var kdf: VaultKDF?
        /// By the reference's text.
        package var entries: [String: Entry] = [:]

        package init(origin: String) { self.origin = origin }
    }

    private static let magic = Array("HFSECRT1".utf8)
    private static let saltBytes = ScryptParameters.Limits.saltBytes
    /// A few hundredths of a second: the key is random as a rule, and not quite lost when a person made it up.
    private static let cost = ScryptParameters(n: 1 << 14, r: 8, p: 1)

    // MARK: reading

    /// Opens it; nil when the file does not exist.
    package func read() async throws -> Contents? {
        let bytes: [UInt8]
        do throws(Errno) {
            let (folder, name) = place
            let file = try Directory.open(ByteString(folder)).openFile(ByteString(name), keepAccessTime: false)
            let status = try file.status()
            guard status.kind == .regular else { throw Errno.stale }
            bytes = try readAll(file, limit: SecretLimits.cacheBytes)
        } catch {
            if error.kind == .missing { return nil }
            throw failure("cannot be read: \(error)", next: error.remedy)
        }
        let start = Self.magic.count + Self.saltBytes
        guard bytes.count > start + ResticCipher.overhead, Array(bytes.prefix(Self.magic.count)) == Self.magic else {
            throw damaged("is no sealed copy, or was cut short")
        }
        let cipher = try await cipher(salt: Array(bytes[Self.magic.count..<start]))
        var plain: [UInt8]
        do throws(SealError) {
            plain = try cipher.open(Array(bytes[start...]))
        } catch {
            throw damaged("was changed, or sealed under another key than \(key.text) gives now")
        }
        defer { wipe(&plain) }
        guard let document = try? JSONParser.parse(plain), let contents = decode(document) else {
            throw damaged("opens, but is not understood")
        }
        return contents
    }

    private func decode(_ document: JSONValue) -> Contents? {
        guard document["version"]?.integer == 1, let origin = document["origin"]?.text,
            let list = document["entries"]?.array
        else { return nil }
        var contents = Contents(origin: origin)
        if let kdf = document["kdf"], let kind = kdf["kind"]?.integer, let iterations = kdf["iterations"]?.integer {
            contents.kdf = try? VaultKDF(
                kind: kind,
                iterations: iterations,
                memoryMiB: kdf["memory"]?.integer,
                lanes: kdf["lanes"]?.integer
            )
        }
        for entry in list {
            guard let reference = entry["reference"]?.text, let value = entry["value"]?.text,
                let seconds = entry["fetched"]?.integer, let bytes = Base64.decode(value), !bytes.isEmpty
            else { return nil }
            contents.entries[reference] = Contents.Entry(
                secret: Secret(bytes),
                fetched: Timestamp(seconds: Int64(seconds))
            )
        }
        return contents
    }

    // MARK: writing

    /// Replaces the file.
    package func write(_ contents: Contents) async throws {
        var plain = encode(contents).bytes
        defer { wipe(&plain) }
        let salt = entropy.bytes(Self.saltBytes)
        let sealed = Self.magic + salt + (try await cipher(salt: salt)).seal(plain, entropy: entropy)
        guard sealed.count <= SecretLimits.cacheBytes else {
            throw failure("would grow beyond \(SecretLimits.cacheBytes >> 20) MiB", next: "name fewer secrets")
        }
        do throws(Errno) {
            let (folder, name) = place
            let directory = try Directory.createAll(ByteString(folder))
            try writeDurably(sealed, to: ByteString(name), in: directory, permissions: 0o600, entropy: entropy)
        } catch {
            throw failure("cannot be written: \(error)", next: error.remedy)
        }
    }

    /// Gives a copy that is refused another name, in the place of the one that was set aside before; returns the name.
    func setAside() throws -> String {
        let (folder, name) = place
        do throws(Errno) {
            let directory = try Directory.open(ByteString(folder))
            try directory.rename(ByteString(name), to: ByteString(name + ".refused"), in: directory)
            try directory.sync()
        } catch {
            throw failure("is refused, and cannot be set aside: \(error)", next: error.remedy)
        }
        return path + ".refused"
    }

    private func encode(_ contents: Contents) -> JSONValue {
        let entries = contents.entries.sorted { $0.key < $1.key }.map { reference, entry in
            JSONValue.object(
                JSONObject([
                    ("reference", .text(reference)), ("fetched", .number("\(entry.fetched.seconds)")),
                    ("value", .text(entry.secret.withBytes { Base64.encode($0) })),
                ])
            )
        }
        var document = JSONObject([("version", .number("1")), ("origin", .text(contents.origin))])
        if let kdf = contents.kdf { document.set("kdf", .object(encode(kdf))) }
        document.set("entries", .array(entries))
        return .object(document)
    }

    private func encode(_ kdf: VaultKDF) -> JSONObject {
        switch kdf {
        case .pbkdf2(let iterations):
            JSONObject([("kind", .number("0")), ("iterations", .number("\(iterations)"))])
        case .argon2id(let passes, let memory, let lanes):
            JSONObject([
                ("kind", .number("1")), ("iterations", .number("\(passes)")), ("memory", .number("\(memory)")),
                ("lanes", .number("\(lanes)")),
            ])
        }
    }

    // MARK: both

    private func cipher(salt: [UInt8]) async throws -> ResticCipher {
        let secret = try await resolver.resolve(key).secret
        guard secret.count >= 16 else {
            throw failure("would be sealed by \(key.text), which is too short", next: "make it 32 random bytes or more")
        }
        guard let key = try? deriveKey(password: secret, salt: salt, Self.cost) else {
            throw failure("cannot be opened: there is no memory to derive its key", next: "free 16 MiB of memory")
        }
        return ResticCipher(key: key)
    }

    private var place: (folder: String, name: String) {
        let cut = path.lastIndex(of: "/") ?? path.startIndex
        let folder = String(path[..<cut])
        return (folder.isEmpty ? "/" : folder, String(path[path.index(after: cut)...]))
    }

    private func damaged(_ what: String) -> SecretFailure {
        failure(what, next: "run `holdfast secret fetch` while the vault answers")
    }

    func failure(_ what: String, next: String) -> SecretFailure {
        SecretFailure(
            .cache,
            retry: .afterRepair,
            operation: "open sealed copy",
            object: path,
            what: what,
            state: "the vault was not changed",
            next: next
        )
    }
}
