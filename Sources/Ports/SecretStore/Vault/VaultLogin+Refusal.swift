import Bytes
import Outcome
import Strategy

/// In whose name a login fails: the reference that holds what was refused, or the vault, and never with a word of what was sent.
extension VaultLogin {
    func refusal(_ answer: VaultAnswer, sent: Secret) -> SecretFailure {
        guard let document = try? JSONParser.parse(answer.body), document.object != nil else { return noVault() }
        if document["TwoFactorProviders"] != nil || document["TwoFactorProviders2"] != nil {
            return failure(
                .vaultRefused,
                "asks for a second factor, which nobody gives at night",
                next: "give the account an API key (client id and client secret), best a dedicated account"
            )
        }
        let said = complaint(document, sent: sent).map { "; it says: \($0)" } ?? ""
        if let key = account.apiKey {
            return SecretFailure(
                .vaultRefused,
                retry: .never,
                operation: "log in to \(account.object) with",
                object: "\(key.id.text) with \(key.secret.text)",
                what: "is refused as API key\(said)",
                state: "the login was not tried again; nothing was changed",
                next:
                    "compare both with the account's API key in the vault's web page; corrected ones are tried at once, the same never again"
            )
        }
        return wrongPassword("is refused as password of \(account.email)\(said)")
    }

    func wrongPassword(_ what: String) -> SecretFailure {
        SecretFailure(
            .vaultRefused,
            retry: .never,
            operation: "log in to \(account.object) with",
            object: account.passwordObject,
            what: what,
            state: "the login was not tried again; nothing was changed",
            next:
                "compare it with what opens the vault's web page; a corrected one is tried at once, the same never again"
        )
    }

    /// What the server says for people, cut; nil where it repeats what was sent.
    private func complaint(_ document: JSONValue, sent: Secret) -> String? {
        let texts = [
            document["errorModel"]?["message"]?.text, document["error_description"]?.text, document["message"]?.text,
        ]
        guard let text = texts.compactMap({ $0 }).first(where: { !$0.isEmpty }) else { return nil }
        let shown = String(ByteString(text).display.prefix(SecretLimits.complaintShown))
        // In any spelling that keeps letters and digits together, so that escapes do not hide it.
        let plain = text.filter { $0.isLetter || $0.isNumber }
        let isTelling = [sent, credentials.password].contains { secret in
            let word = secret.withBytes { String(decoding: $0, as: UTF8.self) }.filter { $0.isLetter || $0.isNumber }
            return text.contains(word) || plain.contains(word)
        }
        return isTelling ? nil : shown
    }

    func noVault() -> SecretFailure {
        failure(
            .vaultAnswer,
            "does not answer as a vault does",
            next: "see what listens there; a proxy in front of it may answer in its place"
        )
    }

    func failure(_ code: SecretCode, _ what: String, next: String) -> SecretFailure {
        SecretFailure(
            code,
            retry: code.retry,
            operation: "log in to",
            object: account.object,
            what: what,
            state: "nothing was changed",
            next: next
        )
    }
}
