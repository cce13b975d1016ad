import Bytes
import Console
import Synchronization

/// A count with a total, shown as restic shows it: `[0:00] 100.00%  5 / 5 snapshots`.
///
/// restic has no such progress in JSON. Ours is given when `HOLDFAST_JSON_PROGRESS` asks for it, so that programs that read restic's JSON
/// meet nothing new: `{"message_type":"status","action":"packs",…}`.
final class ProgressCounter: Sendable {
    private let what: String
    private let screen: Screen
    private let time: any TimeSource
    private let started: UInt64
    private let isShown: Bool
    private let isJSON: Bool
    private let interval: UInt64?
    private let state = Mutex(State())

    private struct State {
        var done: UInt64 = 0
        var total: UInt64 = 0
        var shownAt: UInt64 = 0
    }

    /// Counts `what`; says nothing in quiet runs, and in JSON only when asked.
    init(_ what: String, session: Session) {
        self.what = what
        screen = session.context.screen
        time = session.context.time
        started = time.monotonicNanoseconds()
        isJSON = session.options.isJSON
        let wish = session.context.environment.value("HOLDFAST_JSON_PROGRESS") ?? ""
        isShown = isJSON ? !wish.bytes.isEmpty && wish != "0" : session.printer.verbosity >= .normal
        interval = isShown ? session.progressInterval : nil
    }

    /// Records how far it is, and shows that now and then.
    func set(_ done: UInt64, of total: UInt64) {
        let now = time.monotonicNanoseconds()
        let isDue = state.withLock { state in
            state.done = done
            state.total = total
            guard let interval, now - state.shownAt >= interval else { return false }
            state.shownAt = now
            return true
        }
        guard isDue else { return }
        if isJSON { screen.line(object) } else { screen.setStatus([line]) }
    }

    /// Prints the last count as a line.
    func finish() {
        guard isShown else { return }
        guard !isJSON else { return screen.line(object) }
        screen.setStatus([])
        screen.line(line)
    }

    private var object: Text {
        let (done, total) = state.withLock { ($0.done, $0.total) }
        var line = JSONLine(messageType: "status")
        line.add("action", what)
        line.add("seconds_elapsed", (time.monotonicNanoseconds() - started) / 1_000_000_000)
        line.add("percent_done", total == 0 ? 0 : Double(done) / Double(total))
        line.add("items_done", done)
        line.add("total_items", total)
        return line.text
    }

    private var line: Text {
        let (done, total) = state.withLock { ($0.done, $0.total) }
        let elapsed = formatSeconds((time.monotonicNanoseconds() - started) / 1_000_000_000)
        return total == 0
            ? "[\(elapsed)]          \(done) \(what)"
            : "[\(elapsed)] \(formatPercent(done, of: total))  \(done) / \(total) \(what)"
    }
}

extension Session {
    /// Nanoseconds between progress reports; nil for none.
    var progressInterval: UInt64? {
        Console.progressInterval(
            isShown: !options.isQuiet,
            isJSON: options.isJSON,
            canUpdateStatus: context.screen.facts.canUpdateStatus,
            fps: context.environment.value("RESTIC_PROGRESS_FPS")?.display
        )
    }
}
