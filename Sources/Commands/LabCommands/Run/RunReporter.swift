import Bytes
import Console
import Outcome
import Protection
import ResticRepository
import Strategy
import Synchronization

/// Shows a run: one line for each step that ended, and on a terminal where the running ones are.
final class RunReporter: RunObserver {
    private struct Moving {
        var counters: BackupCounters?
        var done: UInt64 = 0
        var total: UInt64 = 0
        var unit = ""
        var began: UInt64
    }

    private let printer: Printer
    private let time: any TimeSource
    private let moving = Mutex<[(step: RunStep, state: Moving)]>([])

    init(printer: Printer, time: any TimeSource) {
        self.printer = printer
        self.time = time
    }

    /// Draws the status lines while `body` runs.
    func whileShown<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        guard printer.screen.facts.canUpdateStatus, !printer.isJSON, printer.verbosity >= .normal else {
            return try await body()
        }
        let screen = printer.screen
        defer { screen.setStatus([]) }
        return try await withTicks(every: 200_000_000, time: time, { screen.setStatus(self.statusLines()) }, body)
    }

    // MARK: RunObserver

    func began(_ item: RunPlan.Item) {
        let name = item.workload.name
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "workload")
            line.add("workload", name)
            line.add("missed", item.missed)
            if !item.catchesUp.isEmpty { line.add("catches_up", item.catchesUp.map { ByteString($0) }) }
            return printer.result(line.text)
        }
        let late = item.missed > 0 ? ", and \(counted(item.missed, "due time")) before" : ""
        let due = item.dueSince.map { "due \(ageText(time.now().length(since: $0))) ago\(late)" }
        let why = item.catchesUp.isEmpty ? due ?? "asked for" : catchUpText(item)
        printer.normal("\(name): \(why)")
    }

    func began(_ step: RunStep) {
        let began = time.monotonicNanoseconds()
        moving.withLock { $0.append((step, Moving(began: began))) }
        printer.verbose("  \(stepText(step)) begins")
    }

    func counting(_ counters: BackupCounters, of step: RunStep) { change(step) { $0.counters = counters } }

    func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep) {
        change(step) { state in
            state.done = done
            state.total = total
            state.unit = unit
        }
    }

    func finished(_ step: RunStep, _ result: StepResult, seconds: Double) {
        moving.withLock { moving in moving.removeAll { $0.step == step } }
        guard !printer.isJSON else { return printer.result(json(step, result, seconds)) }
        let head = "  \(stepText(step)): "
        switch result {
        case .done(let text): printer.normal("\(head)\(text)\(duration(seconds))")
        case .nothing(let text): printer.verbose("\(head)\(text)")
        case .skipped(let text): printer.normal("\(head)\(text)")
        case .partial(let text): printer.error(Text("\(head)INCOMPLETE: \(text)\(duration(seconds))"))
        case .failed(let failure): printer.error(Text(failureText(failure, head)))
        }
    }

    func unreadable(_ path: String, workload: String) {
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "error")
            line.add("workload", workload)
            line.add("message", path)
            return printer.result(line.text)
        }
        printer.error(Text("  not read: \(escapedControl(path))"))
    }

    // MARK: text

    private func change(_ step: RunStep, _ body: (inout Moving) -> Void) {
        moving.withLock { moving in
            guard let index = moving.firstIndex(where: { $0.step == step }) else { return }
            body(&moving[index].state)
        }
    }

    private func statusLines() -> [Text] {
        let now = time.monotonicNanoseconds()
        return moving.withLock { moving in
            moving.map { step, state in
                let seconds = Double(now &- state.began) / 1e9
                return Text("  \(stepText(step)) \(progressText(state, seconds))")
            }
        }
    }

    private func progressText(_ state: Moving, _ seconds: Double) -> String {
        if let counters = state.counters {
            let bytes = counters.bytesDone.load(ordering: .relaxed)
            let files = counters.filesDone.load(ordering: .relaxed)
            return "\(files) files, \(formatBytes(bytes)), \(rate(bytes, seconds))"
        }
        guard state.total > 0 else { return "…" }
        let share = "\(fixed(100 * Double(state.done) / Double(state.total), 0)) %"
        let left = state.done > 0 ? seconds * (Double(state.total) / Double(state.done) - 1) : 0
        let remaining = state.done > 0 ? ", about \(formatSeconds(UInt64(max(0, left)))) left" : ""
        guard state.unit == "bytes" else {
            return "\(state.done) of \(state.total) \(state.unit), \(share)\(remaining)"
        }
        return
            "\(formatBytes(state.done)) of \(formatBytes(state.total)), \(share), \(rate(state.done, seconds))\(remaining)"
    }

    private func rate(_ bytes: UInt64, _ seconds: Double) -> String {
        "\(formatBytes(UInt64(Double(bytes) / max(0.2, seconds))))/s"
    }

    private func duration(_ seconds: Double) -> String { seconds >= 0.05 ? ", \(fixed(seconds, 1)) s" : "" }

    private func failureText(_ failure: any ReportableFailure, _ head: String) -> String {
        let report = FailureReport(
            failure,
            fallbackState: "earlier snapshots are not touched",
            fallbackNext: "mend the cause and run the same command again"
        )
        return "\(head)FAILED\n\(report.text)"
    }

    private func json(_ step: RunStep, _ result: StepResult, _ seconds: Double) -> Text {
        var line = JSONLine(messageType: "step")
        line.add("step", step.kind.rawValue)
        if let workload = step.workload { line.add("workload", workload) }
        line.add("repository", step.repository)
        switch result {
        case .done(let text):
            line.add("outcome", "ok")
            line.add("message", text)
        case .nothing(let text):
            line.add("outcome", "nothing")
            line.add("message", text)
        case .partial(let text):
            line.add("outcome", "partial")
            line.add("message", text)
        case .skipped(let text):
            line.add("outcome", "skipped")
            line.add("message", text)
        case .failed(let failure):
            line.add("outcome", "failed")
            line.add("code", failure.codeName)
            line.add("message", "\(failure.object) \(failure.what)")
            line.add("state", failure.state)
            line.add("next", failure.next)
        }
        line.add("seconds", seconds)
        return line.text
    }
}

/// Why a workload runs that is not due: `catches up host-usb, offsite`.
func catchUpText(_ item: RunPlan.Item) -> String { "catches up \(item.catchesUp.joined(separator: ", "))" }

/// `copy to host-usb`, `retention of host in host-os`.
func stepText(_ step: RunStep) -> String {
    let whose = step.workload.map { " of \($0)" } ?? ""
    switch step.kind {
    case .open: return "open \(step.repository)"
    case .before: return "command before the backup"
    case .after: return "command after the backup"
    case .owed: return "command after the backup\(whose), left undone"
    case .backUp: return "backup to \(step.repository)"
    case .copy: return "copy to \(step.repository)"
    case .readBack: return "read-back from \(step.repository)"
    case .forget: return "retention\(whose) in \(step.repository)"
    case .prune: return "prune of \(step.repository)"
    case .verify: return "verification of \(step.repository)"
    case .lock: return "locks of \(step.repository)"
    case .record: return "record in \(step.repository)"
    case .mount: return "mount of \(step.repository)"
    case .unmount: return "unmount of \(step.repository)"
    }
}
