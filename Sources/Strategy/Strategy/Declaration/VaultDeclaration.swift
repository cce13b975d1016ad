/// The vault that `vault:` references look into: where it is, and what opens it.
package struct VaultDeclaration: Sendable, Hashable {
    /// `https://vault.example`.
    package var address: String
    package var email: String
    /// Nil: a person types it.
    package var password: SecretReference?
    /// Both or none.
    package var clientID: SecretReference?
    package var clientSecret: SecretReference?
    /// A file in PEM; nil: the system's.
    package var certificates: String?
    /// Both or none.
    package var sealedCopy: String?
    package var sealedBy: SecretReference?
    /// How long a secret in the sealed copy counts, from when the vault gave it.
    package var sealedFor: Duration
    /// Folders and files in which the vault itself keeps its data.
    package var data: [String]
    package var place: Place

    /// `vault.sealed-for` where it is not said.
    package static let usualSealedFor = Duration.seconds(180 * 86_400)

    /// What opens it, with the keys that say so.
    var references: [(key: String, reference: SecretReference)] {
        [("password", password), ("client-id", clientID), ("client-secret", clientSecret), ("sealed-by", sealedBy)]
            .compactMap { key, reference in reference.map { (key, $0) } }
    }
}

/// The circle in which the vault's backup opens only by what lies in the vault.
package struct VaultLoop: Sendable, Hashable {
    package var workload: String
    package var repository: String

    package init(workload: String, repository: String) {
        self.workload = workload
        self.repository = repository
    }
}

extension Lab {
    /// Those that runs read: without the keys that prune, for which somebody has to be there.
    package var runReferences: [(key: String, reference: SecretReference)] {
        secretReferences.filter { !$0.key.hasPrefix("media.") || !$0.key.hasSuffix(".pruning") }
    }

    /// Every reference to a secret with the key that it stands behind, in the order of the file's parts.
    package var secretReferences: [(key: String, reference: SecretReference)] {
        media.flatMap { medium in
            (medium.credentials?.references ?? []).map { ("media.\(medium.name).credentials", $0) }
                + (medium.readOnly?.references ?? []).map { ("media.\(medium.name).read-only", $0) }
                + (medium.pruning?.references ?? []).map { ("media.\(medium.name).pruning", $0) }
        } + repositories.map { ("repositories.\($0.name).password", $0.password) }
            + (vault?.references ?? []).map { ("vault.\($0.key)", $0.reference) } + kit.references
            + channels.flatMap(\.references)
    }

    /// Repositories that keep the vault's data and whose password is in that vault alone, with the workload that brings it there.
    ///
    /// Empty when the declaration does not say where the vault keeps its data. Excludes are not looked at: whether one of them leaves the data out, only
    /// a walk would tell.
    package var vaultLoops: [VaultLoop] {
        guard let vault else { return [] }
        return workloads.flatMap { workload -> [VaultLoop] in
            let holdsVault = vault.data.contains { data in
                workload.host.paths.contains { isWithin(data, $0) || isWithin($0, data) }
            }
            guard holdsVault else { return [] }
            return workload.repositories.compactMap { name in
                guard case .vault? = repository(named: name)?.password else { return nil }
                return VaultLoop(workload: workload.name, repository: name)
            }
        }
    }
}

/// Whether an absolute path is the folder or lies in it.
private func isWithin(_ path: String, _ folder: String) -> Bool {
    folder == "/" || path == folder || path.hasPrefix(folder + "/")
}
