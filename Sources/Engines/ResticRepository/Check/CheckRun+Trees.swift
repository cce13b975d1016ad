import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

/// What level 2 found out for the levels after it.
struct StructureWalk: Sendable {
    /// Snapshots whose trees were walked, oldest first.
    var snapshots: [Snapshot]
    /// Entries of the blobs that they use; nil when nobody asked.
    var used: EntrySet?
}

/// Level 2: snapshots and trees.
extension CheckRun {
    /// Loads the snapshots and walks everything below them.
    func checkStructure(_ known: [SnapshotID]) async throws -> StructureWalk {
        begin(.structure)
        let snapshots = try await loadSnapshots(known)
        expect(.structure, total: snapshots.count)
        let rootless = snapshots.count { $0.document.tree == nil }
        for _ in 0..<rootless { reportRootless() }
        if rootless > 0 { advance(.structure, by: rootless) }
        let visitor = CheckVisitor(run: self, tracksUse: request.isFiltered || request.checkUnused)
        let sweep = TreeSweep(
            repository,
            roots: snapshots.compactMap(\.document.tree),
            width: width(.max),
            visitor: visitor
        )
        try await sweep.run()
        let used = visitor.used.map { $0.union(sweep.seen) }
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

    private func reportRootless() {
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

    fileprivate func reportMissing(_ tree: BlobID) {
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

    fileprivate func reportUnreadable(_ blob: BlobLocation, _ error: any Error) {
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

/// Judges each tree of a check, and marks what is used where that is asked for.
private final class CheckVisitor: TreeSweepVisitor {
    private let run: CheckRun
    private let tracksUse: Bool
    private let marks: Mutex<EntrySet>

    init(run: CheckRun, tracksUse: Bool) {
        self.run = run
        self.tracksUse = tracksUse
        marks = Mutex(EntrySet(count: tracksUse ? run.index.blobCount : 0))
    }

    /// Entries of the data blobs that were met; nil when nobody asked.
    var used: EntrySet? { tracksUse ? marks.withLock { $0 } : nil }

    func visit(_ tree: BlobID, _ document: [UInt8]) -> [BlobID] {
        let use: (([BlobID]) -> Void)? = tracksUse ? { self.mark($0) } : nil
        let judgement = TreeJudgement(tree: tree, document: document, index: run.index, use: use)
        for blob in judgement.absent { run.lost.insert(.data, blob) }
        run.report(judgement.findings)
        return judgement.subtrees
    }

    private func mark(_ content: [BlobID]) {
        let entries = content.compactMap { run.index.firstEntry(.data, $0) }
        marks.withLock { marks in
            for entry in entries { _ = marks.insert(entry) }
        }
    }

    func missing(_ tree: BlobID) { run.reportMissing(tree) }

    func unreadable(_ tree: BlobLocation, _ error: any Error) { run.reportUnreadable(tree, error) }

    func finished(roots: Int) { run.advance(.structure, by: roots) }
}
