import Bytes
import ResticFormat

import ResticRepository

/// Hears everything and says nothing.
struct SilentUpkeep: PruneObserver, RepairObserver, RecoverObserver, RewriteObserver {
    func began(_ stage: PruneStage) {}
    func began(_ stage: RepairStage) {}
    func began(_ phase: RecoverPhase) {}
    func progressed(_ done: Int, of total: Int) {}
    func finishedCounting() {}
    func unreferenced(_ pack: PackID) {}
    func forgetsMissing(_ packs: [PackID]) {}
    func removed(_ pack: PackID, _ error: (any Error)?) {}
    func removed(_ index: IndexID, _ error: (any Error)?) {}
    func found(_ finding: RepairFinding) {}
    func unreadable(index: IndexID, _ error: any Error) {}
    func incomplete(pack: PackID, bytes: UInt64, indexedBytes: UInt64?) {}
    func unreadable(pack: PackID, _ error: any Error) {}
    func missing(pack: PackID) {}
    func readPack() {}
    func unreadable(tree: BlobID, _ error: any Error) {}
    func loadedTrees(_ count: Int) {}
    func unreadable(snapshot: SnapshotID, _ error: any Error) {}
    func excluded(_ path: ByteString) {}
    func included(_ path: ByteString) {}
    func includedEmptyDirectory(_ path: ByteString) {}
    func decided(_ changed: SnapshotDocument) {}
    func saved(_ id: SnapshotID) {}
    func removed(_ id: SnapshotID) {}
}
