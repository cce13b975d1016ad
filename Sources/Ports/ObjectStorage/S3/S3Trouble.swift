import Bytes
import HTTPTransport
import Outcome

/// What a refusal of an object store means: which of our settings is wrong, what the server said, and what to change.
struct S3Trouble {
    private let settings: S3Settings
    private let errand: RemoteErrand
    private let region: String
    private let now: Timestamp

    init(_ settings: S3Settings, _ errand: RemoteErrand, region: String, now: Timestamp) {
        self.settings = settings
        self.errand = errand
        self.region = region
        self.now = now
    }

    /// Codes after which temporary credentials may have been renewed.
    static let expiries: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired",
    ]
    /// Codes that speak of the region.
    static let regions: Set<String> = [
        "AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException", "TemporaryRedirect",
    ]
    private static let credentials: Set<String> = [
        "InvalidAccessKeyId", "InvalidToken", "InvalidSecurity", "SignatureDoesNotMatch", "NotSignedUp",
        "MissingSecurityHeader", "UnauthorizedAccess", "InvalidClientTokenId",
    ]
    private static let clocks: Set<String> = ["RequestTimeTooSkewed"]
    private static let changed: Set<String> = [
        "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "XAmzContentChecksumMismatch", "InvalidDigest",
    ]
    private static let busy: Set<String> = [
        "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "OperationAborted", "Throttling",
        "ConditionalRequestConflict", "RequestLimitExceeded", "SlowDownRead", "SlowDownWrite",
        "RequestTimeoutException",
    ]
    private static let full: Set<String> = [
        "InsufficientStorage", "XMinioStorageFull", "StorageFull", "EntityTooLarge",
    ]
    private static let quotas: Set<String> = [
        "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "ServiceQuotaExceeded",
    ]

    private var bucket: String { settings.location.bucket }

    func failure(_ receipt: HTTPReceipt, _ refusal: S3Refusal?) -> StorageFailure {
        let code = refusal?.code ?? ""
        let said = words(receipt, refusal)
        let answer = RemoteAnswer(receipt, code: code)
        func failure(_ code: StorageCode, _ what: String, _ next: String) -> StorageFailure {
            errand.failure(code, what, next: next, because: answer)
        }
        if code == "NoSuchBucket" {
            return failure(
                .noBucket,
                "the bucket \(bucket) does not exist (\(said))",
                "check the bucket's name in the repository's location; `init` makes the bucket where the credentials allow it"
            )
        }
        if Self.clocks.contains(code) {
            return failure(.clock, clockWords(receipt, said), "set this machine's clock, best by a time service")
        }
        if Self.expiries.contains(code) {
            return failure(
                .auth,
                "the credentials have run out (\(said))",
                "renew them in AWS_SESSION_TOKEN or the shared credentials file, then run the command again"
            )
        }
        if Self.credentials.contains(code) || receipt.status == 401 {
            return failure(.auth, "the credentials are refused (\(said))", credentialAdvice(code))
        }
        if Self.regions.contains(code) || [301, 307, 308].contains(receipt.status) {
            return redirected(receipt, refusal, said, answer)
        }
        if Self.changed.contains(code) {
            return failure(
                .transfer,
                "what arrived is not what was sent (\(said))",
                "test this machine's memory and network when it comes again"
            )
        }
        if Self.full.contains(code) || receipt.status == 507 {
            return failure(.noSpace, "the server has no room for it (\(said))", "free space there, or run prune")
        }
        if Self.quotas.contains(code) {
            return failure(.quota, "the bucket's quota is used up (\(said))", "raise the quota, or run prune")
        }
        if code == "InvalidObjectState" {
            return failure(
                .unsupported,
                "the object lies in an archive and cannot be read before it is brought back (\(said))",
                "bring the objects below data/ back with the service's own tools, then run the command again"
            )
        }
        return byStatus(receipt, code, said, answer)
    }

    private func byStatus(_ receipt: HTTPReceipt, _ code: String, _ said: String, _ answer: RemoteAnswer)
        -> StorageFailure
    {
        switch receipt.status {
        case 404:
            return errand.failure(
                .notFound,
                "is not there (\(said))",
                next: "run check to see what is missing",
                because: answer
            )
        case 416:
            return errand.failure(
                .tooShort,
                "is shorter than what was asked for (\(said))",
                next: "run check --read-data to see what is damaged",
                because: answer
            )
        case 403:
            return errand.failure(
                .permission,
                "the credentials may not do that (\(said))",
                next:
                    "allow the key to list the bucket \(bucket) and to read, write and delete its objects, or use another key",
                because: answer
            )
        case _
        where Self.busy.contains(code) || [408, 409, 425, 429].contains(receipt.status)
            || (receipt.status >= 500 && receipt.status != 501):
            return errand.failure(
                .busy,
                "the server is busy or out of order (\(said))",
                next: "try again later; what was stored already is not stored twice",
                because: answer
            )
        case 501:
            return errand.failure(
                .unsupported,
                "the server cannot do that (\(said))",
                next: "check that it is an object store of Amazon's kind",
                because: answer
            )
        default:
            return errand.failure(
                .unknown,
                "the server refuses it (\(said))",
                next: "check the repository's location and its options",
                because: answer
            )
        }
    }

    private func redirected(
        _ receipt: HTTPReceipt,
        _ refusal: S3Refusal?,
        _ said: String,
        _ answer: RemoteAnswer
    ) -> StorageFailure {
        let named = receipt.header("x-amz-bucket-region") ?? refusal?.region ?? ""
        guard S3Address.isRegion(named) else {
            let isElsewhere = (300..<400).contains(receipt.status)
            return errand.failure(
                .region,
                isElsewhere
                    ? "the server sends us elsewhere, where no credentials are sent (\(said))"
                    : "the bucket \(bucket) is not asked for in its region; \(region) was tried (\(said))",
                next:
                    "name the bucket's own endpoint in the repository's location, and its region with `-o s3.region=…`",
                because: answer
            )
        }
        return errand.failure(
            .region,
            "the bucket \(bucket) lies in region \(named), and \(region) was asked for (\(said))",
            next: "use `-o s3.region=\(named)`, or set AWS_DEFAULT_REGION to it",
            because: answer
        )
    }

    private func credentialAdvice(_ code: String) -> String {
        switch code {
        case "SignatureDoesNotMatch":
            "check AWS_SECRET_ACCESS_KEY, which does not fit the key ID; blanks and line ends at its ends count"
        case "InvalidAccessKeyId", "InvalidClientTokenId":
            "check AWS_ACCESS_KEY_ID: this server does not know it"
        default: "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        }
    }

    /// With the server's own time, so that nobody has to guess which clock is wrong (E-12).
    private func clockWords(_ receipt: HTTPReceipt, _ said: String) -> String {
        guard let date = receipt.header("date"), let server = HTTPDate.seconds(date) else {
            return "this machine's clock and the server's are too far apart (\(said))"
        }
        let seconds = Int(now.seconds) - server
        let minutes = (abs(seconds) + 30) / 60
        return
            "this machine's clock is \(minutes) min \(seconds < 0 ? "behind" : "ahead of") the server's, which shows \(date) (\(said))"
    }

    private func words(_ receipt: HTTPReceipt, _ refusal: S3Refusal?) -> String {
        guard let refusal, !refusal.code.isEmpty else { return "HTTP \(receipt.status)" }
        let message = String(refusal.message.prefix(200)).split(whereSeparator: \.isNewline).joined(separator: " ")
        return message.isEmpty
            ? "HTTP \(receipt.status), \(refusal.code)" : "HTTP \(receipt.status), \(refusal.code): \(message)"
    }
}
