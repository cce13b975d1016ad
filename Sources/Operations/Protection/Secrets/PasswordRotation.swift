import Bytes
import HostSystem
package import Journal
package import Outcome
import ResticFormat
import ResticRepository
import SecretStore
package import Strategy

/// Gives repositories one more password; nothing is removed.
///
/// ```
/// mount what is needed and is not mounted > refuse what cannot be written to > open every repository of the reference with the old password
/// > STORE the new one, read it back > each repository: add the key > open anew with the new password alone, read a tree > record > unmount
/// ```
/// 1. The new password is stored, and read back, before any repository knows it: there is no key whose password nobody keeps.
/// 2. All repositories of one reference are rotated together, or none: one that is not here would be left behind unseen.
/// 3. No key and no stored password is removed (L7), and the declaration is not edited. Broken off anywhere, the old password opens
///    everything; run again, it takes a further name.
package struct PasswordRotation: Sendable {
    /// What was reached, in this order.
    package enum Stage: Sendable, Hashable {
        case opened(repositories: [String])
        case stored(SecretReference)
        case keyed(repository: String, key: String)
        /// `what` says what was read.
        case proven(repository: String, what: String)
        case recorded
    }

    /// How it ended for one repository.
    package struct Outcome: Sendable {
        package var repository: RepositoryDeclaration
        package var path: String
        /// The new key in hexadecimal; nil where none was added, or it is not known whether.
        package var key: String?
        package var failure: (any ReportableFailure)?
    }

    /// What was done.
    package struct Report: Sendable {
        package var old: SecretReference
        /// What the declaration names from now on.
        package var new: SecretReference
        package var outcomes: [Outcome]
    }

    private var environment: ProtectionEnvironment
    private let openJournal: @Sendable () async -> RunJournal?
    private let reached: @Sendable (Stage) -> Void

    /// `reached` hears of each stage when it is behind; on any task.
    ///
    /// `journal` opens the record where the environment has none: only when nothing can refuse the rotation any more, or a medium is mounted for it.
    package init(
        _ environment: ProtectionEnvironment,
        reached: @escaping @Sendable (Stage) -> Void = { _ in },
        journal: @escaping @Sendable () async -> RunJournal? = { nil }
    ) {
        self.environment = environment
        openJournal = journal
        self.reached = reached
    }

    /// Says what would be done, having opened everything; nothing is written.
    package func plan(_ name: String, to place: SecretReference? = nil) async throws -> Report {
        try await prepared(name, to: place) { rotation, task in
            let outcomes = task.stores.map { Outcome(repository: $0.declaration, path: $0.path) }
            return Report(old: task.old, new: try await task.target.firstFree(), outcomes: outcomes)
        }
    }

    /// Rotates the password of that repository, and of all that share its reference.
    ///
    /// Errors: `E-UNKNOWN`, `E-SECRET`, `E-BUSY`, those of a medium that is not here, of the vault, of the engine: before any repository
    /// was changed, and before this machine remembers anything. What fails later is in the report, and the other repositories go on.
    package func run(_ name: String, to place: SecretReference? = nil) async throws -> Report {
        try await prepared(name, to: place) { try await $0.rotate($1) }
    }

    private func rotate(_ task: Prepared) async throws -> Report {
        try await task.target.requireFreeFile()
        guard let lock = try StateFolder.takeLock("secret-rotate", in: environment.stateFolder) else {
            throw busy(task.stores[0].name)
        }
        defer { lock.unlock() }
        let rotation = await recording()
        reached(.opened(repositories: task.stores.map(\.name)))
        let password = makePassword(environment.repository.entropy)
        let new = try await task.target.store(password, notes: notes(task.stores))
        await rotation.record("secret rotate: stored", new.reference.text)
        reached(.stored(new.reference))
        var outcomes: [Outcome] = []
        for (store, repository) in zip(task.stores, task.repositories) {
            let recorded = rotation.environment.store(named: store.name) ?? store
            outcomes.append(try await rotation.add(new, to: recorded, repository))
        }
        reached(.recorded)
        return Report(old: task.old, new: new.reference, outcomes: outcomes)
    }

    /// The same with the record open.
    private func recording() async -> PasswordRotation {
        var copy = self
        if environment.journal == nil { copy.environment.journal = await openJournal() }
        return copy
    }

    // MARK: before anything changes

    /// The repository of that name first, then those with the same reference.
    private func sharing(_ name: String) throws -> [LabStore] {
        guard let store = environment.store(named: name) else {
            throw ProtectionFailure(
                .unknown,
                operation: "rotate",
                object: "\"\(name)\"",
                what: "is no repository of the declaration",
                state: "nothing was changed",
                next: "name one of: \(environment.lab.repositories.map(\.name).joined(separator: ", "))"
            )
        }
        let others = environment.stores.filter {
            $0.name != name && $0.declaration.password == store.declaration.password
        }
        return [store] + others
    }

    /// All that is opened for a rotation.
    private struct Prepared {
        var stores: [LabStore]
        /// In the order of the stores.
        var repositories: [Repository]
        var old: SecretReference
        var target: NewPasswordPlace
    }

    /// Opens all with the old password, and does `body` with it; all media are looked at before a password is asked for.
    private func prepared(
        _ name: String,
        to place: SecretReference?,
        _ body: (PasswordRotation, Prepared) async throws -> Report
    ) async throws -> Report {
        let sharing = try sharing(name)
        let old = sharing[0].declaration.password
        let target = try NewPasswordPlace(after: old, to: place, environment)
        let media = sharing.map(\.medium.name)
        let recorded = environment.mountsAny(of: media) ? await recording() : self
        return try await recorded.environment.withMounted(media) { environment in
            var rotation = recorded
            rotation.environment = environment
            let stores = sharing.compactMap { environment.store(named: $0.name) }
            for store in stores { try rotation.requireHere(store, beside: stores) }
            var repositories: [Repository] = []
            for store in stores { repositories.append(try await store.open(.trial)) }
            return try await body(
                rotation,
                Prepared(stores: stores, repositories: repositories, old: old, target: target)
            )
        }
    }

    private func requireHere(_ store: LabStore, beside stores: [LabStore]) throws {
        do {
            try environment.check(store.medium).requireWritable()
        } catch var failure as ProtectionFailure {
            let others = stores.map(\.name).filter { $0 != store.name }
            failure.operation = "rotate password of \(store.name) on"
            failure.state = "nothing was changed, and no password was made"
            guard !others.isEmpty else { throw failure }
            let shared =
                "\(store.name) shares \(store.declaration.password.text) with \(others.joined(separator: ", "))"
            failure.what += "; \(shared)"
            failure.next += "; or give \(store.name) a reference of its own first, to the same password"
            throw failure
        }
    }

    private func busy(_ name: String) -> ProtectionFailure {
        ProtectionFailure(
            .busy,
            retry: .later,
            operation: "rotate password of",
            object: name,
            what: "waits for another `secret rotate` of this lab",
            state: "nothing was changed",
            next: "let the other one end, then run the same command again"
        )
    }

    private func notes(_ stores: [LabStore]) -> String {
        let places = stores.map { "\($0.name) (\($0.path))" }.joined(separator: ", ")
        return
            "Opens the restic repositories \(places) of lab \(environment.lab.name). Made by `holdfast secret rotate`; "
            + "it counts when the declaration names it."
    }

    // MARK: one repository

    private func add(_ new: ResolvedSecret, to store: LabStore, _ repository: Repository) async throws -> Outcome {
        var outcome = Outcome(repository: store.declaration, path: store.path)
        do {
            try await repository.locked(.shared) {
                let key = try await repository.addKey(password: new.secret, scrypt: environment.keyCost)
                outcome.key = key.id.hex
                await record("secret rotate: key added", "\(store.name) key \(key.id.short)")
                reached(.keyed(repository: store.name, key: key.id.short))
                reached(.proven(repository: store.name, what: try await prove(new, on: store)))
            }
            let fact = JournalEntry.fact(key: "rotated/\(store.name)", value: new.reference.text, when: environment.now)
            await environment.journal?.record([fact])
            await record("secret rotate: proven", "\(store.name) opens with \(new.reference.text)")
        } catch {
            outcome.failure = try reportable(error, operation: "rotate password of", object: store.name)
        }
        return outcome
    }

    /// Opens it as the next run will, from the store alone, and reads what only the right key can open.
    private func prove(_ new: ResolvedSecret, on store: LabStore) async throws -> String {
        let repository = try await store.open(.proof, with: new)
        guard let newest = try await repository.loadSnapshots(unreadable: { _, _ in }).last,
            let tree = newest.document.tree
        else { return "its config was read; there is no snapshot yet" }
        try await repository.loadIndex()
        _ = try await repository.loadTree(tree, worker: repository.makeWorker())
        return "snapshot \(newest.id.short) and its tree were read"
    }

    private func record(_ what: String, _ object: String) async {
        let machine = environment.repository
        let who = "\(machine.userName.display)@\(machine.hostName.display)"
        let entry = AuditRecord(who: who, what: what, object: object, when: environment.now)
        await environment.journal?.record([.audit(entry)])
    }
}
