import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticRepository
import Sealing
import Strategy

/// Opens and creates the repositories of a lab.
///
/// A repository is created only when its password file does not exist yet: then it never was. With a password and no repository,
/// the disk is missing or another one is mounted, and creating a new repository there would hide that (B-09).
struct LabRepository {
    let declaration: RepositoryDeclaration
    let medium: Medium
    let environment: RepositoryEnvironment
    let secrets: LabSecrets
    /// As in `LabEnvironment`.
    let keyCost: ScryptParameters?

    var path: String { "\(medium.path)/\(declaration.name)" }

    /// Opens the repository, or creates it together with its password.
    ///
    /// `created` tells which.
    func openOrCreate() async throws -> (repository: Repository, created: Bool) {
        try requireMedium()
        let store = LocalStorage(ByteString(path))
        if let password = try await secrets.read(declaration.password) {
            do {
                return (try await Repository.open(store: store, password: password, environment: environment), false)
            } catch let failure as RepositoryFailure where failure.code == .noRepository {
                throw missing(failure)
            }
        }
        return (try await create(store), true)
    }

    /// Opens it once more, without the index that a backup loaded.
    func reopen() async throws -> Repository {
        guard let password = try await secrets.read(declaration.password) else { throw missing(nil) }
        return try await Repository.open(
            store: LocalStorage(ByteString(path)),
            password: password,
            environment: environment
        )
    }

    /// The password waits under a temporary name until the repository is true, so that a crash between the two leaves both readable.
    private func create(_ store: LocalStorage) async throws -> Repository {
        guard case .file(let file) = declaration.password else { throw missing(nil) }
        let temporary = file + ".new"
        let waiting = try await secrets.read(.file(temporary))
        let password = try waiting ?? makeSecret(at: temporary, entropy: environment.entropy)
        if waiting != nil,
            let found = try? await Repository.open(store: store, password: password, environment: environment)
        {
            try promoteSecret(from: temporary, to: file)
            return found
        }
        let repository = try await Repository.create(
            store: store,
            password: password,
            scrypt: keyCost,
            environment: environment
        )
        try promoteSecret(from: temporary, to: file)
        return repository
    }

    private func requireMedium() throws {
        let kind = try? status(at: ByteString(medium.path), followLinks: true).kind
        guard kind == .directory else {
            throw LabFailure(
                .mediumMissing,
                operation: "open medium",
                object: "\(medium.name) (\(medium.path))",
                what: kind == nil ? "the folder is not there" : "is no folder",
                state: "nothing was written; the other media are not touched",
                next: "attach and mount the disk, or create the folder if it is new: mkdir -p \(medium.path)"
            )
        }
    }

    private func missing(_ cause: RepositoryFailure?) -> LabFailure {
        LabFailure(
            .mediumMissing,
            operation: "open repository",
            object: "\(declaration.name) (\(path))",
            what: "its password exists (\(declaration.password.text)), but the repository does not",
            state: "nothing was written",
            next:
                "mount the disk that holds it; or, to begin a new one there, give it a password file that does not exist yet",
            cause: cause
        )
    }
}
