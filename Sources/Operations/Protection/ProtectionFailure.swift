package import Outcome
package import HostSystem

/// What can go wrong when a lab is protected, beside what the engine and its stores report themselves.
package enum ProtectionCode: String, FailureCode {
    /// A password cannot be read.
    case secret = "E-SECRET"
    /// A folder of the lab cannot be made, read or written.
    case folder = "E-FOLDER"
    /// A medium or a repository that was there is not there now; going on could write beside it (B-09).
    case mediumMissing = "E-MEDIUM"
    /// The medium is not mounted, and a run would mount it.
    case mediumUnmounted = "E-UNMOUNTED"
    /// Another disk is where the medium should be (B-10).
    case mediumForeign = "E-FOREIGN"
    /// What is on the medium is an earlier state of the repository: a clone, or a stale disk (B-10).
    case mediumStale = "E-STALE"
    /// The medium can be read only (B-07).
    case mediumReadOnly = "E-READONLY"
    /// Reading data found damage.
    case damage = "E-VERIFY"
    /// Nothing of the sources could be read.
    case source = "E-SOURCE"
    /// A command before or after a backup failed.
    case command = "E-COMMAND"
    /// The workload is being run by another process.
    case busy = "E-BUSY"
    /// Retention would remove more than may go unasked.
    case held = "E-HELD"
    /// A name that the declaration does not have.
    case unknown = "E-UNKNOWN"

    package var exitStatus: ExitStatus {
        switch self {
        case .secret, .folder, .source, .unknown, .command: .failed
        case .mediumMissing, .mediumUnmounted, .mediumForeign, .mediumStale, .mediumReadOnly, .held: .refusedByGuard
        case .damage: .damageFound
        case .busy: .locked
        }
    }
}

package typealias ProtectionFailure = Failure<ProtectionCode>

extension ProtectionFailure {
    /// A failed call on a file or folder of the lab.
    package static func folder(_ operation: String, _ path: String, _ error: Errno) -> ProtectionFailure {
        ProtectionFailure(
            .folder,
            operation: operation,
            object: path,
            what: "\(error)",
            state: "no backup was changed",
            next: error.remedy
        )
    }
}
