package import Bytes
package import Outcome
package import Strategy

/// A secret with what is known about where it came from.
package struct ResolvedSecret: Sendable {
    /// Who gave it.
    package enum Source: Sendable, Hashable {
        case file, environment, command, credential
        /// The vault itself, just now.
        case vault
        /// The sealed copy of what the vault said at that moment.
        case cache(fetched: Timestamp)
    }

    package var reference: SecretReference
    package var secret: Secret
    package var source: Source
    /// When it was read.
    package var moment: Timestamp
    /// What the operator should know although the secret was found: `hint` to `warning`; empty for most.
    package var findings: [Finding]

    package init(
        _ reference: SecretReference,
        _ secret: Secret,
        from source: Source,
        at moment: Timestamp,
        findings: [Finding] = []
    ) {
        self.reference = reference
        self.secret = secret
        self.source = source
        self.moment = moment
        self.findings = findings
    }

    /// Seconds between the vault's answer and the reading of its sealed copy; nil when the secret is first-hand.
    package var ageSeconds: Int64? {
        guard case .cache(let fetched) = source else { return nil }
        return max(0, moment.seconds - fetched.seconds)
    }
}

extension ResolvedSecret.Source: CustomStringConvertible {
    /// For `secret check`: `file`, `sealed copy`.
    package var description: String {
        switch self {
        case .file: "file"
        case .environment: "environment"
        case .command: "command"
        case .credential: "credential"
        case .vault: "vault"
        case .cache: "sealed copy"
        }
    }
}
