import ObjectStorage
import Outcome
import ResticFormat

/// Lets errors pass that prove that bytes are lost, and throws all others again (L7).
///
/// Proof is a blob that no index names, one that is there and does not open, and an object that is gone or ends too early. A store
/// that did not answer has proven nothing, nor have sound bytes that cannot be understood: another program may understand them.
func refuseUnlessDamaged(_ error: any Error) throws {
    if error is CancellationError || error is FormatError { throw error }
    let cause = (error as? RepositoryFailure)?.cause ?? error
    guard let failure = cause as? StorageFailure, failure.code != .tooShort, failure.code != .notFound else { return }
    throw error
}
