import HTTPTransport
import Outcome

/// A question to the vault.
struct VaultRequest: Sendable {
    var method: HTTPMethod = .get
    /// Behind the account's address: `/api/sync`.
    var path: String
    var headers: [HTTPHeader] = []
    /// With its media type.
    var body: (type: String, bytes: [UInt8])?
    /// Most bytes of an answer.
    var answerBytes = SecretLimits.answerBytes
    /// In words: `log in to`.
    var operation: String
}

/// What the vault answered.
struct VaultAnswer: Sendable {
    var status: Int
    var body: [UInt8]

    /// A page for people, where a vault has JSON.
    var isPage: Bool { body.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "<") }
    /// The object in it; nil when there is none.
    var document: JSONValue? { (try? JSONParser.parse(body)).flatMap { $0.object == nil ? nil : $0 } }
}

/// HTTP to one vault, for as long as a closure runs.
///
/// TLS is verified against the account's certificates or the system's; redirects are refused; each question has one deadline for all of its answer.
/// **Errors**: `E-VAULT-DOWN` when nobody answers in time or the server is out of order, `E-VAULT-ABSENT` when something else answers in its place,
/// `E-VAULT-ANSWER` when what answers is not to be believed.
struct VaultConnection: Sendable {
    let account: VaultAccount
    private let errand: HTTPErrand

    /// Runs `body` with a connection that is closed behind it.
    static func with<R: Sendable>(
        _ account: VaultAccount,
        answerSeconds: Int = SecretLimits.answerSeconds,
        _ body: (VaultConnection) async throws -> R
    ) async throws -> R {
        let settings = HTTPSettings(
            certificates: account.certificates,
            connectSeconds: SecretLimits.connectSeconds,
            answerSeconds: answerSeconds
        )
        return try await HTTPErrand.with(settings) { errand in
            try await body(VaultConnection(account: account, errand: errand))
        }
    }

    /// Asks once.
    func send(_ request: VaultRequest) async throws -> VaultAnswer {
        let answer: VaultAnswer
        do {
            answer = try await exchange(request)
        } catch let trouble as HTTPTrouble {
            throw failure(of: trouble, request)
        }
        switch answer.status {
        case 300..<400:
            throw failure(
                .vaultAbsent,
                request,
                "answers with a redirect (HTTP \(answer.status)), which is not followed",
                next: "write the address that the vault itself has"
            )
        case 429:
            throw failure(
                .vaultUnreachable,
                request,
                "says that it was asked too often (HTTP 429)",
                next: "wait a minute; the vault counts logins for each address"
            )
        case 500...:
            throw failure(
                .vaultUnreachable,
                request,
                "is out of order (HTTP \(answer.status))",
                next: "look into the vault's log"
            )
        default: return answer
        }
    }

    private func exchange(_ request: VaultRequest) async throws -> VaultAnswer {
        var outgoing = HTTPRequest(
            request.method,
            url: account.address + request.path,
            headers: Self.headers + request.headers,
            reading: .whole(bytesMax: request.answerBytes)
        )
        if let body = request.body {
            outgoing.headers.append(HTTPHeader("Content-Type", body.type))
            outgoing.body = body.bytes
        }
        let answer = try await errand.send(outgoing)
        return VaultAnswer(status: answer.status, body: answer.body)
    }

    /// The version is not decoration: without one from 2024.12.0 on, servers leave out items.
    private static let headers = [
        HTTPHeader("Accept", "application/json"), HTTPHeader("User-Agent", "holdfast"), HTTPHeader("Device-Type", "8"),
        HTTPHeader("Bitwarden-Client-Name", "cli"), HTTPHeader("Bitwarden-Client-Version", "2025.1.0"),
    ]

    // MARK: what went wrong

    private func failure(of trouble: HTTPTrouble, _ request: VaultRequest) -> SecretFailure {
        switch trouble {
        case .overlong(let bytesMax):
            failure(
                .vaultAbsent,
                request,
                "answers with more than \(bytesMax >> 20) MiB",
                next: "see what listens there: it does not answer as a vault does"
            )
        case .late(let seconds):
            failure(
                .vaultUnreachable,
                request,
                "does not answer within \(seconds) s",
                next: "see whether it runs and is not overloaded"
            )
        case .untrusted:
            failure(
                .vaultAnswer,
                request,
                "shows a certificate that is not trusted, or none",
                next: "name the file of its own certificate authority, or mend the certificate"
            )
        case .certificateFile(let file):
            failure(
                .vaultAnswer,
                request,
                "cannot be verified: \(file) cannot be read",
                next: "name the file of its own certificate authority"
            )
        case .address: noConnection("its address is not understood", request)
        case .unknownName: noConnection("its name is not found", request)
        case .noConnection(let why): noConnection(why, request)
        }
    }

    private func noConnection(_ why: String, _ request: VaultRequest) -> SecretFailure {
        failure(
            .vaultUnreachable,
            request,
            "does not answer: \(why)",
            next: "see whether it runs, and whether its name and port are right"
        )
    }

    /// Something else answers in the vault's place.
    func absent(_ request: VaultRequest) -> SecretFailure {
        failure(
            .vaultAbsent,
            request,
            "does not answer as a vault does",
            next: "see what listens there; a proxy in front of it may answer in its place"
        )
    }

    func failure(_ code: SecretCode, _ request: VaultRequest, _ what: String, next: String) -> SecretFailure {
        SecretFailure(
            code,
            retry: code.retry,
            operation: request.operation,
            object: account.object,
            what: what,
            state: "nothing was changed",
            next: next
        )
    }
}
