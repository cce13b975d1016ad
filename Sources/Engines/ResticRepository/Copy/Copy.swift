package import Bytes
import Outcome
import ResticFormat

/// Hears how a copy goes; called from any task, and must return quickly.
package protocol CopyObserver: Sendable {
    func began(_ snapshot: Snapshot)
    func planned(_ plan: CopyPlan)
    /// One more pack of the plan is read and on its way.
    func copiedPack()
    func finished(_ snapshot: Snapshot)
    /// The blobs of so many snapshots are stored and indexed; the snapshots follow.
    func stored(snapshots: Int)
    func saved(_ copy: SnapshotID, of snapshot: Snapshot)
}

/// Copies snapshots with all that they need into another repository, where each keeps everything but its parent.
///
/// 1. L2: packs, then index files, then snapshots, for some snapshots at a time: as much as a hundred packs and a minute of work.
/// 2. Blobs that the target holds are not read. What breaks off leaves blobs that the next run finds there.
///
/// Both repositories have their index loaded, and the target is locked for writing. Errors: `E-DAMAGE` and `E-MISSING` of the
/// source, those of the target's store; snapshots that were told as saved stay.
package func copySnapshots(
    _ snapshots: [Snapshot],
    from source: Repository,
    to target: Repository,
    observer: any CopyObserver
) async throws {
    let copier = SnapshotCopy(from: source, to: target)
    var waiting = snapshots[...]
    while !waiting.isEmpty {
        let batch = waiting
        let count = try await target.withBlobWriter { writer in
            try await copyBlobs(of: batch, copier, writer, target, observer)
        }
        observer.stored(snapshots: count)
        for snapshot in batch.prefix(count) {
            var document = snapshot.document
            // A parent means nothing in another repository; the first ancestor is what tells copies apart.
            document.parent = nil
            document.original = document.original ?? snapshot.id
            observer.saved(try await target.saveSnapshot(document), of: snapshot)
        }
        waiting = waiting.dropFirst(count)
    }
}

/// Copies until there is enough for a commit; returns for how many snapshots.
private func copyBlobs(
    of snapshots: ArraySlice<Snapshot>,
    _ copier: SnapshotCopy,
    _ writer: BlobWriter,
    _ target: Repository,
    _ observer: any CopyObserver
) async throws -> Int {
    let bytesWanted = UInt64(target.options.packSizeBytes * Limits.copyPacksPerCommit)
    let time = target.environment.time
    let started = time.monotonicNanoseconds()
    var bytes: UInt64 = 0
    var count = 0
    for snapshot in snapshots {
        let spent = time.monotonicNanoseconds() - started
        guard bytes < bytesWanted || spent < Limits.copyCommitNanoseconds else { break }
        observer.began(snapshot)
        guard let tree = snapshot.document.tree else { throw treeless(snapshot) }
        let plan = try await copier.plan(tree)
        observer.planned(plan)
        try await copier.copy(plan, with: writer) { observer.copiedPack() }
        observer.finished(snapshot)
        bytes += plan.storedBytes
        count += 1
    }
    return count
}

private func treeless(_ snapshot: Snapshot) -> RepositoryFailure {
    RepositoryFailure(
        .damaged,
        operation: "copy",
        object: "snapshot \(snapshot.id.hex)",
        what: "has no tree",
        state: "snapshots that were reported as saved are complete in the target",
        next: "name the snapshots to copy, without this one"
    )
}

/// What a repository holds already of another's snapshots, by the snapshot that each descends from.
package struct CopiesPresent {
    private var byOriginal: [SnapshotID: [Snapshot]] = [:]

    package init(_ present: [Snapshot]) {
        for snapshot in present {
            for id in [snapshot.document.original, snapshot.id].compactMap(\.self) {
                byOriginal[id, default: []].append(snapshot)
            }
        }
    }

    /// The copy that says the same as this snapshot, but for parent and origin; nil when there is none.
    package func copy(of snapshot: Snapshot) -> Snapshot? {
        byOriginal[snapshot.document.original ?? snapshot.id]?.first { Self.isSame($0.document, snapshot.document) }
    }

    private static func isSame(_ left: SnapshotDocument, _ right: SnapshotDocument) -> Bool {
        left.time.moment == right.time.moment && left.tree == right.tree && left.hostname == right.hostname
            && left.username == right.username && left.uid == right.uid && left.gid == right.gid
            && left.excludes == right.excludes && isSame(left.paths, right.paths) && isSame(left.tags, right.tags)
    }

    /// The same words, in any order.
    private static func isSame(_ left: [ByteString], _ right: [ByteString]) -> Bool {
        left.count == right.count && Set(right).isSubset(of: left)
    }
}
