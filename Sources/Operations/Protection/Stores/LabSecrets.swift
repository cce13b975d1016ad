package import Outcome
package import SecretStore
package import Strategy
import Synchronization

/// The way to the secrets that a declaration names, for one run.
///
/// The vault is asked when its master password is declared; else its sealed copy alone is used, as in every unattended run.
package final class LabSecrets: Sendable {
    package let resolver: SecretResolver
    /// Nil where no vault is declared.
    package let vault: VaultSecrets?
    private let report: @Sendable (Finding) -> Void
    private let told = Mutex<Set<Finding>>([])
    private let sealed = Mutex<[SealedUse]>([])

    /// `report` gets each finding once: a sealed copy in the place of the vault, a file that others can read.
    ///
    /// With `ask` a person is there, and the vault is asked in any case. Errors: `SecretFailure` for a vault that cannot be asked as it is declared.
    package init(
        _ lab: Lab,
        ask: VaultSecrets.Question? = nil,
        report: @escaping @Sendable (Finding) -> Void = { _ in }
    ) throws {
        // What may delete would lie on this machine with the rest.
        let unsealed = Set(lab.media.flatMap { $0.pruning?.references ?? [] })
        vault = try lab.vault.map { try LabSecrets.vault($0, ask, unsealed) }
        resolver = SecretResolver(vault: vault)
        self.report = report
    }

    private static func vault(
        _ declaration: VaultDeclaration,
        _ ask: VaultSecrets.Question?,
        _ unsealed: Set<SecretReference>
    ) throws -> VaultSecrets {
        var key: VaultAccount.APIKey?
        if let id = declaration.clientID, let secret = declaration.clientSecret {
            key = VaultAccount.APIKey(id: id, secret: secret)
        }
        let account = try VaultAccount(
            address: declaration.address,
            email: declaration.email,
            password: declaration.password,
            apiKey: key,
            certificates: declaration.certificates
        )
        var cache: SealedCache?
        if let path = declaration.sealedCopy, let key = declaration.sealedBy {
            cache = try SealedCache(path: path, key: key, resolver: SecretResolver())
        }
        let isAsked = declaration.password != nil || ask != nil
        return VaultSecrets(
            account,
            mode: isAsked ? .vaultFirst : .cacheOnly,
            cache: cache,
            ask: ask,
            sealedFor: declaration.sealedFor,
            unsealed: unsealed
        )
    }

    /// The secret; nil when its file does not exist yet.
    package func read(_ reference: SecretReference) async throws -> Secret? { try await find(reference)?.secret }

    /// What should be known of the sealed copies that were used so far: a vault that does not answer, and how old they are.
    package func sealedFindings() async -> [Finding] {
        let used = sealed.withLock { $0 }
        return await vault?.findings(of: used) ?? []
    }

    /// As `read`, with what is known about where it came from.
    package func find(_ reference: SecretReference) async throws -> ResolvedSecret? {
        guard let found = try await resolver.resolveIfPresent(reference) else { return nil }
        if let use = SealedUse(found) {
            sealed.withLock { sealed in
                if !sealed.contains(where: { $0.reference == use.reference }) { sealed.append(use) }
            }
        }
        for finding in found.findings where told.withLock({ $0.insert(finding).inserted }) { report(finding) }
        return found
    }
}
