import Bytes
import HostSystem
import Journal
import ObjectStorage
package import KitFormat
import Outcome
package import Protection
import ResticFormat
import ResticRepository
import SecretStore
package import Strategy

/// Makes a recovery kit of what the declaration names.
///
/// ```
/// each repository: read its password > open it with that > its identifier and disk        the other secrets       > the kit
/// ```
/// 1. A repository whose disk is here is named only with a password that opened it just now. 2. One whose disk is away is named with the password that the
/// declaration has, and the kit says that this was not proven. 3. What cannot be had makes no kit: one that lacks something unseen is worse than none.
package struct KitMaking: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// A kit, and what a person should know of it.
    package struct Made: Sendable {
        package var kit: RecoveryKit
        /// Repositories that were not opened, with the reason.
        package var unproven: [(name: String, why: String)] = []
        /// What this machine remembers of it.
        package var history: KitHistory
    }

    /// Makes it; nothing is written but the key of tags.
    ///
    /// `program` says who makes it.
    ///
    /// Errors: those of the secrets, `E-KIT-INCOMPLETE`, those of a repository that is here and does not open.
    package func make(program: String, leavingOut: Set<String> = []) async throws -> Made {
        let lab = environment.lab
        let unknown = leavingOut.subtracting(lab.repositories.map(\.name)).sorted()
        if let name = unknown.first {
            throw Recovery.unknown(
                name,
                "is no repository of the declaration",
                among: lab.repositories.map(\.name),
                "make kit without"
            )
        }
        return try await environment.withMounted(lab.media.map(\.name)) { environment in
            try await KitMaking(environment).collect(program, leavingOut)
        }
    }

    /// Remembers a kit that was written: its serial, its date, tags of what it carries, and never a secret.
    package func record(_ made: Made) async {
        let history = made.history
        await LedgerFile(environment).update { $0.kit = history }
        await environment.noteInJournal(history, "kit create")
    }

    // MARK: parts

    private func collect(_ program: String, _ leavingOut: Set<String>) async throws -> Made {
        let lab = environment.lab
        let entropy = environment.repository.entropy
        let now = environment.now
        let tags = try SecretTags.open(in: environment.stateFolder, entropy: entropy)
        var kit = RecoveryKit(
            lab: lab.name,
            host: environment.repository.hostName.display,
            serial: KitCheck.serial(entropy),
            made: "\(LocalTime(utc: Timestamp(seconds: now.seconds))) UTC",
            program: program
        )
        kit.holders = lab.kit.holders
        kit.accounts = lab.kit.accounts + (lab.vault.map { ["vault \($0.address), \($0.email)"] } ?? [])
        var made = Made(kit: kit, history: KitHistory(serial: kit.serial, made: now, tagKey: tags.name))
        let ledger = LedgerFile(environment).current()
        for store in environment.stores where !leavingOut.contains(store.name) {
            let found = try await secret(store.declaration.password, "repositories.\(store.name).password", &made, tags)
            let entry = try await self.entry(of: store, found, ledger, &made)
            made.history.ids[store.name] = entry.id ?? ""
            made.kit.repositories.append(entry)
        }
        for named in lab.kit.secrets {
            let found = try await secret(named.reference, "kit.secrets.\(named.name)", &made, tags)
            made.kit.secrets.append(KitSecret(named.name, found.secret))
        }
        return made
    }

    private func secret(_ reference: SecretReference, _ key: String, _ made: inout Made, _ tags: SecretTags)
        async throws -> ResolvedSecret
    {
        guard let found = try await environment.secrets.find(reference) else {
            throw incomplete(key, "\(reference.text) does not exist", "make the repositories first: holdfast run --all")
        }
        guard found.secret.count <= KitLimits.secretBytes else {
            let what = "has \(found.secret.count) bytes: more than \(KitLimits.secretBytes) are no matter of paper"
            throw incomplete(key, what, "keep it elsewhere, and leave it out of the kit")
        }
        made.history.tags[key] = tags.tag(of: found.secret)
        return found
    }

    private func entry(of store: LabStore, _ found: ResolvedSecret, _ ledger: Ledger, _ made: inout Made) async throws
        -> KitRepository
    {
        let history = ledger.repositories[store.name]
        var entry = KitRepository(
            name: store.name,
            medium: store.medium.name,
            kind: store.medium.kind.rawValue,
            location: store.path,
            disk: store.medium.identity ?? history?.place?.fileSystem,
            id: history?.id,
            state: "opened with this password when the kit was made",
            password: found.secret
        )
        entry.workloads = environment.lab.workloads.filter { $0.repositories.contains(store.name) }.map(\.name)
        entry.variables = try await store.kitVariables()
        do {
            entry.id = try await opened(entry, store, found).config.id.hex
            if let folder = store.medium.folder {
                entry.disk = store.medium.identity ?? DiskNames().fileSystemUUID(of: folder) ?? entry.disk
            }
        } catch let failure as ProtectionFailure where failure.isAway {
            let why = failure.operation == "open repository" ? "no repository was there" : failure.what
            entry.state = "NOT opened when the kit was made: \(why)"
            made.unproven.append((store.name, why))
        } catch let failure as KitFailure where failure.code == .away {
            entry.state = "NOT opened when the kit was made: \(failure.what)"
            made.unproven.append((store.name, failure.what))
        } catch let failure as StorageFailure where store.medium.isRemote {
            entry.state = "NOT opened when the kit was made: \(failure.what)"
            made.unproven.append((store.name, failure.what))
        }
        if case .s3 = store.medium.location, entry.variables.isEmpty {
            entry.state +=
                "; what enters \(store.medium.name) is not in this kit: declare media.\(store.medium.name).read-only"
        }
        return entry
    }

    /// With what the kit will have, where it has something of its own to enter with.
    private func opened(_ entry: KitRepository, _ store: LabStore, _ found: ResolvedSecret) async throws -> Repository {
        guard !entry.variables.isEmpty else { return try await store.open(.trial, with: found) }
        return try await KitStore(entry: entry, environment: environment.repository).open().repository
    }

    private func incomplete(_ key: String, _ what: String, _ next: String) -> KitFailure {
        KitFailure(
            .incomplete,
            operation: "make kit",
            object: key,
            what: what,
            state: "no kit was written",
            next: "\(next); or leave a repository out: --without NAME"
        )
    }
}

extension ProtectionFailure {
    /// The medium is not here, which says nothing of the password.
    fileprivate var isAway: Bool { [.mediumMissing, .mediumUnmounted, .mediumForeign].contains(code) }
}

extension LabStore {
    /// What restic needs in its environment beside the password: the credential that can only read; a disk needs nothing.
    func kitVariables() async throws -> [KitSecret] {
        guard let pair = try await readOnlyPair() else { return [] }
        let name = Secret(Array(pair.name.utf8))
        switch medium.location {
        case .s3(let bucket):
            let region = bucket.region.map { [KitSecret(KitVariable.region, Secret(Array($0.utf8)))] } ?? []
            return [KitSecret(KitVariable.keyID, name), KitSecret(KitVariable.key, pair.secret)] + region
        case .rest: return [KitSecret(KitVariable.user, name), KitSecret(KitVariable.password, pair.secret)]
        case .folder, .sftp: return []
        }
    }
}
