package import Outcome

/// What can be wrong with a repository, as a stable code.
package enum RepositoryCode: String, FailureCode {
    case noRepository = "E-NO-REPOSITORY"
    case exists = "E-EXISTS"
    case locked = "E-LOCKED"
    case lockInvalid = "E-LOCK-INVALID"
    case lockLost = "E-LOCK-LOST"
    case wrongPassword = "E-PASSWORD"
    case damaged = "E-DAMAGE"
    case missing = "E-MISSING"
    case notFound = "E-NOT-FOUND"
    case ambiguous = "E-AMBIGUOUS"
    case unsupported = "E-UNSUPPORTED"
    case verification = "E-VERIFY"
    case tooLarge = "E-TOO-LARGE"
    case sourceEmpty = "E-SOURCE-EMPTY"
    case source = "E-SOURCE"
    case invalidRequest = "E-REQUEST"

    package var exitStatus: ExitStatus {
        switch self {
        case .noRepository: .noRepository
        case .locked: .locked
        case .wrongPassword: .wrongPassword
        case .exists, .lockInvalid, .lockLost, .damaged, .missing, .notFound, .ambiguous, .unsupported, .verification,
            .tooLarge, .sourceEmpty, .source, .invalidRequest:
            .failed
        }
    }
}

package typealias RepositoryFailure = Failure<RepositoryCode>
