package import Outcome
import HostSystem
import Strategy

/// What can go wrong with a lab, beside what the repository and its store report themselves.
package enum LabCode: String, FailureCode {
    /// `holdfast.yaml` cannot be read or says something impossible.
    case declaration = "E-DECLARATION"
    /// A folder of the lab cannot be made or read.
    case folder = "E-FOLDER"
    /// What was restored is not what was backed up.
    case differs = "E-DIFFERS"

    package var exitStatus: ExitStatus {
        switch self {
        case .declaration, .folder: .failed
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
            what: problems.description,
            state: "nothing was changed",
            next: "mend the lines above and run again",
            cause: problems
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
