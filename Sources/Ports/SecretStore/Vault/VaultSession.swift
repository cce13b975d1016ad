import Bytes
import HTTPTransport
import Outcome
import Sealing
import Strategy

/// A logged-in account, for the few questions of one errand.
///
/// For one task at a time. The token is renewed before its end, once also when the server says that it ended; nothing is repeated twice.
final class VaultSession {
    private let login: VaultLogin
    private var tokens: VaultTokens
    private(set) var userKey: VaultKey
    /// The derivation that the vault asked for, to be remembered.
    let kdf: VaultKDF

    init(_ login: VaultLogin) async throws {
        self.login = login
        let result = try await login.run()
        tokens = result.tokens
        userKey = result.userKey
        kdf = result.kdf
    }

    private var connection: VaultConnection { login.connection }

    /// Everything that the account may read.
    func sync() async throws -> VaultContents {
        var request = VaultRequest(path: "/api/sync?excludeDomains=true", operation: "read")
        request.answerBytes = SecretLimits.syncBytes
        let document = try await ask(request)
        guard let contents = VaultContents(document, userKey: userKey) else { throw connection.absent(request) }
        return contents
    }

    /// Asks with the token and returns the document; a refusal is a failure that quotes nothing.
    func ask(_ request: VaultRequest) async throws -> JSONValue {
        if login.time.now().seconds + Int64(SecretLimits.tokenMarginSeconds) >= tokens.expires.seconds {
            try await renew()
        }
        var answer = try await send(request)
        if answer.status == 401 {
            try await renew()
            answer = try await send(request)
        }
        guard !answer.isPage else { throw connection.absent(request) }
        guard (200..<300).contains(answer.status) else {
            let code: SecretCode = answer.status == 401 || answer.status == 403 ? .vaultRefused : .vaultAnswer
            throw connection.failure(
                code,
                request,
                "refuses it (HTTP \(answer.status))",
                next: code == .vaultRefused
                    ? "see what the account may do in the vault" : "look into the vault's log for the reason"
            )
        }
        guard let document = answer.document else { throw connection.absent(request) }
        return document
    }

    private func send(_ request: VaultRequest) async throws -> VaultAnswer {
        var request = request
        let token = tokens.access.withBytes { String(decoding: $0, as: UTF8.self) }
        request.headers.append(HTTPHeader("Authorization", "Bearer \(token)"))
        return try await connection.send(request)
    }

    private func renew() async throws {
        if let refresh = tokens.refresh, let renewed = try await login.refresh(refresh) {
            tokens = renewed
            return
        }
        let result = try await login.run()
        tokens = result.tokens
        userKey = result.userKey
    }
}
