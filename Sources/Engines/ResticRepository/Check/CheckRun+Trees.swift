import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// What level 2 found out for the levels after it.
struct StructureWalk: Sendable {
    /// Snapshots whose trees were walked, oldest first.
    var snapshots: [Snapshot]
    /// Entries of the blobs that they use; nil when nobody asked.
    var used: EntrySet?
}

/// Level 2: snapshots and trees.
///
/// The walk is iterative: a stack of entries of the index, taken from its end in rounds of 2,048 and grouped by pack,
/// so that the trees of one pack come in few requests. Each tree is opened once, however many paths lead to it (I-09):
/// a bit for each entry says that it is or was on the stack. Memory: that bit, and 8 bytes for each tree on the stack.
extension CheckRun {
    /// Loads the snapshots and walks everything below them.
    func checkStructure(_ known: [SnapshotID]) async throws -> StructureWalk {
        begin(.structure)
        let snapshots = try await loadSnapshots(known)
        expect(.structure, total: snapshots.count)
        let tracksUse = request.isFiltered || request.checkUnused
        let walk = TreeWalkState(
            entries: index.blobCount,
            roots: snapshots.map(\.document.tree),
            tracksUse: tracksUse
        )
        try await self.walk(walk)
        let used = walk.used
        if request.checkUnused, let used { reportUnused(used) }
        return StructureWalk(snapshots: snapshots, used: used)
    }

    private func loadSnapshots(_ known: [SnapshotID]) async throws -> [Snapshot] {
        var failures: [(SnapshotID, any Error)] = []
        let snapshots: [Snapshot]
        if request.snapshots.isEmpty {
            snapshots = try await repository.loadSnapshots(known, filter: request.filter) { failures.append(($0, $1)) }
        } else {
            var ignored: [(String, any Error)] = []
            snapshots = try await repository.selectSnapshots(request.snapshots, filter: request.filter) {
                ignored.append(($0, $1))
            }
            for (name, error) in ignored { reportIgnored(name, error) }
        }
        for (id, error) in failures {
            markBroken(id)
            let why = await reason(.snapshot, id.digest, error)
            report(
                Finding(
                    .damage,
                    .snapshotUnreadable,
                    object: "snapshot \(id.hex)",
                    what: "failed to load snapshot \(id.short): \(why)",
                    next: "restore the file from a copy of the repository, or remove it with `forget`"
                )
            )
        }
        return snapshots.sortedByTime()
    }

    private func reportIgnored(_ name: String, _ error: any Error) {
        report(
            Finding(
                .damage,
                .snapshotNotFound,
                object: "snapshot \"\(name)\"",
                what: CheckWords.text(error),
                next: "list what is there with `snapshots`"
            )
        )
    }

    // MARK: The walk

    private func walk(_ walk: TreeWalkState) async throws {
        let worker = repository.makeWorker()
        while true {
            try Task.checkCancellation()
            refill(walk)
            let round = walk.takeRound(CheckLimits.treesPerRound)
            if round.isEmpty { return }
            let jobs = jobs(for: round)
            if jobs.count == 1 {
                try await visit(jobs[0], walk, worker)
            } else {
                try await visitAll(jobs, walk)
            }
            let finished = walk.endRound(round)
            if finished > 0 { advance(.structure, by: finished) }
        }
    }

    private func visitAll(_ jobs: [TreeJob], _ walk: TreeWalkState) async throws {
        let next = SharedCounter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width(jobs.count) {
                group.addTask(executorPreference: repository.environment.pool) {
                    let worker = self.repository.makeWorker()
                    while let number = next.take(below: jobs.count) { try await self.visit(jobs[number], walk, worker) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Puts roots of further snapshots on the stack while there is room for more work.
    private func refill(_ walk: TreeWalkState) {
        while walk.stackCount < CheckLimits.rootsInFlight, let (root, number) = walk.nextRoot() {
            if let root {
                push([root], root: number, walk)
            } else {
                report(
                    Finding(
                        .damage,
                        .treeUnreadable,
                        object: Finding.tree(BlobID(.zero)),
                        what: "snapshot has no tree",
                        next: "remove the snapshot with `forget`"
                    )
                )
            }
            if walk.endRoot(number) { advance(.structure) }
        }
    }

    /// Puts trees on the stack that were not seen before; reports those that no index names, once each.
    private func push(_ trees: [BlobID], root: Int, _ walk: TreeWalkState) {
        for tree in trees {
            if let entry = index.firstEntry(.tree, tree) {
                walk.push(entry, root: root)
            } else if walk.isFirstMiss(tree) {
                lost.insert(.tree, tree)
                report(
                    Finding(
                        .damage,
                        .treeUnreadable,
                        object: Finding.tree(tree),
                        what: "id \(tree.hex) not found in repository",
                        next: CheckWords.repairIndex
                    )
                )
            }
        }
    }

    /// Trees of one pack, close together.
    private struct TreeJob: Sendable {
        var pack: PackID
        var blobs: [BlobLocation] = []
        var roots: [BlobID: Int] = [:]
    }

    private func jobs(for round: [TreeWalkState.Item]) -> [TreeJob] {
        let located = round.map { (blob: index.location(ofEntry: Int($0.entry)), root: Int($0.root)) }
            .sorted { $0.blob.pack != $1.blob.pack ? $0.blob.pack < $1.blob.pack : $0.blob.offset < $1.blob.offset }
        var jobs: [TreeJob] = []
        for (blob, root) in located {
            let first = UInt64(jobs.last?.blobs.first?.offset ?? 0)
            if jobs.last?.pack != blob.pack || blob.end - first > CheckLimits.spanBytes {
                jobs.append(TreeJob(pack: blob.pack))
            }
            jobs[jobs.count - 1].blobs.append(blob)
            jobs[jobs.count - 1].roots[blob.id] = root
        }
        return jobs
    }

    /// A store on this machine, which has two connections, gives ranges as fast as a cache does, without fetching whole
    /// packs.
    private var readsRanges: Bool { repository.cache == nil || repository.store.connections <= 2 }

    private func visit(_ job: TreeJob, _ walk: TreeWalkState, _ worker: BlobWorker) async throws {
        try Task.checkCancellation()
        if readsRanges {
            try await repository.readBlobs(
                pack: job.pack,
                job.blobs,
                worker: worker,
                deliver: { blob, bytes in self.judge(blob.id, Array(bytes), root: job.roots[blob.id] ?? 0, walk) },
                failed: { blob, error in self.reportUnreadable(blob, error) }
            )
            return
        }
        for blob in job.blobs {
            try Task.checkCancellation()
            do {
                judge(
                    blob.id,
                    try await repository.loadTree(blob.id, worker: worker),
                    root: job.roots[blob.id] ?? 0,
                    walk
                )
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                reportUnreadable(blob, error)
            }
        }
    }

    private func judge(_ tree: BlobID, _ document: [UInt8], root: Int, _ walk: TreeWalkState) {
        let use: (([BlobID]) -> Void)? =
            walk.tracksUse
            ? { content in walk.markUsed(content.compactMap { self.index.firstEntry(.data, $0) }) } : nil
        let judgement = TreeJudgement(tree: tree, document: document, index: index, use: use)
        for blob in judgement.absent { lost.insert(.data, blob) }
        report(judgement.findings)
        push(judgement.subtrees, root: root, walk)
    }

    private func reportUnreadable(_ blob: BlobLocation, _ error: any Error) {
        lost.insert(.tree, blob.id)
        let cause = (error as? RepositoryFailure)?.cause
        let what: String
        if let damage = cause as? BlobDamage {
            what = CheckWords.text(damage, blob.packed, pack: blob.pack)
        } else {
            what = "ReadFull(<data/\(blob.pack.hex.prefix(10))>): \(CheckWords.text(cause ?? error))"
        }
        report(
            Finding(
                .damage,
                .treeUnreadable,
                object: Finding.tree(blob.id),
                what: what,
                next: CheckWords.repairPacks(blob.pack)
            )
        )
    }

    private func reportUnused(_ used: EntrySet) {
        for pack in 0..<index.packCount {
            for blob in index.blobs(ofPack: pack) {
                guard let entry = index.firstEntry(blob.type, blob.id), !used.contains(entry) else { continue }
                let name = CheckWords.handle(blob.type, blob.id)
                report(
                    Finding(
                        .hint,
                        .blobUnused,
                        object: "blob \(blob.id.hex)",
                        what: "unused blob \(name)",
                        next: "run `prune`"
                    )
                )
            }
        }
    }
}

extension BlobLocation {
    /// The entry without the name of its pack.
    var packed: PackedBlob {
        PackedBlob(id: id, type: type, offset: offset, length: length, uncompressedLength: uncompressedLength)
    }
}
