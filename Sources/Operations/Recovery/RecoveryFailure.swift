package import Outcome

/// What can go wrong when something is brought back, beside what the engine and its stores report themselves.
package enum RecoveryCode: String, FailureCode {
    /// A name, path or time that there is nothing for.
    case unknown = "E-UNKNOWN"
    /// No medium that is here holds a copy as it was asked for.
    case noCopy = "E-NO-COPY"
    /// No copy that is here can be read.
    case damaged = "E-DAMAGE"
    /// Another copy than the one that was asked for would be taken, and nobody agreed.
    case notAgreed = "E-NOT-AGREED"
    /// What is there would be overwritten or removed, and nobody said that it may.
    case occupied = "E-OCCUPIED"
    /// What is there cannot be saved before it is overwritten.
    case notSaved = "E-NOT-SAVED"

    package var exitStatus: ExitStatus {
        switch self {
        case .unknown, .noCopy: .failed
        case .damaged: .damageFound
        case .notAgreed, .occupied, .notSaved: .refusedByGuard
        }
    }
}

package typealias RecoveryFailure = Failure<RecoveryCode>
