package import HostSystem
package import Outcome

/// Why a store could not do what it was asked.
package enum StorageCode: String, FailureCode, CaseIterable {
    case notFound = "E-NOT-FOUND"
    case permission = "E-PERM"
    case noSpace = "E-NOSPACE"
    case noInodes = "E-NOINODES"
    case quota = "E-QUOTA"
    case readOnly = "E-READONLY"
    case diskGone = "E-DISK-GONE"
    case io = "E-IO"
    case exists = "E-EXISTS"
    case tooShort = "E-SHORT"
    case tooLarge = "E-TOO-LARGE"
    case busy = "E-BUSY"
    case timeout = "E-TIMEOUT"
    /// The machine has no more memory or descriptors for us.
    case resources = "E-RESOURCES"
    case unsupported = "E-UNSUPPORTED"
    /// A directory of the repository is missing, or something else lies under its name.
    case layout = "E-LAYOUT"
    /// The server does not take our credentials.
    case auth = "E-AUTH"
    /// Our clock and the server's are too far apart for a signature to hold.
    case clock = "E-CLOCK"
    /// The bucket lies in another region than the one asked for.
    case region = "E-REGION"
    /// There is no such bucket, or no such place on the server.
    case noBucket = "E-NO-BUCKET"
    /// The machine cannot be found, or nobody answers there.
    case unreachable = "E-UNREACHABLE"
    /// A certificate is not trusted.
    case untrusted = "E-TLS"
    /// The server says what its protocol does not allow: another range, half a listing.
    case answer = "E-ANSWER"
    /// Bytes changed between us and the server.
    case transfer = "E-TRANSFER"
    /// An error number that is not known here, and from which nothing is concluded.
    case unknown = "E-UNKNOWN"

    package var exitStatus: ExitStatus { self == .noBucket ? .noRepository : .failed }

    /// Whether the same request can succeed later, without or after a person's doing.
    package var retry: Retry {
        switch self {
        case .busy, .timeout, .resources, .unreachable, .answer, .transfer: .later
        case .permission, .noSpace, .noInodes, .quota, .readOnly, .diskGone, .io, .auth, .clock, .region, .untrusted,
            .noBucket:
            .afterRepair
        case .notFound, .exists, .tooShort, .tooLarge, .unsupported, .layout, .unknown: .never
        }
    }

    /// What an error number of the system means for a store; total, so that a new kind of error finds its place (B-08).
    package init(_ kind: ErrnoKind) {
        switch kind {
        case .missing: self = .notFound
        case .exists: self = .exists
        case .permission: self = .permission
        case .readOnly: self = .readOnly
        case .noSpace: self = .noSpace
        case .quota: self = .quota
        case .fileTooLarge: self = .tooLarge
        case .io: self = .io
        case .gone: self = .diskGone
        case .busy, .wouldBlock, .interrupted: self = .busy
        case .timedOut: self = .timeout
        case .tooManyFiles, .outOfMemory: self = .resources
        case .unsupported, .crossDevice, .nameTooLong, .badName, .tooManyLinks, .noAttribute, .range:
            self = .unsupported
        case .notDirectory, .isDirectory, .notEmpty, .symbolicLink: self = .layout
        case .brokenPipe, .noProcess, .misuse, .unknown: self = .unknown
        }
    }
}

package typealias StorageFailure = Failure<StorageCode>

extension StorageFailure {
    /// A failure with the retry class of its code.
    init(
        _ code: StorageCode,
        _ operation: String,
        _ object: String,
        _ what: String,
        state: String = "",
        next: String,
        because cause: (any Error)? = nil
    ) {
        self.init(
            code,
            retry: code.retry,
            operation: operation,
            object: object,
            what: what,
            state: state,
            next: next,
            cause: cause
        )
    }

    /// A failed system call in the words of the table; `detail` follows the name of the call, `4194304 bytes`.
    init(_ errno: Errno, _ operation: String, _ object: String, detail: String = "", state: String = "") {
        let addition = detail.isEmpty ? "" : ", \(detail)"
        self.init(
            StorageCode(errno.kind),
            operation,
            object,
            "\(errno.message) (\(errno.name) in \(errno.callName)\(addition))",
            state: state,
            next: errno.remedy,
            because: errno
        )
    }
}
