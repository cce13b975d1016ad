package import Outcome
import Strategy

/// Why a secret is not to be had; the texts name the reference and never hold a value (S-03).
package enum SecretCode: String, FailureCode, CaseIterable {
    /// A file, a variable, a command or a credential does not give it.
    case unreadable = "E-SECRET"
    /// The vault does not answer, or says that it cannot now; the sealed copy may help.
    case vaultUnreachable = "E-VAULT-DOWN"
    /// The vault refuses the account: wrong password, wrong API key, second factor asked for.
    case vaultRefused = "E-VAULT-REFUSED"
    /// Something else answers in its place, such as a proxy's page or a redirect: the vault is not there; the sealed copy may help.
    case vaultAbsent = "E-VAULT-ABSENT"
    /// What answers cannot be believed.
    case vaultAnswer = "E-VAULT-ANSWER"
    /// The vault has no such item or field, several of that name, or one that does not decrypt.
    case vaultItem = "E-VAULT-ITEM"
    /// The sealed copy is missing, damaged, or sealed under another key.
    case cache = "E-SECRET-CACHE"

    package var exitStatus: ExitStatus { .failed }

    /// Whether the same question can be answered later, without or after a person's doing.
    var retry: Retry {
        switch self {
        case .vaultUnreachable, .vaultAbsent: .later
        case .unreadable, .vaultRefused, .vaultAnswer, .vaultItem, .cache: .afterRepair
        }
    }
}

package typealias SecretFailure = Failure<SecretCode>

extension SecretCode {
    /// The vault is not there to ask: no refusal, and nothing that looks like an attack.
    var isOutage: Bool { self == .vaultUnreachable || self == .vaultAbsent }
}

extension SecretFailure {
    init(_ code: SecretCode, _ reference: SecretReference, _ what: String, next: String) {
        self.init(
            code,
            retry: code.retry,
            operation: "read secret",
            object: reference.text,
            what: what,
            state: "nothing was changed",
            next: next
        )
    }
}
