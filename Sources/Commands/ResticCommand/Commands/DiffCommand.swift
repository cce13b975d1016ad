import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `diff SNAPSHOT SNAPSHOT`: what became of the first in the second.
    func runDiff() async throws -> ExitStatus {
        guard words.count == 2 else { throw CommandFailure.fatal("specify two snapshot IDs") }
        let names = words.map { SnapshotName($0) }
        return try await withRepository(readLock) { repository in
            let before = try await comparedSnapshot(names[0], repository)
            let after = try await comparedSnapshot(names[1], repository)
            printer.normal("comparing snapshot \(before.id.short) to \(after.id.short):\n\n")
            try await loadIndex(repository)
            for snapshot in [before, after] where snapshot.document.tree == nil {
                throw CommandFailure("snapshot \(snapshot.id.short) has nil tree")
            }
            let first = try await findDirectory(names[0].subfolder, in: before, repository)
            let second = try await findDirectory(names[1].subfolder, in: after, repository)
            let diff = TreeDiff(
                repository,
                showsMetadata: values.isOn("metadata"),
                changed: { try self.printChange($0) },
                problem: { self.printer.error("error: \(causeText($0))") }
            )
            let totals = try await diff.compare(first, second) { type, id in
                printer.error("unable to find blob size for <\(type.name)/\(id.short)>")
            }
            if options.isJSON { printDiffJSON(totals) } else { printDiffText(totals) }
            return .success
        }
    }

    private func comparedSnapshot(_ name: SnapshotName, _ repository: Repository) async throws -> Snapshot {
        do { return try await repository.findSnapshot(name) } catch let failure as RepositoryFailure
            where failure.code == .notFound || failure.code == .ambiguous
        {
            throw CommandFailure.fatal(causeText(failure))
        }
    }

    private func printChange(_ change: TreeChange) throws {
        guard !options.isQuiet else { return }
        if options.isJSON {
            var line = JSONLine(messageType: "change")
            line.add("path", change.path)
            line.add("modifier", change.modifier)
            printer.listed(line.text)
        } else {
            printer.listed("\(padRight(change.modifier, 5))\(printer.name(change.path))")
        }
        if change.path.bytes.last == 0x2f { try checkOutput() }
    }

    private func printDiffText(_ totals: DiffTotals) {
        let (added, removed) = (totals.added, totals.removed)
        func pair(_ new: Int, _ gone: Int) -> String { "\(padLeft(new, 5)) new, \(padLeft(gone, 5)) removed" }
        let lines: [Text] = [
            "", "Files:       \(pair(added.files, removed.files)), \(padLeft(totals.changedFiles, 5)) changed",
            "Dirs:        \(pair(added.directories, removed.directories))",
            "Others:      \(pair(added.others, removed.others))",
            "Data Blobs:  \(pair(added.dataBlobs, removed.dataBlobs))",
            "Tree Blobs:  \(pair(added.treeBlobs, removed.treeBlobs))",
            "  Added:   \(padRight(formatBytes(added.bytes), 5))",
            "  Removed: \(padRight(formatBytes(removed.bytes), 5))",
        ]
        for line in lines { printer.result(line) }
    }

    private func printDiffJSON(_ totals: DiffTotals) {
        var line = JSONLine(messageType: "statistics")
        line.add("source_snapshot", words[0])
        line.add("target_snapshot", words[1])
        line.add("changed_files", totals.changedFiles)
        line.add("added", json: countsJSON(totals.added))
        line.add("removed", json: countsJSON(totals.removed))
        printer.result(line.text)
    }

    private func countsJSON(_ counts: DiffCounts) -> [UInt8] {
        var line = JSONLine()
        line.add("files", counts.files)
        line.add("dirs", counts.directories)
        line.add("others", counts.others)
        line.add("data_blobs", counts.dataBlobs)
        line.add("tree_blobs", counts.treeBlobs)
        line.add("bytes", counts.bytes)
        return line.object
    }
}
