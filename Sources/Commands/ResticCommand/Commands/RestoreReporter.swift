import Bytes
import Console
import ResticRepository
import Synchronization

/// Tells what a restore does: lines for people, objects for programs, and the progress in between.
final class RestoreReporter: RestoreObserver {
    private let printer: Printer
    private let time: any TimeSource
    private let started: UInt64
    private let counters: RestoreCounters
    private let failures = Atomic<Int>(0)
    private let estimate: Mutex<(estimator: RateEstimator, bytes: UInt64)>

    init(session: Session, counters: RestoreCounters) {
        printer = session.printer
        time = session.context.time
        started = time.monotonicNanoseconds()
        self.counters = counters
        estimate = Mutex((RateEstimator(startSeconds: Double(started) / 1e9), 0))
    }

    /// Items that failed so far.
    var failureCount: Int { failures.load(ordering: .relaxed) }

    // MARK: items

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {
        guard printer.verbosity >= .detailed else { return }
        let (word, hasSize) = Self.words(action)
        guard printer.isJSON else {
            let text: Text = "\(padRight(word, 9)) \(printer.name(path))"
            return printer.detailed(hasSize ? "\(text) with size \(formatBytes(size))" : text)
        }
        var line = JSONLine(messageType: "verbose_status")
        line.add("action", word)
        line.add("item", path)
        line.add("size", size)
        printer.screen.bulk(line.text)
    }

    private static func words(_ action: RestoreAction) -> (word: String, hasSize: Bool) {
        switch action {
        case .directoryRestored, .otherRestored: ("restored", false)
        case .fileRestored: ("restored", true)
        case .fileUpdated: ("updated", true)
        case .fileUnchanged: ("unchanged", true)
        case .deleted: ("deleted", false)
        }
    }

    func failed(path: ByteString, error: any Error) {
        failures.add(1, ordering: .relaxed)
        guard printer.isJSON else {
            return printer.error("ignoring error for \(quotedForDisplay(path)): \(causeText(error))")
        }
        var message = JSONLine()
        message.add("message", causeText(error))
        var line = JSONLine(messageType: "error")
        line.add("error", json: message.object)
        line.add("during", "restore")
        line.add("item", path)
        printer.error(line.text)
    }

    func warned(_ message: String) { printer.error(Text("Warning: \(escapedControl(message))")) }

    // MARK: progress

    private var secondsElapsed: UInt64 { (time.monotonicNanoseconds() - started) / 1_000_000_000 }

    /// Shows how far it is; called at every tick.
    func tick() {
        printer.screen.flush()
        let progress = counters.progress
        if printer.isJSON {
            printer.result(json("status", progress, hasPercent: true))
        } else {
            printer.screen.setStatus([statusText(progress)])
        }
    }

    private func statusText(_ progress: RestoreProgress) -> Text {
        let now = Double(time.monotonicNanoseconds()) / 1e9
        let (rate, remaining) = estimate.withLock { state in
            state.estimator.record(progress.bytesWritten &- state.bytes, atSeconds: now)
            state.bytes = progress.bytesWritten
            let todo = progress.bytesTotal > progress.bytesWritten ? progress.bytesTotal - progress.bytesWritten : 0
            return (
                state.estimator.rate(atSeconds: now), state.estimator.secondsRemaining(todo, atSeconds: now)
            )
        }
        let percent = formatPercent(progress.bytesWritten, of: progress.bytesTotal)
        let done = "\(progress.filesFinished) files/dirs \(formatBytes(progress.bytesWritten))"
        let total = "\(progress.filesTotal) files/dirs \(formatBytes(progress.bytesTotal))"
        let speed = "\(formatBytes(UInt64(max(0, rate))))/s\(remaining > 0 ? " ETA \(formatSeconds(remaining))" : "")"
        let head = "[\(formatSeconds(secondsElapsed))] \(percent)  \(done), total \(total)"
        return Text("\(head)\(suffix(progress)), \(speed)")
    }

    private func suffix(_ progress: RestoreProgress) -> String {
        var text = ""
        if progress.filesSkipped > 0 {
            text += ", skipped \(progress.filesSkipped) files/dirs \(formatBytes(progress.bytesSkipped))"
        }
        if progress.filesDeleted > 0 { text += ", deleted \(progress.filesDeleted) files/dirs" }
        return text
    }

    private func json(_ type: String, _ progress: RestoreProgress, hasPercent: Bool) -> Text {
        var line = JSONLine(messageType: type)
        line.addUnlessZero("seconds_elapsed", secondsElapsed)
        if hasPercent {
            let whole = progress.bytesTotal
            line.add("percent_done", whole > 0 ? Double(progress.bytesWritten) / Double(whole) : 0)
        }
        line.addUnlessZero("total_files", progress.filesTotal)
        line.addUnlessZero("files_restored", progress.filesFinished)
        line.addUnlessZero("files_skipped", progress.filesSkipped)
        line.addUnlessZero("files_deleted", progress.filesDeleted)
        line.addUnlessZero("total_bytes", progress.bytesTotal)
        line.addUnlessZero("bytes_restored", progress.bytesWritten)
        line.addUnlessZero("bytes_skipped", progress.bytesSkipped)
        return line.text
    }

    /// Prints the summary, also in quiet runs, as restic does.
    func finish() {
        printer.screen.setStatus([])
        let progress = counters.progress
        guard !printer.isJSON else { return printer.result(json("summary", progress, hasPercent: false)) }
        let total = formatBytes(progress.bytesTotal)
        let isWhole = progress.filesFinished == progress.filesTotal && progress.bytesWritten == progress.bytesTotal
        let amount =
            isWhole
            ? "\(progress.filesTotal) files/dirs (\(total))"
            : "\(progress.filesFinished) / \(progress.filesTotal) files/dirs (\(formatBytes(progress.bytesWritten)) / \(total))"
        printer.result(Text("Summary: Restored \(amount) in \(formatSeconds(secondsElapsed))\(suffix(progress))"))
    }
}
