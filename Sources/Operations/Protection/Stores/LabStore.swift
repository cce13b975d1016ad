import Bytes
import HostSystem
import ObjectStorage
package import Outcome
import Sealing
package import Chunking
package import ResticRepository
package import SecretStore
package import Strategy

/// A declared repository on its medium: opens and creates it.
///
/// A repository is created only where nothing says that it ever was: no password yet, or none that is remembered. With a password and no
/// repository, the disk is missing or another one is mounted, and creating a new repository there would hide that (B-09).
package struct LabStore: Sendable {
    package let declaration: RepositoryDeclaration
    package let medium: Medium
    let environment: ProtectionEnvironment

    package var name: String { declaration.name }
    /// Where it lies, for people and for `-r`.
    package var path: String { medium.text(of: declaration.name) }

    /// Errors: why this run could not mount the medium.
    private var check: MediumCheck { get throws { try environment.check(medium) } }

    /// How a repository is opened.
    package enum Use: Sendable {
        /// Reading and writing, with copies of metadata on this machine.
        case work
        /// Everything from the store itself: for proofs.
        case proof
        /// As for proofs, and nothing of it is remembered: for what may be refused still.
        case trial
    }

    /// Opens the repository.
    ///
    /// Errors: `E-MEDIUM` when the disk or the repository on it is not there, `E-SECRET`, those of the engine.
    package func open(_ use: Use = .work, _ patience: Patience = .looking) async throws -> Repository {
        try check.requireReadable()
        guard let found = try await environment.secrets.find(declaration.password) else { throw passwordGone }
        return try await open(use, patience, with: found)
    }

    /// As above, with a password that was found already.
    package func open(_ use: Use, _ patience: Patience = .looking, with found: ResolvedSecret) async throws
        -> Repository
    {
        try check.requireReadable()
        do {
            let repository = try await Repository.open(
                store: try await plainStorage(patience),
                password: found.secret,
                environment: environment.repository,
                options: options(use)
            )
            await environment.noteProof(of: found, opening: name)
            return repository
        } catch let failure as RepositoryFailure where failure.code == .noRepository {
            throw missing(failure)
        }
    }

    /// What went wrong, with its subject where that is not the repository: a password, the vault.
    package func trouble(_ failure: any ReportableFailure) -> String {
        guard failure is SecretFailure else { return failure.what }
        if let credentials = medium.credentials, credentials.references.contains(where: { $0.text == failure.object }) {
            return "the credentials of \(medium.name), \(failure.object), \(failure.what)"
        }
        let reference = declaration.password.text
        let subject = failure.object == reference ? reference : "\(reference): \(failure.object)"
        return "its password \(subject) \(failure.what)"
    }

    /// True when a repository that was never seen before cannot be opened because there is none, and the next run makes it.
    ///
    /// A password that is there says that it was made, unless the declared identity proves that the right disk is mounted, or a service
    /// says that it has none.
    package func isToBeMade(after failure: any ReportableFailure) -> Bool {
        let isNothingThere = medium.isRemote || ["config", "keys"].allSatisfy { isMissing("\(path)/\($0)") }
        switch ProtectionCode(rawValue: failure.codeName) {
        case .mediumMissing: return isNothingThere && (medium.identity != nil || medium.isRemote)
        case .secret:
            guard case .file(let file) = declaration.password, isMissing(file) else { return false }
            // A password that waits for its place: the repository is being made, or that was broken off.
            return isNothingThere || !isMissing(file + ".new")
        default: return false
        }
    }

    private func isMissing(_ path: String) -> Bool {
        do throws(Errno) {
            _ = try status(at: ByteString(path), followLinks: true)
            return false
        } catch {
            return error.kind == .missing
        }
    }

    /// Whether a repository may be made where none is.
    package enum Creation: Sendable {
        /// It was seen before: where it is not now, its disk is missing.
        case never
        /// Its password file is made with it; a password that is there says that the repository was, too, unless the declared identity
        /// proves that the right disk is mounted, or this very run made the password, for another repository that shares it.
        case asNew
        /// The operator asked for it: with the password that is there, too.
        case asAsked
    }

    /// Opens the repository, or creates it, with a new password file where none is there.
    ///
    /// `polynomial` lets copies from another repository deduplicate. `known` was opened before and has the key already. `created` tells which.
    package func openOrCreate(
        polynomial: Polynomial?,
        _ creation: Creation = .asNew,
        known: Repository? = nil
    ) async throws -> (repository: Repository, created: Bool) {
        try check.requireWritable()
        // Two that make one repository at once would each leave a key, and one of them opens nothing.
        let lock = try await lock("repository-\(name)")
        defer { lock?.unlock() }
        let store = try await storage()
        if let known, let again = try await Repository.reopen(known, store: store, options: options(.work)) {
            return (again, false)
        }
        if let found = try await environment.secrets.find(declaration.password) {
            do {
                let repository = try await Repository.open(
                    store: store,
                    password: found.secret,
                    environment: environment.repository,
                    options: options(.work)
                )
                await environment.noteProof(of: found, opening: name)
                return (repository, false)
            } catch let failure as RepositoryFailure where failure.code == .noRepository {
                switch creation {
                case .asAsked: break
                // A service that answers and has none is the right place, as a disk with the declared identity is.
                case .asNew
                where medium.identity != nil || medium.isRemote || environment.newPasswords.holds(declaration.password):
                    break
                case .asNew, .never: throw missing(failure)
                }
                return (try await make(store, found.secret, polynomial), true)
            }
        }
        if case .never = creation { throw passwordGone }
        return (try await create(store, polynomial), true)
    }

    /// Waits for another process of this lab that holds it; nil where no lock can be had.
    private func lock(_ name: String) async throws -> FileDescriptor? {
        for _ in 0..<600 {
            let lock: FileDescriptor?
            do { lock = try StateFolder.takeLock(name, in: environment.stateFolder) } catch {
                return nil
            }
            if let lock { return lock }
            try await environment.repository.time.sleep(nanoseconds: 100_000_000)
        }
        return nil
    }

    /// The store within its budget; for what a run moves.
    private func storage() async throws -> any ObjectStorage {
        let plain = try await plainStorage(.running)
        let budget = declaration.budget
        guard budget.upload != nil || budget.download != nil else { return plain }
        return LimitedStorage(
            plain,
            upload: rate(budget.upload),
            download: rate(budget.download),
            time: environment.repository.time
        )
    }

    /// What may be moved now, by the clock of the declaration's zone.
    private func rate(_ timetable: RateTimetable?) -> LimitedStorage.Rate? {
        guard let timetable else { return nil }
        let (time, rules) = (environment.repository.time, environment.zone(nil))
        return {
            let now = time.now()
            let second = (now.seconds + Int64(rules.offsetSeconds(at: now))) % 86_400
            return timetable.bytesPerSecond(atSecond: Int(second < 0 ? second + 86_400 : second))
        }
    }

    private func make(_ store: any ObjectStorage, _ password: Secret, _ polynomial: Polynomial?) async throws
        -> Repository
    {
        try await Repository.create(
            store: store,
            password: password,
            polynomial: polynomial,
            scrypt: environment.keyCost,
            environment: environment.repository,
            options: options(.work)
        )
    }

    private var passwordGone: ProtectionFailure {
        ProtectionFailure(
            .secret,
            operation: "open repository",
            object: "\(name) (\(path))",
            what: "its password (\(declaration.password.text)) does not exist",
            state: "nothing was changed",
            next: "bring the password back to \(declaration.password.text)"
        )
    }

    private func options(_ use: Use) -> RepositoryOptions {
        var options = RepositoryOptions()
        options.warn = environment.warn
        let folder = ByteString(StateFolder.cache(in: environment.stateFolder))
        if use != .trial { options.recordDirectory = folder }
        if use == .work { options.cacheDirectory = folder }
        return options
    }

    /// The password waits under a temporary name until the repository is true, so that a crash between the two leaves both readable.
    private func create(_ store: any ObjectStorage, _ polynomial: Polynomial?) async throws -> Repository {
        guard case .file(let file) = declaration.password else { throw missing(nil) }
        // One password for all that share the file: whoever is first makes it.
        let turn = try await lock("password-\(sha256(file).hex.prefix(16))")
        defer { turn?.unlock() }
        // It was not there a moment ago: it was made meanwhile, and this repository was never made with it.
        if let found = try await environment.secrets.find(declaration.password) {
            return try await make(store, found.secret, polynomial)
        }
        let temporary = file + ".new"
        let waiting = try await environment.secrets.read(.file(temporary))
        let password = try waiting ?? makeSecret(at: temporary, entropy: environment.repository.entropy)
        if waiting != nil,
            let found = try? await Repository.open(
                store: store,
                password: password,
                environment: environment.repository,
                options: options(.work)
            )
        {
            try promoteSecret(from: temporary, to: file)
            environment.newPasswords.add(declaration.password)
            return found
        }
        let repository = try await make(store, password, polynomial)
        try promoteSecret(from: temporary, to: file)
        environment.newPasswords.add(declaration.password)
        return repository
    }

    private func missing(_ cause: RepositoryFailure?) -> ProtectionFailure {
        ProtectionFailure(
            .mediumMissing,
            operation: "open repository",
            object: "\(declaration.name) (\(path))",
            what: "its password exists (\(declaration.password.text)), but the repository does not",
            state: "nothing was written",
            next: medium.lock != nil
                ? "if its objects were deleted, they can be read as they were: docs/manual/immutable.md; if it was never made: holdfast media replace \(medium.name)"
                : medium.isRemote
                    ? "look whether that is the right place; if it is, and the repository is lost or was never made: holdfast media replace \(medium.name)"
                    : "mount the disk that holds it; if it is dead or was never made: holdfast media replace \(medium.name)",
            cause: cause
        )
    }
}
