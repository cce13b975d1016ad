/// The stable code of a failure, one closed enumeration for each module; the raw value is what operators and scripts see (`E-NOSPACE`).
package protocol FailureCode: Sendable, Hashable, RawRepresentable where RawValue == String {
    /// Exit status of a command that ends with this failure: restic's numbers, ours from 20 up (DESIGN section 5).
    var exitStatus: ExitStatus { get }
}

/// Whether trying again can help, read by callers instead of the text.
package enum Retry: String, Sendable, Hashable {
    case never, later, afterRepair
}

/// Exit statuses of every command: restic's where restic has one, ours from 20 up.
package enum ExitStatus: Int32, Sendable, Hashable {
    case success = 0
    case failed = 1
    case incomplete = 3
    case noRepository = 10
    case locked = 11
    case wrongPassword = 12
    case damageFound = 20
    case refusedByGuard = 21
    case objectiveBreached = 22
    case coverageGap = 23
    case drillFailed = 24
    case kitFailed = 25
    case interrupted = 130
}

/// What the edge needs of any failure, whichever module threw it (fault-plan 1.2).
package protocol ReportableFailure: Error, Sendable {
    var codeName: String { get }
    var exitStatus: ExitStatus { get }
    var retry: Retry { get }
    var operation: String { get }
    var object: String { get }
    var what: String { get }
    var state: String { get }
    var next: String { get }
    var cause: (any Error)? { get }
}

/// A failure of the world, the input or the user, in the words that the operator reads.
///
/// Rendered as
/// ```
/// error[E-NOSPACE] backup "etc": cannot write pack: No space left on device (ENOSPC in write, 4194304 bytes)
///   state: last good snapshot 4f2a91c0; this run stored nothing visible
///   next:  free about 1.2 GiB or run prune
/// ```
/// A secret never enters any of these strings: secrets are of type `Secret`.
package struct Failure<Code: FailureCode>: ReportableFailure, CustomStringConvertible {
    package var code: Code
    package var retry: Retry
    /// The verb in progress: `check`, `open repository`.
    package var operation: String
    /// The thing concerned, as the operator knows it: `pack 3f9a1c77 in /mnt/usb`.
    package var object: String
    /// What is wrong, with the expectation: `is 12 bytes shorter than the index says`.
    package var what: String
    /// What is still safe.
    ///
    /// May be empty in inner layers; the edge fills it.
    package var state: String
    /// What the reader does next.
    package var next: String
    package var cause: (any Error)?

    package init(
        _ code: Code,
        retry: Retry = .never,
        operation: String,
        object: String,
        what: String,
        state: String = "",
        next: String = "",
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.retry = retry
        self.operation = operation
        self.object = object
        self.what = what
        self.state = state
        self.next = next
        self.cause = cause
    }

    package var codeName: String { code.rawValue }
    package var exitStatus: ExitStatus { code.exitStatus }
    /// In the middle of a sentence.
    package var description: String { "\(object) \(what)" }
}
