import Bytes
import HTTPTransport
import Outcome
import Sealing
import Strategy

/// What a login gives.
struct VaultTokens: Sendable {
    var access: Secret
    /// Nil for logins with an API key, which log in again.
    var refresh: Secret?
    /// When the access token ends.
    var expires: Timestamp
}

/// Secrets that log in, read from where the account says.
struct VaultCredentials: Sendable {
    var password: Secret
    var apiKey: (id: Secret, secret: Secret)?

    /// The same for the same credentials under the same key, and nothing to guess from without it.
    func digest(key: Secret) -> Digest {
        var parts = Array(password.withBytes { sha256($0) }.hex.utf8)
        for secret in [apiKey?.id, apiKey?.secret] {
            parts += Array((secret?.withBytes { sha256($0) }.hex ?? "-").utf8)
        }
        defer { wipe(&parts) }
        return pbkdf2SHA256(password: key, salt: Secret(parts), iterations: 1).withBytes { sha256($0) }
    }

    /// Reads them, and has a person asked where no place is named; the account holds no reference into the vault.
    init(of account: VaultAccount, _ resolver: SecretResolver, ask: VaultSecrets.Question?) async throws {
        if let reference = account.password {
            password = try await resolver.resolve(reference).secret
        } else if let ask {
            password = try await ask("Master password of \(account.email) in \(account.object): ")
        } else {
            throw SecretFailure(
                .unreadable,
                retry: .afterRepair,
                operation: "log in to \(account.object) with",
                object: account.passwordObject,
                what: "is not declared, and nobody is there to type it",
                state: "nothing was asked",
                next: "fetch by hand on a terminal, or declare where it is found"
            )
        }
        if let key = account.apiKey {
            apiKey = (try await resolver.resolve(key.id).secret, try await resolver.resolve(key.secret).secret)
        }
    }
}

/// The way into an account: ask for the derivation, derive, log in, open the user's key.
///
/// 1. The derivation is believed only within its bounds, and not when it is weaker than it was before.
/// 2. A refused login is never repeated: servers count them.
/// 3. No text of the server is shown that holds what was sent to it.
struct VaultLogin: Sendable {
    let connection: VaultConnection
    let credentials: VaultCredentials
    /// The derivation that this account had before; nil when it was not met yet.
    let known: VaultKDF?
    let time: any TimeSource

    var account: VaultAccount { connection.account }

    /// What a login ends with.
    struct Result: Sendable {
        var tokens: VaultTokens
        var userKey: VaultKey
        var kdf: VaultKDF
    }

    /// Logs in.
    func run() async throws -> Result {
        if let broken = Self.selfTest {
            throw failure(.unreadable, "is not asked: \(broken)", next: "do not use this build on this machine")
        }
        let (kdf, salt) = try await askDerivation()
        guard let keys = MasterKeys(password: credentials.password, salt: salt, kdf) else {
            throw failure(
                .vaultAnswer,
                "asks for \(kdf), for which there is no memory",
                next: "free memory, or lower it"
            )
        }
        var form: [(String, Secret)] = [
            ("deviceType", Secret("8".utf8)), ("deviceIdentifier", Secret(account.deviceID.utf8)),
            ("deviceName", Secret("holdfast".utf8)),
        ]
        let proof: Secret
        if let key = credentials.apiKey {
            proof = key.secret
            form += [
                ("grant_type", Secret("client_credentials".utf8)), ("client_id", key.id),
                ("client_secret", key.secret), ("scope", Secret("api".utf8)),
            ]
        } else {
            proof = keys.serverHash.withBytes { Secret(Base64.encode($0).utf8) }
            form += [
                ("grant_type", Secret("password".utf8)), ("client_id", Secret("cli".utf8)),
                ("username", Secret(account.email.utf8)), ("password", proof),
                ("scope", Secret("api offline_access".utf8)),
            ]
        }
        let answer = try await connection.send(tokenRequest(form))
        guard answer.status == 200 else { throw refusal(answer, sent: proof) }
        let document = try parse(answer)
        return Result(tokens: try tokens(document), userKey: try userKey(document, keys), kdf: kdf)
    }

    /// A fresh access token; nil when the vault wants a new login.
    func refresh(_ token: Secret) async throws -> VaultTokens? {
        let form = [
            ("grant_type", Secret("refresh_token".utf8)), ("client_id", Secret("cli".utf8)), ("refresh_token", token),
        ]
        let answer = try await connection.send(tokenRequest(form))
        guard answer.status == 200 else { return nil }
        var tokens = try tokens(try parse(answer))
        tokens.refresh = tokens.refresh ?? token
        return tokens
    }

    /// Run once for the process; nil when all is well.
    private static let selfTest: SelfTestFailure? = {
        do throws(SelfTestFailure) {
            try VaultSelfTest().run()
            return nil
        } catch {
            return error
        }
    }()

    // MARK: derivation

    private func askDerivation() async throws -> (VaultKDF, salt: String) {
        let question = JSONValue.object(JSONObject([("email", .text(account.email))]))
        var request = VaultRequest(
            method: .post,
            path: "/identity/accounts/prelogin",
            body: ("application/json", question.bytes),
            operation: "log in to"
        )
        var answer = try await connection.send(request)
        if answer.status == 404 {
            // Where servers had it before.
            request.path = "/api/accounts/prelogin"
            answer = try await connection.send(request)
        }
        guard answer.status == 200 else {
            throw failure(
                .vaultAnswer,
                "does not know how to log in (HTTP \(answer.status))",
                next: "write the address behind which /identity and /api lie"
            )
        }
        let document = try parse(answer)
        guard let kind = document["kdf"]?.integer, let iterations = document["kdfIterations"]?.integer else {
            throw noVault()
        }
        let kdf: VaultKDF
        do throws(VaultKDF.Refusal) {
            kdf = try VaultKDF(
                kind: kind,
                iterations: iterations,
                memoryMiB: document["kdfMemory"]?.integer,
                lanes: document["kdfParallelism"]?.integer
            )
        } catch {
            throw failure(
                .vaultAnswer,
                "asks for \(error.what); nothing was sent to it",
                next: "set a usual key derivation in the vault's web page; if it has one, this is not your vault"
            )
        }
        if let known, kdf.isWeaker(than: known) {
            throw failure(
                .vaultAnswer,
                "asks for \(kdf), weaker than \(known) before; nothing was sent to it",
                next:
                    "if you lowered it yourself, remove the sealed copy and fetch again; if not, this is not your vault"
            )
        }
        let salt = document["salt"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        return (kdf, salt ?? vaultSalt(ofEmail: account.email))
    }

    // MARK: token

    private func tokenRequest(_ form: [(String, Secret)]) -> VaultRequest {
        let email = Base64.encode(account.email.utf8).filter { $0 != "=" }
        return VaultRequest(
            method: .post,
            path: "/identity/connect/token",
            headers: [HTTPHeader("Auth-Email", String(email.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }))],
            body: ("application/x-www-form-urlencoded", formBytes(form)),
            operation: "log in to"
        )
    }

    private func tokens(_ document: JSONValue) throws -> VaultTokens {
        guard let access = document["access_token"]?.text, let seconds = document["expires_in"]?.integer,
            (1...31_536_000).contains(seconds), access.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw noVault() }
        return VaultTokens(
            access: Secret(access.utf8),
            refresh: document["refresh_token"]?.text.map { Secret($0.utf8) },
            expires: Timestamp(seconds: time.now().seconds + Int64(seconds))
        )
    }

    private func userKey(_ document: JSONValue, _ keys: MasterKeys) throws -> VaultKey {
        let unlock = document["UserDecryptionOptions"]?["MasterPasswordUnlock"]
        guard let text = document["Key"]?.text ?? unlock?["MasterKeyEncryptedUserKey"]?.text else {
            throw failure(
                .vaultAnswer,
                "gives no key for this account",
                next: "set a master password for the account: one that logs in elsewhere cannot be read"
            )
        }
        do throws(VaultText.Problem) {
            return try keys.wrapping.openKey(text)
        } catch {
            guard error == .wrongMAC else {
                throw failure(.vaultAnswer, "gives a key that \(error)", next: error.remedy)
            }
            throw wrongPassword("does not open the key of \(account.email) in \(account.object)")
        }
    }

    private func parse(_ answer: VaultAnswer) throws -> JSONValue {
        guard let document = try? JSONParser.parse(answer.body), document.object != nil else { throw noVault() }
        return document
    }
}

/// `a=b&c=d` with everything but letters, digits and `-._~` as `%XX`.
private func formBytes(_ fields: [(String, Secret)]) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for (name, value) in fields {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
        bytes += name.utf8
        bytes.append(UInt8(ascii: "="))
        value.withBytes { value in
            for byte in value {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"):
                    bytes.append(byte)
                default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
        }
    }
    return bytes
}
