package import Bytes
import ResticFormat

/// Hears how a repair of index or packs goes; called from the caller's task.
package protocol RepairObserver: Sendable {
    func began(_ stage: RepairStage)
    /// So many of the things of the stage are done.
    func progressed(_ done: Int, of total: Int)
    /// The things of the stage that were counted are done.
    func finishedCounting()
    func found(_ finding: RepairFinding)
    /// An old index file went, or stays for that reason.
    func removed(_ index: IndexID, _ error: (any Error)?)
}

/// What a repair is doing.
package enum RepairStage: Sendable, Hashable {
    case loadingIndexes, listingPacks, readingPacks
    case savingCopies, salvaging, removingPacks
    case rebuildingIndex, deletingOldIndexes
}

/// What was wrong.
package enum RepairFinding: Sendable {
    case invalidIndex(IndexID, any Error)
    case unknownPack(PackID)
    case wrongSize(PackID, found: UInt64, expected: UInt64)
    case missingPack(PackID)
    /// Its header cannot be read, so that nothing is known of it.
    case unreadablePack(PackID, any Error)
    /// The blob is lost unless another pack holds it; the text is restic's.
    case lostBlob(BlobID, String)
    /// The index says other things of the pack than its own header.
    case incompleteIndex(PackID)
    /// Neither index nor header says what the pack holds.
    case nothingKnown(PackID)
    /// The pack stays as rubbish that a prune removes.
    case packNotRemoved(PackID, any Error)
}
