import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

/// Frees the space that no snapshot needs, in two steps: a plan that changes nothing, and its execution.
///
/// ```
/// snapshots > trees, each once > used blobs > packs: keep, repack, remove
/// execute: unreferenced packs go > used blobs into new packs > their index (L2) > index files without what goes > old index files go
/// > old packs go
/// ```
/// Nothing is removed that a snapshot needs, whichever call of the store fails, lies or is the last one: a pack goes when its blobs
/// are durable elsewhere and no index names it. The caller holds an exclusive lock and has loaded the index.
extension Repository {
    /// Finds out what is used, and decides.
    ///
    /// Errors: of `PruneRefusal`; a snapshot or tree that cannot be read. Nothing was changed.
    package func planPrune(_ request: PruneRequest, observer: any PruneObserver) async throws -> PrunePlan {
        try check(request)
        observer.began(.loadingSnapshots)
        let snapshots = try await loadSnapshots { throw $1 }.filter { !request.ignoredSnapshots.contains($0.id) }
        let used = try await usedBlobs(of: snapshots, observer)
        observer.began(.searchingPacks)
        var statistics = PruneStatistics()
        let census = PackCensus(index, used: used, &statistics)
        observer.began(.collecting)
        let plan = try PrunePlan(
            request,
            census,
            used: used,
            listing: try await list(.pack),
            statistics: statistics,
            in: self,
            observer: observer
        )
        let known = Set(snapshots.map(\.id)).union(request.ignoredSnapshots)
        let new = try await store.list(.snapshot).map { SnapshotID($0.digest) }.filter { !known.contains($0) }
        guard new.isEmpty else { throw refused(.newSnapshots(new)) }
        return plan
    }

    private func check(_ request: PruneRequest) throws {
        guard store.connections >= 2 else {
            throw unusable(
                "prune requires a backend connection limit of at least two",
                next: "raise the limit of connections"
            )
        }
        guard isCompressing || !request.repackUncompressed else {
            throw unusable(
                "compression requires at least repository format version 2",
                next: "run `migrate upgrade_repo_v2` first"
            )
        }
        guard request.smallPackBytes <= UInt64(options.packSizeBytes) else {
            throw unusable(
                "repack-smaller-than exceeds repository packsize",
                next: "give a smaller size, or a larger --pack-size"
            )
        }
    }

    private func usedBlobs(of snapshots: [Snapshot], _ observer: any PruneObserver) async throws -> EntrySet {
        observer.began(.findingUsed(snapshots: snapshots.count))
        let roots = try snapshots.map { snapshot in
            guard let tree = snapshot.document.tree else { throw treeless(snapshot) }
            return tree
        }
        let visitor = UseVisitor(index: index, rootCount: roots.count, observer: observer)
        let width = max(2, min(store.connections, environment.pool.width))
        let sweep = TreeSweep(self, roots: roots, width: width, visitor: visitor)
        do { try await sweep.run() } catch let failure as RepositoryFailure { throw unfinished(failure) }
        observer.finishedCounting()
        let missing = visitor.missing
        guard missing.isEmpty else { throw refused(.indexIncomplete(missing)) }
        return visitor.used.union(sweep.seen)
    }

    /// A tree that cannot be read: what it needs is not known, so nothing may go.
    private func unfinished(_ failure: RepositoryFailure) -> RepositoryFailure {
        RepositoryFailure(
            failure.code,
            operation: "prune",
            object: failure.object,
            what: "\(failure.what), so that it is not known what is used",
            state: "nothing was removed",
            next: failure.next,
            cause: failure
        )
    }

    private func treeless(_ snapshot: Snapshot) -> RepositoryFailure {
        RepositoryFailure(
            .damaged,
            operation: "prune",
            object: "snapshot \(snapshot.id.hex)",
            what: "has no tree",
            state: "nothing was removed",
            next: "remove the snapshot with `forget`"
        )
    }

    /// Does what the plan says; nothing in a dry run.
    ///
    /// Errors: of the store, `E-LOCK-LOST`, `E-DAMAGE` for a used blob of which no copy opens. What a break leaves costs space
    /// and no data; the next prune frees it.
    package func execute(_ plan: PrunePlan, observer: any PruneObserver) async throws {
        guard !plan.request.isDryRun else { return }
        if !plan.unreferenced.isEmpty {
            observer.began(.deletingUnreferenced)
            try await removePacks(plan.unreferenced, observer)
        }
        if !plan.repacked.isEmpty { try await repack(plan, observer) }
        let going = plan.removed + plan.repacked
        if plan.request.recoversWithoutSpace {
            observer.began(.deletingAllIndexes)
            try await removeIndexes(try await store.list(.index).map(\.digest), observer)
        } else if !going.isEmpty || !plan.missing.isEmpty {
            try await rebuildIndex(leavingOut: Set(going + plan.missing), observer)
        }
        if !going.isEmpty {
            observer.began(.removingPacks(count: going.count))
            try await removePacks(going, observer)
        }
        if plan.request.recoversWithoutSpace {
            observer.began(.savingIndex)
            try await saveWholeIndex(leavingOut: Set(going + plan.missing))
        }
        // What is in memory names packs that are gone.
        index.removeAll()
        observer.began(.done)
    }

    // MARK: packs

    private func repack(_ plan: PrunePlan, _ observer: any PruneObserver) async throws {
        observer.began(.repacking)
        let wanted = wantedEntries(plan)
        let runs = PackRuns(wanted, index)
        let done = SharedCounter()
        let remaining = RemainingBlobs(plan.kept)
        let width = max(1, min(store.connections, environment.pool.width))
        try await withBlobWriter { writer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<width {
                    group.addTask(executorPreference: self.environment.pool) {
                        let (reader, sealer) = (self.makeWorker(), self.makeWorker())
                        while let run = runs.next() {
                            try await self.repack(run, plan.request, reader, sealer, writer, remaining)
                            observer.progressed((done.take(below: .max) ?? 0) + 1, of: plan.repacked.count)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        observer.finishedCounting()
        if let left = remaining.first { throw lostOnTheWay(left) }
    }

    /// One entry for each blob that needs a new copy, in a pack that goes.
    private func wantedEntries(_ plan: PrunePlan) -> EntrySet {
        let going = Set(plan.repacked)
        var wanted = EntrySet(count: index.blobCount)
        var rest = plan.kept
        let first = index.firstEntries()
        for number in 0..<index.packCount where going.contains(index.packID(number)) {
            for entry in index.entries(ofPack: number) where rest.contains(Int(first[entry])) {
                _ = wanted.insert(entry)
                rest.remove(Int(first[entry]))
            }
        }
        return wanted
    }

    private func repack(
        _ run: [BlobLocation],
        _ request: PruneRequest,
        _ reader: BlobWorker,
        _ sealer: BlobWorker,
        _ writer: BlobWriter,
        _ remaining: RemainingBlobs
    ) async throws {
        guard let pack = run.first?.pack else { return }
        try await readBlobs(
            pack: pack,
            run,
            worker: reader,
            deliver: { blob in
                try Task.checkCancellation()
                let isRaw = isCompressing && !blob.location.isCompressed
                let compressing = isRaw && (blob.location.type == .tree || request.repackUncompressed)
                try await writer.saveAgain(blob, compressing: compressing, worker: sealer)
                if let first = index.firstEntry(blob.location.type, blob.location.id) {
                    remaining.remove(first)
                }
            },
            failed: { throw $1 }
        )
    }

    private func lostOnTheWay(_ entry: Int) -> RepositoryFailure {
        let blob = index.location(ofEntry: entry)
        return RepositoryFailure(
            .damaged,
            operation: "prune",
            object: "\(blob.type.name) blob \(blob.id.short)",
            what: "was not repacked, though a snapshot needs it",
            state: "no pack that an index names was removed",
            next: "run `check --read-data`, and report this: it is a fault of the program"
        )
    }

    private func removePacks(_ packs: [PackID], _ observer: any PruneObserver) async throws {
        var done = 0
        try await remove(.pack, packs.map(\.digest)) { digest, error in
            observer.removed(PackID(digest), error)
            done += 1
            observer.progressed(done, of: packs.count)
        }
        observer.finishedCounting()
    }

    // MARK: index files

    private func rebuildIndex(leavingOut: Set<PackID>, _ observer: any PruneObserver) async throws {
        observer.began(.rebuildingIndex)
        let files = try await store.list(.index)
        var rewrite = IndexRewrite(self, leavingOut: leavingOut)
        for (number, file) in files.enumerated() {
            try Task.checkCancellation()
            try await rewrite.add(IndexID(file.digest))
            observer.progressed(number + 1, of: files.count)
        }
        try await rewrite.flush()
        observer.finishedCounting()
        observer.began(.deletingOldIndexes)
        try await removeIndexes(rewrite.obsolete, observer)
    }

    /// Errors: the first file that stays, since packs that it names must not go.
    private func removeIndexes(_ files: [Digest], _ observer: any PruneObserver) async throws {
        var done = 0
        try await remove(.index, files) { digest, error in
            observer.removed(IndexID(digest), error)
            if let error { throw error }
            done += 1
            observer.progressed(done, of: files.count)
        }
        observer.finishedCounting()
    }

    private func saveWholeIndex(leavingOut: Set<PackID>) async throws {
        var rewrite = IndexRewrite(self, leavingOut: leavingOut)
        for number in 0..<index.packCount where !leavingOut.contains(index.packID(number)) {
            try await rewrite.append(index.packID(number), index.blobs(ofPack: number))
        }
        try await rewrite.flush()
    }
}

/// First entries of the blobs that still need a new copy.
private final class RemainingBlobs: Sendable {
    private let entries: Mutex<EntrySet>

    init(_ entries: EntrySet) { self.entries = Mutex(entries) }

    var first: Int? { entries.withLock { $0.next(from: 0) } }

    func remove(_ entry: Int) { entries.withLock { $0.remove(entry) } }
}

/// Marks what snapshots use.
private final class UseVisitor: TreeSweepVisitor {
    private let index: BlobIndex
    private let rootCount: Int
    private let observer: any PruneObserver
    private let state: Mutex<State>

    private struct State {
        var used: EntrySet
        var missing: [String] = []
        var rootsDone = 0
    }

    private static let missingNamed = 100

    init(index: BlobIndex, rootCount: Int, observer: any PruneObserver) {
        self.index = index
        self.rootCount = rootCount
        self.observer = observer
        state = Mutex(State(used: EntrySet(count: index.blobCount)))
    }

    var used: EntrySet { state.withLock { $0.used } }

    /// Blobs that no index names, as restic calls them.
    var missing: [String] { state.withLock { $0.missing } }

    func visit(_ tree: BlobID, _ document: [UInt8]) throws -> [BlobID] {
        var subtrees: [BlobID] = []
        var entries: [Int] = []
        var reader = TreeReader(document)
        while let node = try reader.next() {
            for id in node.content ?? [] {
                if let entry = index.firstEntry(.data, id) { entries.append(entry) } else { note(.data, id) }
            }
            guard node.type == .directory else { continue }
            guard let subtree = node.subtree else { throw WalkProblem.noSubtree(node.name) }
            subtrees.append(subtree)
        }
        state.withLock { state in
            for entry in entries { _ = state.used.insert(entry) }
        }
        return subtrees
    }

    private func note(_ type: BlobType, _ id: BlobID) {
        state.withLock { state in
            guard state.missing.count < Self.missingNamed else { return }
            state.missing.append("<\(type.name)/\(id.short)>")
        }
    }

    func missing(_ tree: BlobID) { note(.tree, tree) }

    func unreadable(_ tree: BlobLocation, _ error: any Error) throws { throw error }

    func finished(roots: Int) {
        let done = state.withLock { state in
            state.rootsDone += roots
            return state.rootsDone
        }
        observer.progressed(done, of: rootCount)
    }
}
