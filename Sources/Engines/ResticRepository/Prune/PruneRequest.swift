package import Bytes
import ResticFormat

/// What a prune is asked to do; restic's defaults.
package struct PruneRequest: Sendable {
    /// How much unused data may stay in packs that are partly used.
    package enum UnusedLimit: Sendable, Hashable {
        case unlimited
        case bytes(UInt64)
        /// Of what the repository holds afterwards; from 0 to below 100.
        case percent(Double)

        func bytes(used: UInt64) -> UInt64 {
            switch self {
            case .unlimited: .max
            case .bytes(let bytes): bytes
            case .percent(let percent): UInt64(percent / (100 - percent) * Double(used))
            }
        }
    }

    package var maxUnused = UnusedLimit.percent(5)
    /// Bytes of packs that are repacked at most.
    package var maxRepackBytes = UInt64.max
    /// Packs below this size are small; 0 lets the repository's own sizes say.
    package var smallPackBytes: UInt64 = 0
    /// Packs of data alone are never repacked.
    package var repackCacheableOnly = false
    /// Data that is stored without compression is compressed.
    package var repackUncompressed = false
    /// Index files go first, since there is no room for new ones: a break in between needs `repair index`.
    package var recoversWithoutSpace = false
    package var isDryRun = false
    /// Snapshots that are about to go, and need nothing any more.
    package var ignoredSnapshots: Set<SnapshotID> = []

    package init() {}
}

/// What a prune found and will do; sizes in bytes of sealed blobs, but for whole packs that no index names.
package struct PruneStatistics: Sendable, Hashable {
    /// Blobs.
    package struct Blobs: Sendable, Hashable {
        package var used = 0
        package var duplicate = 0
        package var unused = 0
        package var total: Int { used + duplicate + unused }
        package var repacked = 0
        package var removedByRepacking = 0
        package var removed = 0
        package var removedInAll: Int { removed + removedByRepacking }
        package var remaining: Int { total - removedInAll }
    }

    /// Bytes.
    package struct Sizes: Sendable, Hashable {
        package var used: UInt64 = 0
        package var duplicate: UInt64 = 0
        package var unused: UInt64 = 0
        package var unreferenced: UInt64 = 0
        package var uncompressed: UInt64 = 0
        package var total: UInt64 { used + duplicate + unused + unreferenced }
        package var repacked: UInt64 = 0
        package var removedByRepacking: UInt64 = 0
        package var removed: UInt64 = 0
        package var removedInAll: UInt64 { removed + removedByRepacking + unreferenced }
        package var remaining: UInt64 { total - removedInAll }
        package var remainingUnused: UInt64 { duplicate + unused - removed - removedByRepacking }
    }

    /// Packs.
    package struct Packs: Sendable, Hashable {
        package var used = 0
        package var unused = 0
        package var partlyUsed = 0
        package var unreferenced = 0
        package var total: Int { used + partlyUsed + unused + unreferenced }
        package var kept = 0
        package var repacked = 0
        package var removed = 0
        package var removedInAll: Int { unreferenced + removed }
    }

    package var blobs = Blobs()
    package var sizes = Sizes()
    package var packs = Packs()
}

/// What a prune is doing.
package enum PruneStage: Sendable, Hashable {
    case loadingSnapshots
    case findingUsed(snapshots: Int)
    case searchingPacks
    case collecting
    case deletingUnreferenced
    case repacking
    case rebuildingIndex
    case deletingOldIndexes
    case deletingAllIndexes
    case removingPacks(count: Int)
    case savingIndex
    case done
}

/// Hears how a prune goes; called from any task, and must return quickly.
package protocol PruneObserver: Sendable {
    func began(_ stage: PruneStage)
    /// So many of the things of the stage are done.
    func progressed(_ done: Int, of total: Int)
    /// The things of the stage that were counted are done.
    func finishedCounting()
    /// A pack that no index names, which will go.
    func unreferenced(_ pack: PackID)
    /// Packs that index files name, that are not there, and that nobody needs.
    func forgetsMissing(_ packs: [PackID])
    /// An index file or pack that went, or stays for that reason.
    func removed(_ pack: PackID, _ error: (any Error)?)
    func removed(_ index: IndexID, _ error: (any Error)?)
}
