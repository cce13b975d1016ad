package import Bytes
import ObjectStorage

/// That a repository stands as it did earlier, and as nothing but this: a clone, a disk that is stale, a bucket that was set back (B-10).
///
/// What tells it from what people do by hand: snapshots that this machine saved last are gone, and index files with them, while nothing
/// is there that this machine has not seen. A `forget` alone leaves the index files, a `prune` beside it leaves new ones, and so does
/// whatever another machine writes. Weakness: who forgets the newest snapshots by another program, and prunes data that fills index
/// files of its own, leaves the very same.
package struct EarlierState: Sendable, Hashable {
    /// Snapshots that are gone.
    package var gone: Int
    /// When the newest of them was made.
    package var lost: Timestamp
    /// When the newest snapshot that is there was made; nil when none is.
    package var standsAt: Timestamp?
}

extension HighWater {
    /// Judges by the snapshots, which were listed and read before; nil when they show nothing of the kind.
    func earlierSnapshots() -> EarlierState? {
        let (seen, now) = (listed, file.load())
        guard let names = seen.names[.snapshot], Self.isKnown(names, .snapshot, before, now) else { return nil }
        let surprises = HighWaterSurprises(before: before, now: now, listed: seen.names, read: seen.read)
        guard let lost = surprises.newestGone.map(\.time).max() else { return nil }
        return EarlierState(gone: surprises.snapshotsGone.count, lost: lost, standsAt: seen.read.newest.values.max())
    }

    /// Whether the index files, which were listed, are those of an earlier state, too.
    func hasEarlierIndexes() -> Bool {
        let (seen, now) = (listed, file.load())
        guard let names = seen.names[.index], Self.isKnown(names, .index, before, now) else { return false }
        let surprises = HighWaterSurprises(before: before, now: now, listed: seen.names, read: seen.read)
        return !surprises.indexesGone.isEmpty || !surprises.indexesReplaced.isEmpty
    }

    /// Whether this machine has seen all of them, some of which it may have removed since.
    private static func isKnown(
        _ names: Set<Digest>,
        _ kind: ObjectKind,
        _ before: HighWaterRecord,
        _ now: HighWaterRecord
    ) -> Bool {
        names.subtracting(before[kind].seen).subtracting(before[kind].removed).subtracting(now[kind].removed).isEmpty
    }
}

extension Repository {
    /// The earlier state that the repository is in; nil when it is as this machine left it, or anything is there that it did not see.
    ///
    /// Shape: all snapshots were loaded by this handle before. It is told as long as it lasts, and nothing is remembered by it. Cost: a
    /// listing of the index files, where the snapshots raise the question.
    package func earlierState() async throws -> EarlierState? {
        guard let highWater, let state = highWater.earlierSnapshots() else { return nil }
        _ = try await listIndexes()
        return highWater.hasEarlierIndexes() ? state : nil
    }

    /// Takes what is there as right: later looks find nothing strange in it.
    package func acceptState() async {
        _ = await surprises(.everything)
        _ = await takeDoubt()
    }
}
