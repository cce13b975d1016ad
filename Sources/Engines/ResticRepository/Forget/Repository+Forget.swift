package import Bytes
import ObjectStorage
package import Strategy

/// Removing snapshots.
///
/// 1. The caller holds an exclusive lock, so that no backup takes one of them for its parent meanwhile.
/// 2. Only the files of the snapshots go; what they name stays until a prune finds that nobody needs it (L2, backwards).
/// 3. Each removal stands alone: one that fails does not keep the others, and none can break what stays.
extension Repository {
    /// Removes the snapshots, several at the same time.
    ///
    /// `finished` hears of each, with the error where it could not be removed, on the caller's task. The store and our lock are looked
    /// at before the first and then every few hundred. Errors: `E-LOCK-LOST`, cancellation; the snapshots that `finished` did not hear
    /// of are there still.
    package func removeSnapshots(
        _ ids: [SnapshotID],
        finished: (SnapshotID, (any Error)?) -> Void
    ) async throws {
        precondition(!options.isDryRun, "a dry run removes nothing")
        try await remove(.snapshot, ids.map(\.digest)) { finished(SnapshotID($0), $1) }
    }
}

extension KeepPolicy {
    /// Divides the snapshots of one group; pure.
    ///
    /// `localOffset` is the zone of this process, in seconds east of UTC at a moment.
    package func divide(
        _ snapshots: [Snapshot],
        now: Timestamp,
        localOffset: (Timestamp) -> Int32
    ) -> KeepVerdict<Snapshot> {
        divide(newestFirst: snapshots.sortedByTime().reversed(), now: now, localOffset: localOffset)
    }
}
