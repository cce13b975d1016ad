/// Makes the vault of a declaration that fits the schema, and finds what its parts cannot mean together.
struct VaultBuilder {
    let root: DeclaredTable
    private(set) var problems: [StrategyProblem] = []
    private(set) var warnings: [StrategyProblem] = []

    init(root: DeclaredTable) { self.root = root }

    /// Nil where none is declared.
    mutating func vault() -> VaultDeclaration? {
        guard let table = root["vault"]?.table else { return nil }
        let vault = VaultDeclaration(
            address: table["address"]?.text ?? "",
            email: table["email"]?.text ?? "",
            password: secret(table, "password"),
            clientID: secret(table, "client-id"),
            clientSecret: secret(table, "client-secret"),
            certificates: table["certificates"]?.text,
            sealedCopy: table["sealed-copy"]?.text,
            sealedBy: secret(table, "sealed-by"),
            sealedFor: length(table, "sealed-for") ?? VaultDeclaration.usualSealedFor,
            data: table["data"]?.texts ?? [],
            place: root.place(of: "vault")
        )
        checkAddress(vault, table)
        checkPair("client-id", "client-secret", in: table)
        checkPair("sealed-copy", "sealed-by", in: table)
        if table["sealed-for"] != nil, table["sealed-copy"] == nil {
            report(
                table.place(of: "sealed-for"),
                "vault.sealed-for",
                "stands without sealed-copy",
                "add \"sealed-copy\""
            )
        }
        for (key, reference) in vault.references {
            guard case .vault = reference else { continue }
            report(table.place(of: key), "vault.\(key)", "lies in the vault that it opens", "name another place")
        }
        return vault
    }

    /// References need a vault; nights need more than one that may be down.
    mutating func check(_ lab: Lab) {
        for repository in lab.repositories {
            guard case .vault = repository.password else { continue }
            if lab.vault == nil {
                report(
                    repository.place,
                    "repositories.\(repository.name).password",
                    "looks into a vault, and none is declared",
                    "add \"vault\" with address and email, or name another place"
                )
            }
        }
        for secret in lab.kit.secrets where lab.vault == nil {
            guard case .vault = secret.reference else { continue }
            let what = "looks into a vault, and none is declared"
            let next = "add \"vault\" with address and email, or name another place"
            report(secret.place, "kit.secrets.\(secret.name)", what, next)
        }
        for medium in lab.media where lab.vault == nil {
            for (key, credentials) in [
                ("credentials", medium.credentials), ("read-only", medium.readOnly), ("pruning", medium.pruning),
            ] {
                guard case .vault? = credentials?.references.first else { continue }
                let what = "looks into a vault, and none is declared"
                let next = "add \"vault\" with address and email, or name another place"
                report(medium.place, "media.\(medium.name).\(key)", what, next)
            }
        }
        for channel in lab.channels where lab.vault == nil {
            for (key, reference) in channel.references {
                guard case .vault = reference else { continue }
                let what = "looks into a vault, and none is declared"
                report(channel.place, key, what, "add \"vault\" with address and email, or name another place")
            }
        }
        guard let vault = lab.vault else { return }
        let needed = lab.repositories.map(\.password) + lab.media.flatMap { $0.credentials?.references ?? [] }
        let isUsed = needed.contains { if case .vault = $0 { true } else { false } }
        if isUsed, vault.sealedCopy == nil {
            warn(
                vault.place,
                "vault",
                "has no sealed copy: when it does not answer at night, nothing is backed up",
                "add sealed-copy and sealed-by"
            )
        }
        for loop in lab.vaultLoops {
            warn(
                lab.repository(named: loop.repository)?.place ?? vault.place,
                "repositories.\(loop.repository).password",
                "lies in the vault, and \"\(loop.workload)\" brings the vault's data into this repository: once the vault is lost, neither opens the other",
                "keep the password outside of the vault as well, on paper or in a recovery kit, and open the repository with that once"
            )
        }
    }

    private func secret(_ table: DeclaredTable, _ key: String) -> SecretReference? {
        if case .secret(let reference)? = table[key]?.scalar { reference } else { nil }
    }

    private func length(_ table: DeclaredTable, _ key: String) -> Duration? {
        if case .duration(let length)? = table[key]?.scalar { length } else { nil }
    }

    private mutating func checkAddress(_ vault: VaultDeclaration, _ table: DeclaredTable) {
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        let isLocal = local.contains { start in
            vault.address.hasPrefix(start)
                && (vault.address.dropFirst(start.count).first.map { ":/".contains($0) } ?? true)
        }
        guard isLocal || vault.address.hasPrefix("https://"), !vault.address.contains("@") else {
            // The address is not shown: it may hold a password.
            report(
                table.place(of: "address"),
                "vault.address",
                "is no address that starts with https://",
                "write such as https://vault.example, without a user"
            )
            return
        }
    }

    private mutating func checkPair(_ one: String, _ other: String, in table: DeclaredTable) {
        for (present, absent) in [(one, other), (other, one)] where table[present] != nil && table[absent] == nil {
            report(table.place(of: present), "vault.\(present)", "stands without \(absent)", "add \"\(absent)\"")
        }
    }

    private mutating func report(_ place: Place, _ key: String, _ what: String, _ next: String) {
        problems.append(StrategyProblem(place, key: key, what: what, next: next))
    }

    private mutating func warn(_ place: Place, _ key: String, _ what: String, _ next: String) {
        warnings.append(StrategyProblem(place, key: key, what: what, next: next))
    }
}
