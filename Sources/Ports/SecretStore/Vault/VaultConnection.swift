import AsyncHTTPClient
import Dispatch
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Outcome

/// A question to the vault.
struct VaultRequest: Sendable {
    var method: HTTPMethod = .GET
    /// Behind the account's address: `/api/sync`.
    var path: String
    var headers: [(name: String, value: String)] = []
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
}

/// HTTP to one vault, for as long as a closure runs.
///
/// TLS is verified against the account's certificates or the system's; redirects are refused; each question has one deadline for all of its answer.
/// **Errors**: `E-VAULT-DOWN` when nobody answers in time or the server is out of order, `E-VAULT-ANSWER` when what answers is not to be believed.
struct VaultConnection: Sendable {
    let account: VaultAccount
    private let client: HTTPClient
    private let answerSeconds: Int

    /// Runs `body` with a connection that is closed behind it.
    static func with<R: Sendable>(
        _ account: VaultAccount,
        answerSeconds: Int = SecretLimits.answerSeconds,
        _ body: (VaultConnection) async throws -> R
    ) async throws -> R {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = account.certificates { tls.trustRoots = .file(file) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(
                connect: .seconds(Int64(min(SecretLimits.connectSeconds, answerSeconds)))
            ),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
        let connection = VaultConnection(account: account, client: client, answerSeconds: answerSeconds)
        do {
            let result = try await body(connection)
            await close(client)
            return result
        } catch {
            await close(client)
            throw error
        }
    }

    /// Waits for it on a queue of our own: the client's default shares its threads with everybody's tasks.
    private static func close(_ client: HTTPClient) async {
        await withCheckedContinuation { continuation in
            client.shutdown(queue: closing) { _ in continuation.resume() }
        }
    }

    private static let closing = DispatchQueue(label: "vault connection")

    /// Asks once.
    func send(_ request: VaultRequest) async throws -> VaultAnswer {
        let answer: VaultAnswer
        do {
            answer = try await withDeadline { try await exchange(request) }
        } catch let error as SecretFailure {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw failure(of: error, request)
        }
        switch answer.status {
        case 300..<400:
            throw failure(
                .vaultAnswer,
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
        var outgoing = HTTPClientRequest(url: account.address + request.path)
        outgoing.method = request.method
        for (name, value) in Self.headers + request.headers { outgoing.headers.add(name: name, value: value) }
        if let body = request.body {
            outgoing.headers.add(name: "Content-Type", value: body.type)
            outgoing.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        let response = try await client.execute(outgoing, timeout: .seconds(Int64(answerSeconds)))
        let body = try await response.body.collect(upTo: request.answerBytes)
        return VaultAnswer(status: Int(response.status.code), body: Array(body.readableBytesView))
    }

    /// The version is not decoration: without one from 2024.12.0 on, servers leave out items.
    private static let headers: [(name: String, value: String)] = [
        ("Accept", "application/json"), ("User-Agent", "holdfast"), ("Device-Type", "8"),
        ("Bitwarden-Client-Name", "cli"), ("Bitwarden-Client-Version", "2025.1.0"),
    ]

    /// The client's own deadline ends with the head of an answer; this one covers the body too.
    ///
    /// Its clock is an event loop's: it is on time also when the threads of the language are busy.
    private func withDeadline(_ body: @escaping @Sendable () async throws -> VaultAnswer) async throws -> VaultAnswer {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let alarm = loop.scheduleTask(in: .seconds(Int64(answerSeconds))) {}
        return try await withThrowingTaskGroup(of: VaultAnswer.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await alarm.futureResult.get()
                throw HTTPClientError.deadlineExceeded
            }
            defer {
                group.cancelAll()
                alarm.cancel()
            }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    // MARK: what went wrong

    private func failure(of error: any Error, _ request: VaultRequest) -> SecretFailure {
        switch error {
        case is NIOTooManyBytesError:
            return failure(
                .vaultAnswer,
                request,
                "answers with more than \(request.answerBytes >> 20) MiB",
                next: "see what listens there: it does not answer as a vault does"
            )
        case let error as HTTPClientError where [.deadlineExceeded, .readTimeout, .connectTimeout].contains(error):
            return failure(
                .vaultUnreachable,
                request,
                "does not answer within \(answerSeconds) s",
                next: "see whether it runs and is not overloaded"
            )
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return failure(
                .vaultAnswer,
                request,
                "shows a certificate that is not trusted, or none",
                next: "name the file of its own certificate authority, or mend the certificate"
            )
        default:
            return failure(
                .vaultUnreachable,
                request,
                "does not answer: \(plainWords(of: error))",
                next: "see whether it runs, and whether its name and port are right"
            )
        }
    }

    private func plainWords(of error: any Error) -> String {
        switch error {
        case let error as IOError: "connection failed (errno \(error.errnoCode))"
        case is NIOConnectionError: "no connection"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "it closed the connection"
        case is HTTPClientError, is HTTPParserError: "it does not speak HTTP"
        default: "no connection"
        }
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
