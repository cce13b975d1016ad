import Bytes
import HostSystem
import Journal
import Outcome
import ResticRepository
import Sealing
import SecretStore
import Strategy

/// Where a new password is put: a file or an item of the vault that did not exist, so that no older one is lost.
///
/// What is put there counts only once it was read back from there, by the reference that the declaration will name.
struct NewPasswordPlace {
    private enum Kind {
        /// Absolute paths in one folder, the first that is free.
        case file([String])
        /// Names of items, the first that is free.
        case vault([String])
        /// The item whose name is followed by the day.
        case vaultAfter(id: String)
    }

    private let environment: ProtectionEnvironment
    private let kind: Kind
    private var day: String { "\(LocalTime(utc: environment.now).date)" }

    /// Beside the old one, or in `place` where one is named.
    ///
    /// Errors: `E-SECRET` for places that cannot be written to; nothing was touched then.
    init(after old: SecretReference, to place: SecretReference?, _ environment: ProtectionEnvironment) throws {
        self.environment = environment
        let day = "\(LocalTime(utc: environment.now).date)"
        switch (place ?? old, place != nil) {
        case (.file(let path), let isNamed):
            try Self.requireLasting(path)
            kind = .file(isNamed ? [path] : DatedNames(path, .file, day: day).candidates)
        case (.vault(let field), let isNamed):
            guard environment.secrets.vault != nil else {
                throw secretFailure(.vault(field), "has no vault to go to", next: "declare one, or use --to file:PATH")
            }
            switch field.item {
            case .named(let name) where isNamed && field.field == nil: kind = .vault([name])
            case .named(let name) where !isNamed: kind = .vault(DatedNames(name, .item, day: day).candidates)
            case .id(let id) where !isNamed: kind = .vaultAfter(id: id)
            case .named, .id:
                let next = "name an item that does not exist: --to \"vault:NAME\""
                throw secretFailure(.vault(field), "is no name for a new item", next: next)
            }
        case (.environment, _), (.command, _), (.credential, _): throw Self.unwritable(old, place)
        }
    }

    /// What lies in memory is gone with the next boot or container, and its key would be one that nobody knows.
    private static func requireLasting(_ path: String) throws {
        guard ["/run/", "/var/run/", "/dev/"].contains(where: { path.hasPrefix($0) }) else { return }
        throw secretFailure(
            .file(path),
            "would be gone with the next boot",
            next: "say where the new one goes: --to file:PATH on a disk, or --to \"vault:ITEM\""
        )
    }

    private static func unwritable(_ old: SecretReference, _ place: SecretReference?) -> ProtectionFailure {
        guard place == nil else {
            return secretFailure(
                place ?? old,
                "is not a place that can be written to",
                next: "use --to file:PATH or --to \"vault:ITEM\""
            )
        }
        let byHand = "or by hand: holdfast restic -r PATH key add, then"
        let (what, hand) =
            switch old {
            case .environment(let name):
                (
                    "is a variable of whoever starts holdfast, and cannot be written to",
                    "\(byHand) give \(name) the new one"
                )
            case .command: ("is what a program says, and cannot be written to", "\(byHand) tell the program's store")
            case .credential(let name):
                (
                    "is handed over by systemd, and cannot be written to",
                    "\(byHand) seal the new one with systemd-creds as \(name)"
                )
            case .file, .vault: ("cannot be written to", byHand)
            }
        return secretFailure(
            old,
            what,
            next: "say where the new one goes: --to file:PATH or --to \"vault:ITEM\"; \(hand)"
        )
    }

    // MARK: looking

    /// What the first free place is called now; nothing is written.
    func firstFree() async throws -> SecretReference {
        switch kind {
        case .file(let paths):
            let free = paths.first { (try? status(at: ByteString($0))) == nil }
            guard let free else { throw taken(.file(paths[0])) }
            return .file(free)
        case .vault, .vaultAfter: return Self.reference(toItem: try await freeItem()) ?? .vault(.init(.named("…")))
        }
    }

    /// Refuses a file that is there already, before anything is made.
    ///
    /// Errors: `E-SECRET`. An item of the vault is looked for when it is stored.
    func requireFreeFile() async throws {
        guard case .file = kind else { return }
        _ = try await firstFree()
    }

    private func freeItem() async throws -> String {
        guard let vault = environment.secrets.vault else { preconditionFailure("a vault was there at the start") }
        let names = try await vault.itemNames()
        let candidates: [String] =
            switch kind {
            case .file: []
            case .vault(let names): names
            case .vaultAfter(let id): DatedNames(names[id] ?? "restic", .item, day: day).candidates
            }
        let used = Set(names.values)
        guard let free = candidates.first(where: { !used.contains($0) }) else {
            throw taken(.vault(.init(.named(candidates.first ?? ""))))
        }
        return free
    }

    /// The reference by name; nil when a name cannot stand in one, so that only the item's id names it.
    private static func reference(toItem name: String) -> SecretReference? {
        let reference = SecretReference.vault(.init(.named(name)))
        return (try? readSecretReference(reference.text, folder: "/")) == reference ? reference : nil
    }

    private func taken(_ reference: SecretReference) -> ProtectionFailure {
        secretFailure(reference, "is there already, and nothing is overwritten", next: "name another place with --to")
    }

    // MARK: writing

    /// Stores the password and reads it back; `notes` say what it opens, for people.
    ///
    /// Errors: `E-SECRET` and those of the vault. What was stored stays: unused, it opens nothing.
    func store(_ password: Secret, notes: String) async throws -> ResolvedSecret {
        let reference: SecretReference
        switch kind {
        case .file(let paths): reference = try storeFile(password, paths)
        case .vault, .vaultAfter: reference = try await storeItem(password, notes)
        }
        guard let found = try await environment.secrets.find(reference) else {
            throw unproven(reference, "was written, and is not there")
        }
        let isSame = found.secret.withBytes { found in password.withBytes { found.elementsEqual($0) } }
        guard isSame else { throw unproven(reference, "was written, and reads otherwise") }
        switch found.source {
        case .file, .vault: return found
        case .environment, .command, .credential, .cache:
            throw unproven(reference, "was not read from where it is kept")
        }
    }

    private func storeFile(_ password: Secret, _ paths: [String]) throws -> SecretReference {
        for path in paths {
            let (folder, name) = splitPath(path)
            var bytes = password.withBytes { Array($0) } + [0x0a]
            defer { wipe(&bytes) }
            do throws(Errno) {
                try writeDurably(
                    bytes,
                    to: ByteString(name),
                    in: try Directory.open(ByteString(folder)),
                    ifExists: .fail,
                    entropy: environment.repository.entropy
                )
                return .file(path)
            } catch  where error.kind == .exists {
                continue
            } catch {
                let next = "\(error.remedy); or name another place with --to"
                throw secretFailure(.file(path), "cannot be written: \(error)", next: next)
            }
        }
        throw taken(.file(paths[0]))
    }

    private func storeItem(_ password: Secret, _ notes: String) async throws -> SecretReference {
        guard let vault = environment.secrets.vault else { preconditionFailure("a vault was there at the start") }
        let name = try await freeItem()
        let operation = "rotate-\(RunJournal.newID(environment.repository.entropy))"
        let item = NewVaultItem(name: name, password: password, notes: notes, operation: operation)
        let added = try await vault.add(item)
        return Self.reference(toItem: name) ?? added
    }

    private func unproven(_ reference: SecretReference, _ what: String) -> ProtectionFailure {
        var failure = secretFailure(
            reference,
            what,
            next: "look at that place; then run the same command again, which takes another name"
        )
        failure.state = "no repository was changed; what was stored there opens nothing"
        return failure
    }
}
