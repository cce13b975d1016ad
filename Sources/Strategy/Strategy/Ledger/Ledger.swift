package import Bytes

/// What earlier runs observed, as far as later ones decide by it.
///
/// The stores are the truth (L8): what stands here can be lost. Then schedules count from now, the rotating verification begins anew, and a
/// copy on a disk that is not here has no age until the disk is back. Each run leaves it in every repository it reaches.
package struct Ledger: Sendable, Hashable {
    /// When it was last changed; nil: never.
    package var updated: Timestamp?
    package var workloads: [String: WorkloadHistory] = [:]
    package var repositories: [String: RepositoryHistory] = [:]
    package var channels: [String: ChannelHistory] = [:]
    /// Nil: no recovery kit is known.
    package var kit: KitHistory?
    /// What was moved to and from buckets, by their media's names.
    package var traffic: [String: BucketTraffic] = [:]
    /// What was tried against media, by name.
    package var immutability: [String: DestructionProof] = [:]

    package init() {}

    /// The newer of two, and of each repository what was seen last.
    package func merged(with other: Ledger) -> Ledger {
        let isOlder = (updated ?? .distantPast) < (other.updated ?? .distantPast)
        var merged = isOlder ? other : self
        for (name, history) in (isOlder ? self : other).repositories {
            let seen = merged.repositories[name]?.seen ?? .distantPast
            if seen < history.seen { merged.repositories[name] = history }
        }
        merged.immutability = immutability.merging(other.immutability) { $0.tried < $1.tried ? $1 : $0 }
        merged.kit = kit?.merged(with: other.kit) ?? other.kit
        return merged
    }
}

extension Timestamp {
    /// Before every moment that is told apart.
    package static let distantPast = Timestamp(seconds: .min)
    /// After every moment that a clock tells.
    package static let distantFuture = Timestamp(seconds: 9_223_372_036)
}

/// How a run of one workload ended.
package enum RunOutcome: String, Sendable, Hashable, CaseIterable {
    case ok
    /// Some sources could not be read, or a copy is missing.
    case partial
    case failed
    case interrupted
}

/// Why a run of a workload was not good.
package struct RunTrouble: Sendable, Hashable {
    /// With its subject, in a sentence.
    package var what: String
    /// What is safe all the same.
    package var state: String

    package init(what: String, state: String) {
        self.what = what
        self.state = state
    }
}

/// What is known of a workload.
package struct WorkloadHistory: Sendable, Hashable {
    package var lastAttempt: Timestamp?
    package var lastOutcome: RunOutcome?
    /// Repositories that its last run could not bring a copy to; they are caught up with when they are here again.
    package var missing: [String] = []
    /// How often in a row each of them failed although its medium was here.
    package var failures: [String: Int] = [:]
    /// When that was last tried, beside its own runs.
    package var caughtUp: Timestamp?
    /// Why it was no better; nil when it was good.
    package var lastTrouble: RunTrouble?
    /// Seconds that the last runs took, newest last; at most `StrategyLimits.rememberedRuns`.
    package var runSeconds: [Int] = []
    /// Files and bytes of the last complete snapshot whose size was plausible.
    package var size: SourceSize?
    /// The source lost most of its files since then, and nobody has said that this is right.
    package var shrunkTo: SourceSize?
    /// Databases and volumes in its paths that no command dumps or stops before, in words; the first few.
    package var live: [String] = []

    package init() {}
}

/// How much a source held.
package struct SourceSize: Sendable, Hashable {
    package var files: UInt64
    package var bytes: UInt64

    package init(files: UInt64, bytes: UInt64) {
        self.files = files
        self.bytes = bytes
    }

    /// True when nine of ten files or bytes of `earlier` are gone (P-06, G-16).
    ///
    /// Sources of less than 20 files or a mebibyte are too small to tell.
    package func isShrunk(from earlier: SourceSize) -> Bool {
        hasLostFiles(of: earlier) || earlier.bytes >= 1 << 20 && bytes < earlier.bytes / 10
    }

    /// True when it is by the number of files that it shrank, whatever the bytes.
    package func hasLostFiles(of earlier: SourceSize) -> Bool {
        earlier.files >= 20 && files < earlier.files / 10
    }
}

/// What is known of a repository.
package struct RepositoryHistory: Sendable, Hashable {
    /// The identifier in its config, in hexadecimal digits.
    package var id: String
    /// When it was last opened.
    package var seen: Timestamp
    /// What held it then.
    package var place: MediumPlace?
    /// Bytes that it held then.
    package var storedBytes: UInt64?
    /// The newest complete snapshot of each workload, when it was seen last.
    package var copies: [String: CopySeen] = [:]
    /// What was last read back of each workload and found good.
    package var readBack: [String: ReadBack] = [:]
    /// The rules by which retention last went through, for each workload, in words.
    package var retained: [String: String] = [:]
    /// Workloads whose retention would remove more than is done unasked, in words.
    package var held: [String: String] = [:]
    package var rotation: VerifyRotation
    /// Damage that was found and not yet seen mended (L7).
    package var finding: OpenFinding?
    /// Snapshots or index files are gone, or came back, and nothing that this machine did explains it; until the operator says that it is right.
    package var doubt: OpenFinding?
    /// Since when it is being filled again from the others; nil when it is not, or all of it was copied and read back.
    package var reseeding: Timestamp?
    /// When what no snapshot needs was last removed.
    package var pruned: Timestamp?
    package var removedSincePrune = 0
    /// When the locks of all its objects were last made longer, and to what length; nil: never.
    package var locked: Timestamp?
    package var lockLength: Duration?
    /// How fast data came from it.
    package var rate: ReadingRate?

    package init(id: String, seen: Timestamp) {
        self.id = id
        self.seen = seen
        rotation = VerifyRotation(started: seen)
    }
}

/// What held a repository when it was seen last: by this its disk is known again, and counted while it is away.
package struct MediumPlace: Sendable, Hashable {
    /// UUID of the file system; nil when it has none, or it could not be told.
    package var fileSystem: String?
    /// Stable names of the disks below it; nil when they could not be told.
    package var disks: Set<String>?

    package init(fileSystem: String?, disks: Set<String>?) {
        self.fileSystem = fileSystem
        self.disks = disks
    }
}

/// The newest complete snapshot of a workload in a repository.
package struct CopySeen: Sendable, Hashable {
    package var snapshot: String
    package var time: Timestamp
    package var count: Int

    package init(snapshot: String, time: Timestamp, count: Int) {
        self.snapshot = snapshot
        self.time = time
        self.count = count
    }
}

/// What a run wrote was read from the store again and was right.
package struct ReadBack: Sendable, Hashable {
    package var snapshot: String
    package var time: Timestamp
    /// Of packs that were read.
    package var bytes: UInt64

    package init(snapshot: String, time: Timestamp, bytes: UInt64) {
        self.snapshot = snapshot
        self.time = time
        self.bytes = bytes
    }
}

/// Damage of a repository.
package struct OpenFinding: Sendable, Hashable {
    package var since: Timestamp
    /// In a sentence.
    package var text: String
    /// Names of the packs that are damaged, in hexadecimal digits; at most `StrategyLimits.rememberedPacks`.
    package var packs: [String]

    package init(since: Timestamp, text: String, packs: [String]) {
        self.since = since
        self.text = text
        self.packs = Array(packs.prefix(StrategyLimits.rememberedPacks))
    }

    /// There may be more damaged packs than are named: only a verification of everything closes it.
    package var isCut: Bool { packs.count >= StrategyLimits.rememberedPacks }

    /// Both at once: the older date, the newer words, the packs of both.
    package func joined(with newer: OpenFinding) -> OpenFinding {
        let more = newer.packs.filter { !packs.contains($0) }
        return OpenFinding(since: min(since, newer.since), text: newer.text, packs: packs + more)
    }
}

extension RepositoryHistory {
    /// Another repository has its name: of the one before it is known alone that it is to be filled again.
    package mutating func begin(id: String, seen: Timestamp) {
        let reseeding = self.reseeding
        self = RepositoryHistory(id: id, seen: seen)
        self.reseeding = reseeding
    }

    /// Records damage beside what is known already.
    package mutating func add(_ found: OpenFinding) { finding = finding?.joined(with: found) ?? found }
}
