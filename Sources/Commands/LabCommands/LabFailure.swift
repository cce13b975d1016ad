package import Outcome
import HostSystem
import Strategy

/// What can go wrong with a lab, beside what the repository and its store report themselves.
package enum LabCode: String, FailureCode {
    /// `holdfast.yaml` cannot be read or says something impossible.
    case declaration = "E-DECLARATION"
    /// A password cannot be written.
    case secret = "E-SECRET"
    /// A folder of the lab cannot be made or read.
    case folder = "E-FOLDER"
    /// A medium or a repository that was there is not there now; going on could write beside it (B-09).
    case mediumMissing = "E-MEDIUM"
    /// Reading all data found damage.
    case damage = "E-VERIFY"
    /// What was restored is not what was backed up.
    case differs = "E-DIFFERS"
    /// Nothing of the sources could be read.
    case source = "E-SOURCE"

    package var exitStatus: ExitStatus {
        switch self {
        case .declaration, .secret, .folder, .source: .failed
        case .mediumMissing: .refusedByGuard
        case .damage: .damageFound
        case .differs: .drillFailed
        }
    }
}

package typealias LabFailure = Failure<LabCode>

extension LabFailure {
    /// The problems of a declaration as one failure, one problem a line.
    static func declaration(_ problems: StrategyProblems, path: String) -> LabFailure {
        LabFailure(
            .declaration,
            operation: "read",
            object: path,
            what: problems.problems.map(\.description).joined(separator: "\n  "),
            state: "nothing was changed",
            next: "mend the lines above and run again"
        )
    }

    /// A failed call on a file or folder of the lab.
    static func folder(_ operation: String, _ path: String, _ error: Errno) -> LabFailure {
        LabFailure(
            .folder,
            operation: operation,
            object: path,
            what: "\(error)",
            state: "no backup was changed",
            next: error.remedy
        )
    }
}
