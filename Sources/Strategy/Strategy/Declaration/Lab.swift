import Bytes

/// What the operator declared, checked: every name that is used exists, every path is absolute.
///
/// Values only: reading files, opening a medium or a password belongs to the callers.
package struct Lab: Sendable, Hashable {
    package var name: String
    /// As written; nil: the machine's zone.
    package var timeZone: String?
    /// Absolute; nil: where the machine keeps such things.
    package var state: String?
    package var budget = ProcessBudget()
    package var media: [Medium]
    package var repositories: [RepositoryDeclaration]
    /// Nil: no reference looks into one.
    package var vault: VaultDeclaration?
    package var kit = KitDeclaration()
    package var roles: [Role]
    package var workloads: [Workload]
    package var exclusions: [Exclusion]
    package var retired: [RetiredWorkload]
    /// Who hears of it.
    package var channels: [Channel]
    /// Where the daemon tells whether it is alive; nil: nowhere.
    package var health: LoopbackAddress?
    /// What is not wrong but likely not meant.
    package var warnings: [StrategyProblem] = []

    /// The medium of that name; nil only for a name that did not come out of this value.
    package func medium(named name: String) -> Medium? { media.first { $0.name == name } }

    /// The repository of that name; nil only for a name that did not come out of this value.
    package func repository(named name: String) -> RepositoryDeclaration? { repositories.first { $0.name == name } }

    /// The folder that holds a repository: one below its medium, named as the repository is; nil for one behind a network.
    package func path(of repository: RepositoryDeclaration) -> String? {
        medium(named: repository.medium)?.folder.map { "\($0)/\(repository.name)" }
    }

    /// Repositories on media of that kind, in the order of the file.
    package func repositories(on kind: MediumKind) -> [RepositoryDeclaration] {
        repositories.filter { medium(named: $0.medium)?.kind == kind }
    }
}

/// What a run and the daemon take of the machine.
package struct ProcessBudget: Sendable, Hashable {
    /// How disks are used beside other programs.
    package enum DiskUse: String, Sendable, Hashable, CaseIterable {
        case normal
        case idle

        var summary: String {
            switch self {
            case .normal: "as the process was started"
            case .idle: "when no other program wants them"
            }
        }
    }

    /// Nil: as many as the machine suggests.
    package var threads: Int?
    /// 0 to 19; nil: as the process was started.
    package var nice: Int?
    package var diskUse = DiskUse.normal
}

/// Where copies live, as far as it matters to the strategy.
package enum MediumKind: String, Sendable, Hashable, CaseIterable {
    case `internal`
    case removable
    case offsite
    /// Plays the cloud in a rehearsal; a stand-in never counts as an off-site copy.
    case standIn = "stand-in"

    /// Why a folder of this machine cannot be of this kind; nil: it can.
    var refusalOnPath: NotationError? {
        guard self == .offsite else { return nil }
        return NotationError(
            "\"offsite\" cannot be a folder of this machine",
            next: "write stand-in for a rehearsal: it never counts as an off-site copy"
        )
    }

    var summary: String {
        switch self {
        case .internal: "a disk that stays in the machine"
        case .removable: "a disk that can be unplugged"
        case .offsite: "outside of the house"
        case .standIn: "plays the cloud in a rehearsal, and never counts as an off-site copy"
        }
    }
}

/// A place for repositories: a folder on a disk, a bucket, a server.
package struct Medium: Sendable, Hashable {
    package var name: String
    package var kind: MediumKind
    package var location: MediumLocation
    /// Who asks a service; nil for folders, and for servers that ask nobody.
    package var credentials: RemoteCredentials?
    /// Who can only read there, for the recovery kit; nil: the kit carries nothing that enters it.
    package var readOnly: RemoteCredentials?
    /// Who may delete there; nil: whoever writes there.
    package var pruning: RemoteCredentials?
    /// UUID of the file system that has to hold the path; nil: any.
    package var identity: String?
    /// A run mounts it where nobody has, and unmounts it afterwards.
    package var isMountedForRuns = false
    package var place: Place
}

/// A repository in restic's format on one medium.
package struct RepositoryDeclaration: Sendable, Hashable {
    package var name: String
    package var medium: String
    package var password: SecretReference
    package var budget = TransferBudget()
    package var place: Place
    /// Where the reference to the password stands.
    package var passwordPlace: Place
}

/// How many bytes a second a run moves to and from a repository at most.
package struct TransferBudget: Sendable, Hashable {
    /// Nil: no bound.
    package var upload: RateTimetable?
    /// Nil: no bound.
    package var download: RateTimetable?
}

/// A class of workloads with the same objectives; what it says stands with each workload.
package struct Role: Sendable, Hashable {
    package var name: String
    package var place: Place
}

/// A thing that must come back.
package struct Workload: Sendable, Hashable {
    /// What it consists of.
    package enum Source: Sendable, Hashable {
        case host(HostPaths)
    }

    /// The priority of those that say none.
    package static let usualPriority = 5

    package var name: String
    package var source: Source
    /// Names of repositories, at least one, each once.
    package var repositories: [String]
    package var role: String?
    /// 1 to 9; the lower one runs first.
    package var priority = Workload.usualPriority
    package var objective: Objective
    package var backup: BackupPolicy
    /// Within this time each stored byte is read again.
    package var verifyEvery: Duration
    /// A command before the backup, in words; empty: none.
    package var before: [String] = []
    /// A command after it.
    package var after: [String] = []
    /// How long each of them may take.
    package var commandDeadline = Duration.seconds(3600)
    package var place: Place

    /// The folders of this machine that it is.
    package var host: HostPaths {
        switch source {
        case .host(let host): host
        }
    }
}

/// Folders of this machine.
package struct HostPaths: Sendable, Hashable {
    /// Absolute, at least one.
    package var paths: [String]
    /// Patterns in restic's filter language.
    package var exclude: [String] = []
    /// Bytes; files above stay out.
    package var excludeLargerThan: UInt64?
    package var excludesCaches = false
    package var isOneFileSystem = false
}

/// What the operator promises for a workload.
package struct Objective: Sendable, Hashable {
    /// How much may be lost.
    package enum RPO: Sendable, Hashable {
        /// Each due run has a good snapshot by its due time and the grace.
        case lastScheduled
        /// The newest good snapshot was begun no longer ago.
        case atMost(Duration)
    }

    package var rpo: RPO
    package var rto: Duration?

    package init(rpo: RPO, rto: Duration?) {
        self.rpo = rpo
        self.rto = rto
    }
}

/// When a workload is backed up, and which of its snapshots stay.
package struct BackupPolicy: Sendable, Hashable {
    /// Nil: by hand alone.
    package var schedule: Schedule?
    package var grace: Duration
    /// Nil: all snapshots stay.
    package var keep: KeepPolicy?

    package init(schedule: Schedule?, grace: Duration, keep: KeepPolicy?) {
        self.schedule = schedule
        self.grace = grace
        self.keep = keep
    }
}

/// Folders that are left out on purpose.
package struct Exclusion: Sendable, Hashable {
    package var paths: [String]
    package var because: String
    package var place: Place
}

/// A workload that is gone on purpose.
package struct RetiredWorkload: Sendable, Hashable {
    package var name: String
    package var because: String
    package var place: Place
}
