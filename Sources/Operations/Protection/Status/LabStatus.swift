package import Bytes
package import Outcome
package import Strategy

/// How a lab stands: each workload on each of its media, proven by a look at the stores.
package struct LabStatus: Sendable {
    /// One workload in one repository.
    package struct Copy: Sendable {
        package var repository: String
        package var medium: Medium
        package var point: RecoveryPoint
        package var newest: Timestamp?
        /// The newest snapshot is dated after now.
        package var isFromFuture: Bool
        /// The newest snapshot lacks a path that the workload has now.
        package var lacksPaths: Bool
        package var count: Int
        /// When what was read back last was read; nil: never.
        package var readBack: Timestamp?
        /// A newer snapshot was seen there before.
        package var wasSetBack: Bool
        package var presence: CopyPresence
        /// Damage was found in its repository, and nobody has mended it.
        package var isDamaged: Bool
        /// How long a full restore from it would take.
        package var restore: RecoveryTime
        /// By what rate, and when that was measured; nil: it was not.
        package var rate: ReadingRate?
        /// There is less in its repository than tells how fast it is.
        package var isTooSmallToMeasure: Bool

        /// Nil when it is not told from memory; else when it was seen last.
        package var remembered: Timestamp? { presence.remembered }

        /// Something is there, or was when its disk was here, that counts as a copy when it is as young as promised.
        package var counts: Bool {
            if case .lost = presence { return false }
            return medium.kind != .standIn && newest != nil && !isDamaged
        }
    }

    /// One workload on all of its media.
    package struct WorkloadState: Sendable {
        package var workload: Workload
        package var copies: [Copy]
        package var history: WorkloadHistory?
        /// Its paths that are symbolic links.
        package var links: [LinkedPath] = []
        /// Bytes of the source in the newest complete snapshot.
        package var bytes: UInt64?
        /// What it grew by in a week, from snapshots; nil when there are none that old.
        package var weeklyGrowth: Int64?
        package var due: Due
    }

    /// One repository.
    package struct RepositoryState: Sendable {
        package var store: LabStore
        /// Nil when it was looked at.
        package var failure: (any ReportableFailure)?
        package var presence: CopyPresence
        /// Why it could not be written to; nil when it could.
        package var writing: (any ReportableFailure)?
        package var history: RepositoryHistory?
        package var unreadable: [String]
        package var others: Int
    }

    /// Something that is wrong, or not as good as it should be.
    package struct Problem: Sendable, Hashable {
        /// How bad it is.
        package enum Severity: String, Sendable, Hashable {
            /// A promise is broken, or data is in danger.
            case wrong
            case amber
        }

        /// What it is, whatever its numbers are: with the object it names one trouble as long as it lasts.
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            case never, missed, slow
            case hollow, linked
            case failed, incomplete, unreachable, unwritable, owed
            case damaged, unreadable
            case shrunk, setBack, doubt, future, floor
            case reseeding
            case away, neverReadBack, notVerified, unmeasured, crashConsistent, oneDisk, noIdentity, noSchedule,
                oneHouse
            case unwatched, deaf
            case forgetful, unrecorded
            case sealedCopy
            case destroyable, unextended
            case noKit, kitStale, kitUntested, kitFailed
        }

        package var severity: Severity
        package var kind: Kind
        package var object: String
        package var what: String
        /// The command or change that mends it.
        package var next: String
    }

    package var lab: Lab
    package var now: Timestamp
    package var workloads: [WorkloadState]
    package var repositories: [RepositoryState]
    package var posture: [String: Posture]
    package var problems: [Problem]
    /// Commands after backups that were not run, or failed.
    package var owed: [OwedCommand] = []
    /// Names of problems, by kind and object, that nobody could look for: not being named here, they are not over either.
    package var unjudged: Set<String> = []
    /// Sealed copies of secrets that stood in for the vault.
    package var sealed: [Finding] = []
    /// Why copies on media behind a network do not count as immutable, by medium; empty for those that do.
    package var mutability: [String: MutabilityConcern] = [:]
    /// What the newest recovery kit is not good for.
    package var kit: [KitConcern] = []
    /// Its serial and when it was made; nil: there is none.
    package var kitMade: (serial: String, made: Timestamp)?
    /// Why this machine cannot remember what it does; nil when it can.
    package var forgetful: String?
    /// Why runs are not recorded in the journal; nil when they are.
    package var unrecorded: String?

    /// True when a repository has damage that nobody has mended, or snapshots that cannot be read.
    package var isDamaged: Bool {
        repositories.contains { $0.history?.finding != nil || !$0.unreadable.isEmpty || $0.failure?.isDamage == true }
    }

    /// True when an objective is breached.
    package var isBreached: Bool {
        workloads.contains { state in
            state.copies.contains { $0.medium.kind != .standIn && ($0.point.isBreached || $0.restore.isBreached) }
                || state.copies.allSatisfy { $0.medium.kind == .standIn }
        }
    }
}

extension LabStatus.Problem.Kind {
    /// The one name of a problem of this kind with an object, as long as it lasts.
    package func name(of object: String) -> String { "\(rawValue) \(object)" }
}
