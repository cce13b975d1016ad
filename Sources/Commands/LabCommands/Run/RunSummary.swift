import Bytes
import Console
import Outcome
import Protection
import Strategy

/// What retention would remove and does not, and why.
func heldText(_ removal: Removal) -> String {
    let why = removal.held.map(\.text).joined(separator: "; ")
    return
        "held back: retention of \(removal.workload) in \(removal.repository) would remove \(counted(removal.plan.removed.count, "snapshot")) of \(removal.plan.removed.count + removal.plan.kept.count): \(why)"
}

/// What stands at the end of a run.
struct RunSummary {
    let report: RunReport
    let session: LabSession

    private var printer: Printer { session.printer }

    func show() {
        guard !printer.isJSON else { return printer.result(json) }
        guard !report.workloads.isEmpty else { return printer.normal("Nothing is due. `holdfast plan` shows when.") }
        for removal in report.held { printer.error(Text(heldText(removal))) }
        if let digits = report.digits {
            printer.error(
                Text(
                    "  state: nothing was removed; backups and copies are done\n  next:  look at `holdfast plan`; if that is what you want: holdfast run --all --release \(digits)"
                )
            )
        }
        let remedies = report.held.flatMap(\.held).compactMap(\.remedy)
        for (number, remedy) in remedies.enumerated() where !remedies[..<number].contains(remedy) {
            printer.error(Text("  state: nothing was removed there; backups and copies are done\n  next:  \(remedy)"))
        }
        printer.normal(Text(sentence))
    }

    private var sentence: String {
        let outcomes = report.workloads.values
        let parts = RunOutcome.allCases.compactMap { outcome -> String? in
            let count = outcomes.count { $0 == outcome }
            return count > 0 ? "\(count) \(outcome.rawValue)" : nil
        }
        let seconds = report.ended.seconds(since: report.started)
        let removed = report.snapshotsRemoved > 0 ? ", \(counted(report.snapshotsRemoved, "snapshot")) removed" : ""
        let status = report.exitStatus
        let end = status == .success ? "" : "; ends in \(status.rawValue)"
        return
            "\(counted(outcomes.count, "workload")): \(parts.joined(separator: ", "))\(removed); \(fixed(seconds, 1)) s\(end)"
    }

    private var json: Text {
        var line = JSONLine(messageType: "summary")
        for outcome in RunOutcome.allCases {
            let count = report.workloads.values.count { $0 == outcome }
            switch outcome {
            case .ok: line.add("ok", count)
            case .partial: line.add("partial", count)
            case .failed: line.add("failed", count)
            case .interrupted: line.add("interrupted", count)
            }
        }
        line.add("snapshots_removed", report.snapshotsRemoved)
        line.add("held_back", report.held.count)
        if let digits = report.digits { line.add("release", digits) }
        line.add("exit_code", report.exitStatus.rawValue)
        return line.text
    }
}
