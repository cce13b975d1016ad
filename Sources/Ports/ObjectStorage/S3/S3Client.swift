import Bytes
import HTTPTransport
import Outcome
import Sealing
import Synchronization

/// One request to a bucket, before it is signed.
struct S3Ask: Sendable {
    var method: HTTPMethod
    /// Empty for the bucket itself.
    var key = ""
    var query: [(name: String, value: String)] = []
    var headers: [HTTPHeader] = []
    var body: Block?
    var part: Range<Int>?
    /// Most bytes of a good answer.
    var answerBytesMax = 64 << 10
    /// Statuses beside those of success that the caller wants to see.
    var accepts: Set<Int> = []
}

/// Signs requests to one bucket, sends them, and says in words why one was refused.
///
/// Tries nothing twice but for two lessons of the server that change the request: the bucket's region, and that temporary credentials have
/// been renewed. Errors: `StorageFailure` with a `RemoteAnswer` as its cause when the server spoke.
final class S3Client: Sendable {
    /// Credentials as they are now: read again when those in use have run out.
    typealias CredentialSource = @Sendable () throws -> S3Credentials?

    private struct State {
        var credentials: S3Credentials?
        var region: String
        /// Whether the region is the server's word, or the operator's.
        var isRegionKnown: Bool
    }

    let settings: S3Settings
    private let http: HTTPConnections
    private let source: CredentialSource
    private let time: any TimeSource
    private let state: Mutex<State>

    init(_ settings: S3Settings, time: any TimeSource, credentials source: @escaping CredentialSource) throws {
        self.settings = settings
        self.source = source
        self.time = time
        let errand = RemoteErrand("open", settings.location.text, host: settings.location.host)
        do throws(HTTPTrouble) {
            // Locks do not stand in line with the rest.
            http = try HTTPConnections(settings.trust, connections: settings.connections + 2, pace: settings.pace)
        } catch {
            throw errand.failure(error)
        }
        let credentials = settings.isAnonymous ? nil : try source()
        if credentials == nil, !settings.isAnonymous {
            throw errand.failure(
                .auth,
                "no credentials found",
                state: "nothing was sent",
                next: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or fill the shared credentials file; "
                    + "for a bucket open to everyone use `-o s3.unsafe-anonymous-auth=true`"
            )
        }
        state = Mutex(
            State(
                credentials: credentials,
                region: settings.region ?? S3Address.guessedRegion(host: settings.location.host),
                isRegionKnown: settings.region != nil
            )
        )
    }

    /// What this machine's clock shows.
    func now() -> Timestamp { time.now() }

    /// The region in use.
    var region: String { state.withLock { $0.region } }

    /// Sends it; returns answers of success and those that `ask` accepts.
    func send(_ ask: S3Ask, _ errand: RemoteErrand) async throws -> HTTPReceipt {
        var mayLearnRegion = true
        var mayRenew = true
        while true {
            let (credentials, region) = state.withLock { ($0.credentials, $0.region) }
            let receipt = try await exchange(ask, errand, credentials, region)
            if receipt.isGood || ask.accepts.contains(receipt.status) { return receipt }
            let refusal = try await reason(receipt, ask, errand, credentials, region)
            if mayLearnRegion, await learnRegion(receipt, refusal, credentials, region) {
                mayLearnRegion = false
                continue
            }
            if mayRenew, let refusal, S3Trouble.expiries.contains(refusal.code), renew(credentials) {
                mayRenew = false
                continue
            }
            throw S3Trouble(settings, errand, region: region, now: time.now()).failure(receipt, refusal)
        }
    }

    private func exchange(
        _ ask: S3Ask,
        _ errand: RemoteErrand,
        _ credentials: S3Credentials?,
        _ region: String
    ) async throws -> HTTPReceipt {
        settings.meter?.sent(ask.method, key: ask.key, bytes: ask.part?.count ?? ask.body?.count ?? 0)
        do {
            let receipt = try await http.send(signed(ask, credentials, region))
            settings.meter?.received(receipt.body.count)
            return receipt
        } catch {
            throw errand.failure(error)
        }
    }

    // MARK: Signing

    /// The hash of the body is always part of the signature, over TLS too: it costs a hundredth of the transfer, and what arrives changed
    /// is refused by the server (E-04).
    private func signed(_ ask: S3Ask, _ credentials: S3Credentials?, _ region: String) -> HTTPTransfer {
        let address = S3Address(settings.location, lookup: settings.lookup, region: region)
        let bodyHash = ask.body.map { body in
            body.withBytes { bytes in
                sha256(UnsafeRawBufferPointer(rebasing: ask.part.map { bytes[$0] } ?? bytes[...])).hex
            }
        }
        var headers = ask.headers
        headers.append(HTTPHeader("Host", address.host))
        if let credentials {
            let signature = S3Signature(credentials, region: region, moment: time.now())
            headers.append(HTTPHeader("x-amz-date", signature.dateTime))
            headers.append(HTTPHeader("x-amz-content-sha256", bodyHash ?? S3Signature.emptyBodyHash))
            if !credentials.sessionToken.isEmpty {
                let token = credentials.sessionToken.withBytes { String(decoding: $0, as: UTF8.self) }
                headers.append(HTTPHeader("x-amz-security-token", token))
            }
            let authorization = signature.authorization(
                method: ask.method.rawValue,
                path: address.path(ask.key),
                query: ask.query,
                headers: headers.map { ($0.name, $0.value) },
                bodyHash: bodyHash ?? S3Signature.emptyBodyHash
            )
            headers.append(HTTPHeader("Authorization", authorization))
        }
        headers.append(HTTPHeader("User-Agent", settings.userAgent))
        return HTTPTransfer(
            ask.method,
            url: address.url(ask.key, query: ask.query),
            headers: headers,
            body: ask.body,
            part: ask.part,
            answerBytesMax: ask.answerBytesMax
        )
    }

    // MARK: Lessons

    /// What the server says of its refusal; answers to HEAD have no words, so it is asked for one byte instead.
    private func reason(
        _ receipt: HTTPReceipt,
        _ ask: S3Ask,
        _ errand: RemoteErrand,
        _ credentials: S3Credentials?,
        _ region: String
    ) async throws -> S3Refusal? {
        guard ask.method == .head, receipt.status != 404, receipt.status < 500 else { return S3Refusal(receipt.body) }
        var question = ask
        question.method = .get
        question.headers.append(HTTPHeader("Range", "bytes=0-0"))
        question.answerBytesMax = HTTPTransfer.refusalBytesMax
        return S3Refusal(try await exchange(question, errand, credentials, region).body)
    }

    /// Takes over the region that the server names; false when it names none, or one was given by the operator.
    private func learnRegion(
        _ receipt: HTTPReceipt,
        _ refusal: S3Refusal?,
        _ credentials: S3Credentials?,
        _ region: String
    ) async -> Bool {
        guard receipt.status != 404, !state.withLock({ $0.isRegionKnown }) else { return false }
        var named = receipt.header("x-amz-bucket-region") ?? refusal?.region ?? ""
        if named.isEmpty, let refusal, S3Trouble.regions.contains(refusal.code) {
            named = await askedRegion(credentials, region)
        }
        guard !named.isEmpty, named != region, S3Address.isRegion(named) else { return false }
        return state.withLock { state in
            guard state.region != named else { return true }
            state.region = named
            return true
        }
    }

    /// The bucket's region by the one call that every region answers for every bucket.
    private func askedRegion(_ credentials: S3Credentials?, _ region: String) async -> String {
        let ask = S3Ask(method: .get, query: [("location", "")])
        guard let receipt = try? await http.send(signed(ask, credentials, region)) else { return "" }
        guard receipt.isGood else {
            return receipt.header("x-amz-bucket-region") ?? S3Refusal(receipt.body)?.region ?? ""
        }
        let word = S3Word.find("LocationConstraint", in: receipt.body) ?? ""
        return word == "EU" ? "eu-west-1" : word
    }

    /// Reads the credentials again; true when there are others now (E-13).
    private func renew(_ used: S3Credentials?) -> Bool {
        guard let now = try? source() else { return false }
        let isSame =
            now.keyID == used?.keyID
            && now.sessionToken.withBytes { new in used?.sessionToken.withBytes { $0.elementsEqual(new) } ?? false }
        guard !isSame else { return false }
        state.withLock { $0.credentials = now }
        return true
    }
}
