package import Bytes
import HostSystem
import Chunking
package import Journal
package import Outcome
package import ResticRepository
package import Sealing
package import Strategy

/// What the flows take from outside, and where this machine keeps what it remembers of a lab.
package struct ProtectionEnvironment: Sendable {
    package var repository: RepositoryEnvironment
    package var lab: Lab
    /// The way to the passwords that the lab refers to.
    package var secrets: LabSecrets
    /// Absolute folder for the ledger, locks and copies of metadata; see `StateFolder`.
    package var stateFolder: String
    /// The declaration and what it includes, as files to be left in each repository: name and bytes.
    package var declarationFiles: [(name: String, bytes: [UInt8])]
    /// The record of runs; nil where none is kept.
    package var journal: RunJournal?
    /// Cost of the keys of new repositories; nil, as outside of tests always, measures this machine for half a second.
    package var keyCost: ScryptParameters?
    /// Recorded in snapshots.
    package var programVersion: String
    /// The zone that a schedule is read in; nil: what else the declaration says by the clock.
    package var zone: @Sendable (Schedule?) -> ZoneRules
    /// Name and secret of `pruning: typed`, with a colon between them; nil: nobody was asked.
    package var typedCredentials: Secret?
    /// How media are mounted for runs.
    package var mounting = Mounting()
    /// The program that makes connections to machines behind SSH.
    package var secureShell: ByteString = "ssh"
    /// How long a service is asked that never answered in this process.
    package var firstContactSeconds = 15.0
    /// Media that this run could not mount, by name.
    var absent: [String: ProtectionFailure] = [:]
    /// Passwords that this run has made.
    let newPasswords = NewPasswords()
    /// What this process moved to and from buckets.
    let meters = BucketMeters()
    /// Tags of secrets that were read.
    let tagsSeen = TagsSeen()
    /// Hears what does not fail a run but should be known; on any task.
    package var warn: @Sendable (String) -> Void

    package init(
        repository: RepositoryEnvironment,
        lab: Lab,
        secrets: LabSecrets,
        stateFolder: String,
        declarationFiles: [(name: String, bytes: [UInt8])],
        programVersion: String,
        zone: @escaping @Sendable (Schedule?) -> ZoneRules,
        warn: @escaping @Sendable (String) -> Void
    ) {
        self.repository = repository
        self.lab = lab
        self.secrets = secrets
        self.stateFolder = stateFolder
        self.declarationFiles = declarationFiles
        self.programVersion = programVersion
        self.zone = zone
        self.warn = warn
    }

    /// Folders of our own, which stay out of path sets by themselves: repositories, and what this machine remembers.
    ///
    /// What else lies on a medium is somebody's, and belongs to the path set that names it.
    package var ownFolders: [String] { lab.repositories.compactMap(lab.path) + [stateFolder] }

    /// The same by what they are, so that no other path to them takes them in; those that are not there have none.
    ///
    /// One that cannot be looked at is told, and stays out by its path alone.
    func ownDirectories() -> Set<FileIdentity> {
        var found: Set<FileIdentity> = []
        for folder in ownFolders {
            do throws(Errno) {
                found.insert(try status(at: ByteString(folder), followLinks: true).identity)
            } catch  where error.kind == .missing || error.kind == .notDirectory {
                continue
            } catch {
                warn("\(folder) stays out of this backup by that path, and not by other paths to it: \(error)")
            }
        }
        return found
    }

    /// Folders that stay out of a workload's paths: our own, and those that the declaration excludes with a reason.
    ///
    /// A path that the workload names itself is not excluded by one above it.
    package func leftOut(of workload: Workload) -> [String] {
        let excluded = lab.exclusions.flatMap(\.paths).filter { path in
            !workload.host.paths.contains { $0 == path || $0.hasPrefix(path + "/") }
        }
        return ownFolders + excluded
    }

    package var now: Timestamp { repository.time.now() }

    /// The repositories of a workload, the nearest first: disks of the machine, disks that can be unplugged, stand-ins, off-site.
    package func stores(of workload: Workload) -> [LabStore] {
        workload.repositories.compactMap(store(named:)).enumerated()
            .sorted { ($0.element.medium.kind.distance, $0.offset) < ($1.element.medium.kind.distance, $1.offset) }
            .map(\.element)
    }

    /// The repository of that name; nil only for a name that is not in the lab.
    package func store(named name: String) -> LabStore? {
        guard let declaration = lab.repository(named: name), let medium = lab.medium(named: declaration.medium) else {
            return nil
        }
        return LabStore(declaration: declaration, medium: medium, environment: self)
    }

    /// Opens each repository, or creates it where neither it nor its password is there, all cut by one polynomial.
    ///
    /// Errors: those of `LabStore.openOrCreate`, the first of them.
    package func createRepositories(_ done: (LabStore, _ isNew: Bool) -> Void) async throws {
        var polynomial: Polynomial?
        for store in stores {
            let (repository, isNew) = try await store.openOrCreate(polynomial: polynomial, .asAsked)
            polynomial = polynomial ?? repository.chunkerPolynomial
            done(store, isNew)
        }
    }

    /// All repositories, in the order of the file.
    package var stores: [LabStore] { lab.repositories.compactMap { store(named: $0.name) } }
}

extension MediumKind {
    /// How far a medium is: copies go from the nearer to the farther.
    package var distance: Int {
        switch self {
        case .internal: 0
        case .removable: 1
        case .standIn: 2
        case .offsite: 3
        }
    }
}
