package import Bytes
package import Outcome

/// How much of the data a check reads.
package enum ReadDataAmount: Sendable, Hashable {
    case none
    case all
    /// Group `group` of `of` groups, counted from 1; at most 256 groups, told apart by the first byte of a pack's name.
    case subset(group: Int, of: Int)
    /// That share of the packs, drawn at random, above 0 and at most 100.
    case percentage(Double)
    /// About that many bytes of packs, drawn at random.
    case size(bytes: UInt64)
    /// Those packs, as far as they are there; never a random choice.
    case packs(Set<PackID>)
    /// The packs whose names begin with one of these bytes: all 256 of them are all data.
    case firstBytes(Set<UInt8>)

    /// Whether the numbers make sense; the text says what is wrong with them.
    package var problem: String? {
        switch self {
        case .none, .all, .packs, .firstBytes: return nil
        case .subset(let group, let count):
            if group < 1 || count < 1 || group > count {
                return
                    "check flag --read-data-subset=n/t values must be positive integers, and n <= t, e.g. --read-data-subset=1/2"
            }
            return count > CheckLimits.subsetGroupsMax
                ? "check flag --read-data-subset=n/t t must be at most \(CheckLimits.subsetGroupsMax)" : nil
        case .percentage(let percent):
            return percent > 0 && percent <= 100
                ? nil : "check flag --read-data-subset=x% x must be above 0.0% and at most 100.0%"
        case .size(let bytes):
            return bytes > 0 ? nil : "check flag --read-data-subset=n n must be above 0"
        }
    }
}

/// What a check looks at.
package struct CheckRequest: Sendable {
    package var readData: ReadDataAmount
    /// With a filter or names, the trees of those snapshots alone are walked, and the packs that they need alone are
    /// read.
    package var filter: SnapshotFilter
    /// `latest` or starts of identifiers.
    package var snapshots: [ByteString]
    /// Report blobs that no snapshot needs.
    package var checkUnused: Bool
    /// Packs of which this process verified each blob before it stored them: they are read whole and hashed, their blobs not opened.
    package var provenInMemory: Set<PackID>

    package init(
        readData: ReadDataAmount = .none,
        filter: SnapshotFilter = SnapshotFilter(),
        snapshots: [ByteString] = [],
        checkUnused: Bool = false,
        provenInMemory: Set<PackID> = []
    ) {
        self.readData = readData
        self.filter = filter
        self.snapshots = snapshots
        self.checkUnused = checkUnused
        self.provenInMemory = provenInMemory
    }

    package var isFiltered: Bool { !filter.isEmpty || !snapshots.isEmpty }
}

/// The stages of a check, in their order.
package enum CheckPhase: Sendable, Hashable {
    case indexes
    case packs
    case structure
    /// `text` says how much is read, `read all data`.
    case readData(text: String)
    /// Tracing the damage found back to snapshots and files; only when there is any.
    case affected

    /// The line that announces the stage.
    package var sentence: String {
        switch self {
        case .indexes: "load indexes"
        case .packs: "check all packs"
        case .structure: "check snapshots, trees and blobs"
        case .readData(let text): text
        case .affected: "find the files that are affected"
        }
    }
}

/// How far a stage is: index files, snapshots or packs, and bytes where it reads data.
package struct CheckProgress: Sendable, Hashable {
    package var done: Int
    package var total: Int
    package var bytesDone: UInt64
    package var bytesTotal: UInt64

    package init(done: Int = 0, total: Int = 0, bytesDone: UInt64 = 0, bytesTotal: UInt64 = 0) {
        self.done = done
        self.total = total
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
    }
}

/// Hears what a check does and finds.
///
/// No two calls run at the same time, so output in them stays whole; they come from worker threads and should be short.
package protocol CheckObserver: Sendable {
    /// A stage begins.
    func began(_ phase: CheckPhase)
    /// A stage went on; called for each index file, snapshot or pack.
    func progressed(_ phase: CheckPhase, _ progress: CheckProgress)
    /// All findings about one object, in the order in which they belong; `Finding.checkText` has restic's line of each.
    func found(_ findings: [Finding])
}

/// An observer that hears nothing.
package struct SilentCheckObserver: CheckObserver {
    package init() {}
    /// Nothing.
    package func began(_ phase: CheckPhase) {}
    /// Nothing.
    package func progressed(_ phase: CheckPhase, _ progress: CheckProgress) {}
    /// Nothing.
    package func found(_ findings: [Finding]) {}
}

/// The files of one snapshot that damage makes unreadable, wholly or in part.
package struct AffectedSnapshot: Sendable, Hashable {
    package var id: SnapshotID
    /// Absolute inside the snapshot; a directory stands for everything in it.
    ///
    /// The first 1,000.
    package var paths: [ByteString]
    /// How many there are, as far as they were looked for.
    package var pathCount: Int
}

/// The verdict.
package struct CheckResult: Sendable {
    /// The first 10,000, in the order found.
    package var findings: [Finding] = []
    /// What restic's summary calls `num_errors`.
    package var errorCount = 0
    /// Whether the command fails.
    ///
    /// Hints do not make it fail.
    package var hasErrors = false
    /// For `repair packs`, ascending.
    package var brokenPacks: [PackID] = []
    /// Snapshot files that cannot be read, ascending.
    package var brokenSnapshots: [SnapshotID] = []
    package var suggestRepairIndex = false
    package var suggestPrune = false
    /// Packs that no index names.
    package var orphanedPacks = 0
    /// The check ended after the indexes: on half an index everything else would look damaged.
    package var isIndexDamaged = false
    /// Reads that failed and succeeded when repeated: the cable, not the disk (D-10).
    package var transientReads = 0
    /// Snapshots that damage reaches, oldest first, with the files.
    package var affected: [AffectedSnapshot] = []
    /// False when there was too much damage to trace all of it.
    package var isAffectedComplete = true
}
