package import Bytes
import Journal
import Sealing
import SecretStore
package import Strategy

/// That the password behind a reference opened a repository, as this machine remembers it: a time, and never a secret.
package struct PasswordProof: Sendable, Hashable {
    package var when: Timestamp
    /// Who gave the password then: `file`, `sealed copy`.
    package var source: String
}

extension ProtectionEnvironment {
    /// The name of the fact.
    ///
    /// The reference stands in it as a digest: what an operator wrote behind `command:` is no business of a support bundle (S-07).
    private func proofKey(_ reference: SecretReference, _ repository: String) -> String {
        "proven/\(repository)/\(sha256(reference.text).hex.prefix(16))"
    }

    /// Remembers that the password opened the repository just now; nothing where no journal is kept.
    func noteProof(of found: ResolvedSecret, opening repository: String) async {
        let fact = JournalEntry.fact(
            key: proofKey(found.reference, repository),
            value: "\(found.source)",
            when: now
        )
        await journal?.record([fact])
        if let tags = SecretTags.read(in: stateFolder) { tagsSeen.note(found.reference, tags.tag(of: found.secret)) }
    }

    /// When the password behind the reference last opened the repository; nil: never, as far as is remembered.
    package func proof(of reference: SecretReference, opening repository: String) async -> PasswordProof? {
        guard let fact = await journal?.fact(proofKey(reference, repository)) else { return nil }
        return PasswordProof(when: fact.when, source: fact.value)
    }
}
