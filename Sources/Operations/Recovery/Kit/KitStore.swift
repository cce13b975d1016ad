import Bytes
import HostSystem
import KitFormat
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository
import SecretStore

/// Opens a repository with what a kit says, and with nothing else: no declaration, no vault, no copies of metadata, nothing remembered, no lock, and no
/// variable of this process.
///
/// A disk may be mounted elsewhere than it was: the ends of the location are looked for below each mount, and the identifier decides.
struct KitStore: Sendable {
    let entry: KitRepository
    let environment: RepositoryEnvironment
    /// Where the operator says that it lies; nil: as the kit says, or below a mount.
    var place: String?

    /// Mounts that are looked at.
    private static let mountsMax = 200

    /// The repository and the folder that it was found in.
    struct Opened: Sendable {
        var repository: Repository
        var path: String
    }

    /// Errors: `E-KIT-AWAY` where it is not here, `E-KIT-OPENS-NOT` where it does not open or is another one, those of the engine for damage.
    func open() async throws -> Opened {
        guard place != nil || entry.location.hasPrefix("/") else { return try await open(try remote(), entry.location) }
        let candidates = place.map { [$0] } ?? self.candidates
        var other: (any Error)?
        for (number, path) in candidates.enumerated() where isRepository(path) || number == 0 && isForbidden(path) {
            do { return try await open(path) } catch let failure as KitFailure {
                // Another repository may lie at the same end of a path.
                other = other ?? failure
            }
        }
        throw other ?? notThere(candidates)
    }

    private func open(_ path: String) async throws -> Opened { try await open(LocalStorage(ByteString(path)), path) }

    private func open(_ store: any ObjectStorage, _ path: String) async throws -> Opened {
        let repository: Repository
        do {
            repository = try await Repository.open(
                store: store,
                password: entry.password,
                environment: environment
            )
        } catch let failure as RepositoryFailure where failure.code == .wrongPassword {
            throw opensNot(path, "does not open with the password of the kit", cause: failure)
        } catch let failure as StorageFailure where store.localDirectory == nil && failure.code == .auth {
            throw opensNot(path, "is not entered with the credentials of the kit: \(failure.what)", cause: failure)
        } catch let failure as StorageFailure where Self.unreachable.contains(failure.code) {
            throw away("cannot be read: \(failure.what)", failure.next)
        }
        if let id = entry.id, repository.config.id.hex != id {
            throw opensNot(
                path,
                "is another repository: its identifier is \(repository.config.id.hex.prefix(8)), not \(id.prefix(8))"
            )
        }
        return Opened(repository: repository.forProof(), path: path)
    }

    // MARK: where it may lie

    private var candidates: [String] {
        let parts = entry.location.split(separator: "/").map(String.init)
        let tails = parts.indices.map { "/" + parts[$0...].joined(separator: "/") } + [""]
        let mounts = ((try? MountTable.current())?.mounts ?? []).prefix(Self.mountsMax).map(\.point.display)
        var found = [entry.location]
        for mount in mounts where mount != "/" {
            for path in tails.map({ mount + $0 }) where !found.contains(path) { found.append(path) }
        }
        return found
    }

    /// What says nothing of the kit: the store did not let us read.
    private static let unreachable: Set<StorageCode> = [
        .permission, .diskGone, .busy, .timeout, .resources, .auth, .unreachable, .untrusted, .clock,
    ]

    /// Somebody else may look into it.
    private func isForbidden(_ path: String) -> Bool {
        do throws(Errno) {
            _ = try status(at: ByteString("\(path)/config"), followLinks: true)
            return false
        } catch {
            return error.kind == .permission
        }
    }

    /// By names alone; nothing is opened.
    private func isRepository(_ path: String) -> Bool {
        ["config", "keys"].allSatisfy { (try? status(at: ByteString("\(path)/\($0)"), followLinks: true)) != nil }
    }

    // MARK: refusing

    private func notThere(_ candidates: [String]) -> KitFailure {
        if let place {
            return away("is not at \(place): there is no repository", "name its folder: --at \(entry.name)=FOLDER")
        }
        let disk = entry.disk.map { "the disk with file system \($0)" } ?? "its disk"
        let device = entry.disk.map { "/dev/disk/by-uuid/\($0)" } ?? ""
        let isPlugged = entry.disk != nil && (try? status(at: ByteString(device), followLinks: true)) != nil
        let next =
            isPlugged
            ? "\(disk) is plugged in, and not mounted: mount -o ro \(device) /mnt"
            : "attach \(disk) and mount it anywhere; or name the folder: --at \(entry.name)=FOLDER"
        return away("is not here: no repository lies in \(entry.location), nor at the ends of it below any mount", next)
    }

    func away(_ what: String, _ next: String) -> KitFailure {
        KitFailure(
            .away,
            retry: .later,
            operation: "open with kit",
            object: "\(entry.name) (\(entry.location))",
            what: what,
            state: "nothing was written",
            next: next
        )
    }

    private func opensNot(_ path: String, _ what: String, cause: (any Error)? = nil) -> KitFailure {
        KitFailure(
            .opensNot,
            operation: "open with kit",
            object: "\(entry.name) (\(path))",
            what: what,
            state: "nothing was written",
            next: "is this the newest kit? make one while the machine lives: holdfast kit create FILE",
            cause: cause
        )
    }
}
