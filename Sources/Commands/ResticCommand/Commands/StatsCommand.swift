import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `stats [SNAPSHOT…]`: counts files and sizes in one of four ways.
    func runStats() async throws -> ExitStatus {
        let name = values.text("mode") ?? "restore-size"
        guard let mode = CensusMode(rawValue: name.display) else {
            if name == "debug" { throw CommandFailure.notYet("stats --mode debug") }
            throw CommandFailure(
                "unknown counting mode: \(name) (use the -h flag to get a list of supported modes)"
            )
        }
        let filter = try snapshotFilter()
        return try await withRepository(readLock) { repository in
            try await loadIndex(repository)
            if !options.isJSON { printer.result("scanning...") }
            let snapshots = try await chosenSnapshots(words, filter: filter, repository)
            let started = context.time.monotonicNanoseconds()
            let census = SnapshotCensus(repository, mode: mode)
            for snapshot in snapshots { try await count(snapshot, census) }
            if !options.isJSON { printProgress(census, since: started) }
            printStats(census.totals, mode)
            return .success
        }
    }

    /// How the counting ended: `[0:00] 100.00%  3 / 3 snapshots, 11 files, 3.052 MiB`; files and sizes are those of the last snapshot.
    private func printProgress(_ census: SnapshotCensus, since started: UInt64) {
        let (count, last) = (UInt64(census.totals.snapshots), census.lastSnapshot)
        let elapsed = formatSeconds((context.time.monotonicNanoseconds() - started) / 1_000_000_000)
        var line: Text = "[\(elapsed)] \(formatPercent(count, of: count))  \(count) / \(count) snapshots"
        if last.items > 0 { line += ", \(last.items) files" }
        if last.blobs > 0 { line += ", \(last.blobs) blobs" }
        printer.result(line + ", \(formatBytes(last.bytes))")
    }

    private func count(_ snapshot: Snapshot, _ census: SnapshotCensus) async throws {
        guard let tree = snapshot.document.tree else {
            throw CommandFailure("error walking snapshot: snapshot \(snapshot.id.short) has nil tree")
        }
        do { try await census.count(tree) } catch let error where !(error is CancellationError) {
            throw CommandFailure("error walking snapshot: walking tree \(tree.hex): \(causeText(error))")
        }
    }

    private func printStats(_ totals: CensusTotals, _ mode: CensusMode) {
        guard !options.isJSON else { return printer.result(statsJSON(totals)) }
        var lines: [Text] = [
            "Stats in \(mode.rawValue) mode:", "     Snapshots processed:  \(totals.snapshots)",
        ]
        if totals.blobs > 0 { lines.append("        Total Blob Count:  \(totals.blobs)") }
        if totals.files > 0 { lines.append("        Total File Count:  \(totals.files)") }
        if totals.uncompressedSize > 0 {
            lines.append(" Total Uncompressed Size:  \(padRight(formatBytes(totals.uncompressedSize), 5))")
        }
        lines.append("              Total Size:  \(padRight(formatBytes(totals.size), 5))")
        if totals.compressionProgress > 0 {
            lines.append("    Compression Progress:  \(fixed(totals.compressionProgress, 2))%")
        }
        if totals.compressionRatio > 0 {
            lines.append("       Compression Ratio:  \(fixed(totals.compressionRatio, 2))x")
        }
        if totals.compressionSpaceSaving > 0 {
            lines.append("Compression Space Saving:  \(fixed(totals.compressionSpaceSaving, 2))%")
        }
        for line in lines { printer.result(line) }
    }

    private func statsJSON(_ totals: CensusTotals) -> Text {
        var line = JSONLine()
        line.add("total_size", totals.size)
        line.addUnlessZero("total_uncompressed_size", totals.uncompressedSize)
        if totals.compressionRatio != 0 { line.add("compression_ratio", totals.compressionRatio) }
        if totals.compressionProgress != 0 { line.add("compression_progress", totals.compressionProgress) }
        if totals.compressionSpaceSaving != 0 { line.add("compression_space_saving", totals.compressionSpaceSaving) }
        line.addUnlessZero("total_file_count", totals.files)
        line.addUnlessZero("total_blob_count", totals.blobs)
        line.add("snapshots_count", totals.snapshots)
        return line.text
    }
}
