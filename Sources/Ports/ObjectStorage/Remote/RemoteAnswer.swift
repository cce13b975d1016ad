import HTTPTransport
import Outcome

/// What a server answered when it did not do what it was asked: the cause of a failure.
package struct RemoteAnswer: Error, Sendable, Hashable {
    package var status: Int
    /// The service's own name of the trouble, such as `SlowDown`; may be empty.
    package var code: String
    /// Seconds after which it wants to be asked again.
    package var retryAfterSeconds: Int?

    package init(status: Int, code: String = "", retryAfterSeconds: Int? = nil) {
        self.status = status
        self.code = code
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Of an answer, with the wait it asks for: at most a day, which the policy bounds further.
    init(_ receipt: HTTPReceipt, code: String = "") {
        self.init(
            status: receipt.status,
            code: code,
            retryAfterSeconds: RetryAfter.seconds(secondsMax: 86_400) { receipt.header($0) }
        )
    }
}

extension RemoteAnswer: CustomStringConvertible {
    package var description: String {
        if status == 0 { return "an answer of another kind" }
        return code.isEmpty ? "status \(status)" : "status \(status) \(code)"
    }
}

/// A request to a server, as failures speak of it.
struct RemoteErrand: Sendable {
    /// `read`, `write`, `list`.
    var operation: String
    /// `pack 3f9a1c77 in s3:host/bucket`.
    var object: String
    /// The machine that is asked, without user, password or path.
    var host: String

    init(_ operation: String, _ object: String, host: String) {
        self.operation = operation
        self.object = object
        self.host = host
    }

    func failure(
        _ code: StorageCode,
        _ what: String,
        state: String = "",
        next: String,
        because cause: (any Error)? = nil
    ) -> StorageFailure {
        StorageFailure(code, operation, object, what, state: state, next: next, because: cause)
    }

    /// What no answer means, in words; a cancellation stays one.
    func failure(_ error: any Error) -> any Error {
        switch error {
        case let stall as HTTPStall:
            return failure(
                .timeout,
                "the transfer with \(host) hardly moves: \(stall.bytes) bytes in \(stall.seconds) s",
                next: "check the line to \(host)",
                because: stall
            )
        case let trouble as HTTPTrouble: return failure(trouble)
        case let end as RcloneEnd: return end.failure(self)
        default: return error
        }
    }

    private func failure(_ trouble: HTTPTrouble) -> StorageFailure {
        switch trouble {
        case .late(let seconds):
            failure(
                .unreachable,
                "\(host) did not take a connection within \(seconds) s",
                next: "check the address and the line to \(host)",
                because: trouble
            )
        case .unknownName:
            failure(
                .unreachable,
                "the name \(host) stands for no machine, or nobody can be asked what it stands for",
                next: "check the spelling of the repository's location, and this machine's name service",
                because: trouble
            )
        case .noConnection(let why):
            failure(
                .unreachable,
                "\(host): \(why)",
                next: "check the address, its port and whether it is http or https; then the line and the server",
                because: trouble
            )
        case .untrusted:
            failure(
                .untrusted,
                "the certificate of \(host) is not trusted, or what answers there speaks no TLS",
                next:
                    "give the certificate of its authority with --cacert, check its validity and name, or write http: where the server has no TLS",
                because: trouble
            )
        case .certificateFile(let file):
            failure(
                .untrusted,
                "the certificate file \(file) cannot be read",
                next: "check --cacert and --tls-client-cert",
                because: trouble
            )
        case .address:
            failure(
                .unsupported,
                "the address cannot be asked",
                next: "check the spelling of the repository's location",
                because: trouble
            )
        case .overlong(let bytesMax):
            failure(
                .answer,
                "\(host) answered more than the \(bytesMax) bytes that were asked for",
                next: "check that the address is that of the object store and of nothing in between",
                because: trouble
            )
        }
    }
}
