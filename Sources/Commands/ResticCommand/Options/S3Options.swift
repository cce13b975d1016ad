import Bytes
import Console
import ObjectStorage
import ResticFormat

/// The options `-o s3.…` and the environment of object stores, in restic's words.
struct S3Options {
    private static let known: Set<String> = [
        "bucket-lookup", "connections", "enable-restore", "layout", "list-objects-v1", "point-in-time", "region",
        "restore-days",
        "restore-tier", "restore-timeout", "retries", "storage-class", "unsafe-anonymous-auth",
    ]

    private let values: [String: ByteString]
    private let environment: Environment

    init(_ extended: ExtendedOptions, _ environment: Environment) throws(CommandFailure) {
        values = try extended.values(of: "s3", known: Self.known)
        self.environment = environment
        if try values.isOn("enable-restore") {
            throw .notYet("bringing objects back from an archive (s3.enable-restore)")
        }
        if environment.value("RESTIC_AWS_ASSUME_ROLE_ARN") != nil {
            throw .notYet("assuming a role (RESTIC_AWS_ASSUME_ROLE_ARN)")
        }
    }

    /// How the bucket is spoken to.
    func settings(_ location: S3Location, _ network: NetworkOptions) throws(CommandFailure) -> S3Settings {
        let word = values["bucket-lookup"]?.display ?? "auto"
        guard let lookup = S3Address.Lookup(rawValue: word.isEmpty ? "auto" : word) else {
            throw .fatal("bad bucket-lookup style \(quoted(ByteString(word))) must be \"auto\", \"path\" or \"dns\"")
        }
        return S3Settings(
            location,
            lookup: lookup,
            region: (values["region"] ?? environment.value("AWS_DEFAULT_REGION") ?? environment.value("AWS_REGION"))
                .map(\.display).flatMap { $0.isEmpty ? nil : $0 },
            storageClass: try storageClass(),
            connections: try values.connections(of: "s3"),
            listsByOldInterface: try values.isOn("list-objects-v1"),
            isAnonymous: try values.isOn("unsafe-anonymous-auth"),
            userAgent: network.userAgent ?? "holdfast",
            trust: try network.settings()
        )
    }

    private func storageClass() throws(CommandFailure) -> String {
        let text = values["storage-class"]?.display ?? ""
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .fatal("s3.storage-class \(quoted(ByteString(text))) is none")
        }
        return text
    }

    /// The moment as of which the bucket is read; nil: now.
    func pointInTime() throws(CommandFailure) -> Timestamp? {
        guard let text = values["point-in-time"] else { return nil }
        guard let time = RFC3339.parse(text.bytes) else {
            throw .fatal(
                "s3.point-in-time \(quoted(text)) is no moment: write such as 2026-11-20T03:00:00Z, in any zone"
            )
        }
        return time.moment
    }

    /// Tries of one request; restic's time limit holds beside it.
    func policy() throws(CommandFailure) -> RetryPolicy {
        var policy = RetryPolicy()
        if let value = values["retries"] {
            do { policy.retriesMax = Int(try parseGoUInt(value, base: 0, bits: 32)) } catch {
                throw CommandFailure(error.text)
            }
        }
        return policy
    }

    /// Where the credentials are looked for.
    var credentials: S3CredentialChain {
        let environment = environment
        return S3CredentialChain { name in
            environment.value(name).map { String(decoding: $0.bytes, as: UTF8.self) }
        }
    }
}
