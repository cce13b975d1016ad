import Bytes
import Console
import ResticFormat
import ResticRepository
import Synchronization

/// Tells what a backup does: lines for people, objects for programs, and the progress in between.
final class BackupReporter: BackupObserver {
    private let printer: Printer
    private let time: any TimeSource
    private let started: UInt64
    private let counters: BackupCounters
    private let estimate: Mutex<(estimator: RateEstimator, bytes: UInt64)>

    init(session: Session, counters: BackupCounters) {
        printer = session.printer
        time = session.context.time
        started = time.monotonicNanoseconds()
        self.counters = counters
        estimate = Mutex((RateEstimator(startSeconds: Double(started) / 1e9), 0))
    }

    var wantsItems: Bool { printer.verbosity >= (printer.isJSON ? .verbose : .detailed) }

    // MARK: items

    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {
        if printer.isJSON {
            printer.screen.bulk(itemJSON(action, path, isDirectory, statistics, seconds))
            return
        }
        let item = quotedForDisplay(path)
        guard action != .unchanged else { return printer.detailed("unchanged \(item)") }
        let verb = action == .new ? "new      " : "modified "
        let (added, stored) = (formatBytes(statistics.dataSize), formatBytes(statistics.dataSizeInRepository))
        let metadata = isDirectory ? ", \(formatBytes(statistics.treeSizeInRepository)) metadata" : ""
        printer.detailed(
            "\(verb) \(item), saved in \(fixed(seconds, 3))s (\(added) added, \(stored) stored\(metadata))"
        )
    }

    private func itemJSON(
        _ action: ItemAction,
        _ path: ByteString,
        _ isDirectory: Bool,
        _ statistics: ItemStatistics,
        _ seconds: Double
    ) -> Text {
        let isKnown = action == .unchanged
        var line = JSONLine(messageType: "verbose_status")
        line.add("action", action.rawValue)
        line.add("item", path)
        line.add("duration", isKnown ? 0 : seconds)
        line.add("data_size", isKnown ? 0 : statistics.dataSize)
        line.add("data_size_in_repo", isKnown ? 0 : statistics.dataSizeInRepository)
        line.add("metadata_size", isKnown || !isDirectory ? 0 : statistics.treeSize)
        line.add("metadata_size_in_repo", isKnown || !isDirectory ? 0 : statistics.treeSizeInRepository)
        line.add("total_files", 0)
        return line.text
    }

    func failed(path: ByteString, during phase: BackupPhase, error: any Error) {
        guard !printer.isJSON else {
            var message = JSONLine()
            message.add("message", itemWords(path, error))
            var line = JSONLine(messageType: "error")
            line.add("error", json: message.object)
            line.add("during", phase.rawValue)
            line.add("item", path)
            return printer.error(line.text)
        }
        switch phase {
        case .archival: printer.error("error: \(itemWords(path, error))")
        case .scan: if printer.verbosity >= .verbose { printer.error("scan: \(itemWords(path, error))") }
        }
    }

    /// The error with the path it is about, once.
    private func itemWords(_ path: ByteString, _ error: any Error) -> Text {
        let text = causeText(error)
        let shown = printer.isJSON ? path : quotedForDisplay(path)
        return text.string.contains(path.display) ? text : "\(shown): \(text)"
    }

    func excluded(path: ByteString) {}

    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {
        guard printer.isJSON else {
            return printer.verbose("scan finished in \(fixed(seconds, 3))s: \(files) files, \(formatBytes(bytes))")
        }
        guard printer.verbosity >= .verbose else { return }
        var line = JSONLine(messageType: "verbose_status")
        line.add("action", "scan_finished")
        line.add("item", "")
        line.add("duration", seconds)
        line.add("data_size", bytes)
        line.add("data_size_in_repo", 0)
        line.add("metadata_size", 0)
        line.add("metadata_size_in_repo", 0)
        line.add("total_files", files)
        printer.result(line.text)
    }

    // MARK: progress

    private struct Progress {
        var filesDone: UInt64
        var bytesDone: UInt64
        var totalFiles: UInt64
        var totalBytes: UInt64
        var errors: UInt64
        var secondsElapsed: UInt64
        var secondsRemaining: UInt64
        var bytesPerSecond: Double
    }

    /// Shows how far it is; called at every tick.
    func tick() {
        printer.screen.flush()
        let progress = measure()
        let files = counters.currentFiles.sorted()
        if printer.isJSON { printer.result(progressJSON(progress, files)) } else { show(progress, files) }
    }

    private func measure() -> Progress {
        let now = time.monotonicNanoseconds()
        let bytesDone = counters.bytesDone.load(ordering: .relaxed)
        let totalBytes = counters.totalBytes.load(ordering: .relaxed)
        let isScanned = counters.isScanned.load(ordering: .relaxed)
        let nowSeconds = Double(now) / 1e9
        let (rate, remaining) = estimate.withLock { state in
            state.estimator.record(bytesDone &- state.bytes, atSeconds: nowSeconds)
            state.bytes = bytesDone
            let todo = totalBytes > bytesDone ? totalBytes - bytesDone : 0
            let remaining = isScanned ? state.estimator.secondsRemaining(todo, atSeconds: nowSeconds) : 0
            return (state.estimator.rate(atSeconds: nowSeconds), remaining)
        }
        return Progress(
            filesDone: counters.filesDone.load(ordering: .relaxed),
            bytesDone: bytesDone,
            totalFiles: counters.totalFiles.load(ordering: .relaxed),
            totalBytes: totalBytes,
            errors: counters.errors.load(ordering: .relaxed),
            secondsElapsed: (now - started) / 1_000_000_000,
            secondsRemaining: remaining,
            bytesPerSecond: rate
        )
    }

    private func progressJSON(_ progress: Progress, _ files: [ByteString]) -> Text {
        var line = JSONLine(messageType: "status")
        line.addUnlessZero("seconds_elapsed", progress.secondsElapsed)
        line.addUnlessZero("seconds_remaining", progress.secondsRemaining)
        line.add(
            "percent_done",
            progress.totalBytes > 0 ? Double(progress.bytesDone) / Double(progress.totalBytes) : 0
        )
        line.addUnlessZero("total_files", progress.totalFiles)
        line.addUnlessZero("files_done", progress.filesDone)
        line.addUnlessZero("total_bytes", progress.totalBytes)
        line.addUnlessZero("bytes_done", progress.bytesDone)
        line.addUnlessZero("error_count", progress.errors)
        if !files.isEmpty { line.add("current_files", files) }
        return line.text
    }

    private func show(_ progress: Progress, _ files: [ByteString]) {
        let elapsed = formatSeconds(progress.secondsElapsed)
        let rate = formatBytes(UInt64(max(0, progress.bytesPerSecond))) + "/s"
        let done = "\(progress.filesDone) files \(formatBytes(progress.bytesDone))"
        var text = "[\(elapsed)] \(done), \(progress.errors) errors, \(rate)"
        if progress.totalFiles > 0 {
            let isFinal = counters.isScanned.load(ordering: .relaxed)
            let percent = isFinal ? formatPercent(progress.bytesDone, of: progress.totalBytes) + "  " : ""
            let eta = progress.secondsRemaining > 0 ? " ETA \(formatSeconds(progress.secondsRemaining))" : ""
            let total = "\(progress.totalFiles) files \(formatBytes(progress.totalBytes))"
            text = "[\(elapsed)] \(percent)\(done), total \(total), \(progress.errors) errors, \(rate)\(eta)"
        }
        printer.screen.setStatus([Text(text)] + files.map { Text(bytes: $0.bytes) })
    }

    // MARK: the end

    /// Prints the summary.
    func finish(_ result: BackupResult, isDryRun: Bool) {
        printer.screen.setStatus([])
        let summary = result.summary
        if printer.isJSON {
            printer.result(summaryJSON(result, isDryRun))
        } else {
            printSummary(summary, result, isDryRun)
        }
    }

    private func summaryJSON(_ result: BackupResult, _ isDryRun: Bool) -> Text {
        let summary = result.summary
        var line = JSONLine(messageType: "summary")
        line.addFields(of: summary.encodeCounts())
        line.add("total_duration", result.duration)
        line.add("backup_start", summary.backupStart)
        line.add("backup_end", summary.backupEnd)
        if let snapshot = result.snapshot { line.add("snapshot_id", snapshot.hex) }
        if isDryRun { line.add("dry_run", true) }
        return line.text
    }

    private func printSummary(_ summary: SnapshotSummary, _ result: BackupResult, _ isDryRun: Bool) {
        func counts(_ new: UInt64, _ changed: UInt64, _ same: UInt64) -> String {
            "\(padLeft(new, 5)) new, \(padLeft(changed, 5)) changed, \(padLeft(same, 5)) unmodified"
        }
        printer.normal("")
        printer.normal(
            "Files:       \(counts(summary.filesNew, summary.filesChanged, summary.filesUnmodified))"
        )
        printer.normal("Dirs:        \(counts(summary.dirsNew, summary.dirsChanged, summary.dirsUnmodified))")
        printer.verbose("Data Blobs:  \(padLeft(summary.dataBlobs, 5)) new")
        printer.verbose("Tree Blobs:  \(padLeft(summary.treeBlobs, 5)) new")
        let added = padRight(formatBytes(summary.dataAdded), 5)
        let stored = padRight(formatBytes(summary.dataAddedPacked), 5)
        printer.normal("\(isDryRun ? "Would add" : "Added") to the repository: \(added) (\(stored) stored)")
        printer.normal("")
        let seconds = UInt64(result.duration)
        printer.normal(
            "processed \(summary.totalFilesProcessed) files, \(formatBytes(summary.totalBytesProcessed)) in \(formatSeconds(seconds))"
        )
        guard !isDryRun else { return }
        if let snapshot = result.snapshot {
            printer.normal("snapshot \(snapshot.short) saved")
        } else {
            printer.normal("skipped creating snapshot")
        }
    }
}
