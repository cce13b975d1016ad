import Bytes
import Console
import Outcome
import Protection
import Strategy

/// What would be removed, and what an edited file changes, in counts.
struct BlastRadiusPage {
    let ahead: LookAhead
    /// Nil when no run has left a declaration to compare with.
    let difference: LabDifference?
    let session: LabSession

    private var printer: Printer { session.printer }

    func show() {
        guard !printer.isJSON else { return showJSON() }
        if let changes = difference?.changes, !changes.isEmpty {
            printer.result("")
            printer.result("Changed since the last run")
            for change in changes {
                let mark = change.effect == .less ? "-" : change.effect == .more ? "+" : " "
                printer.result(Text("  \(mark) \(change.object) \(change.what)"))
            }
            if let losing = difference?.losing, !losing.isEmpty {
                let names = losing.joined(separator: ", ")
                printer.result(
                    Text("  \(counted(losing.count, "workload")) with fewer copies than before: \(names)")
                )
            }
        }
        if !ahead.removals.isEmpty {
            printer.result("")
            printer.result("Retention would remove, after a run that is complete and read back")
            for removal in ahead.removals {
                printer.result(Text("  \(sentence(removal))"))
                for remedy in removal.held.compactMap(\.remedy) { printer.result(Text("    \(remedy)")) }
            }
            for (name, bytes) in ahead.freedBytes.sorted(by: { $0.key < $1.key }) {
                printer.result(Text("  \(name): \(formatBytes(bytes)) could be freed then"))
            }
        }
        for (medium, snapshots) in ahead.apart.sorted(by: { $0.key < $1.key }) {
            let what =
                "\(counted(snapshots, "snapshot")) could go there, and no run removes them: holdfast media prune \(medium)"
            printer.result(Text("\(medium): \(what)"))
        }
        for (name, snapshots) in ahead.toBeMade.sorted(by: { $0.key < $1.key }) {
            let copies = snapshots > 0 ? ", and copies \(counted(snapshots, "snapshot")) there" : ""
            printer.result(Text("\(name) is not made yet: the next run makes it\(copies)"))
        }
        for (name, failure) in ahead.failures.sorted(by: { $0.key < $1.key }) {
            guard failure.codeName != ProtectionCode.mediumUnmounted.rawValue else {
                printer.result(Text("\(name) is not looked at: its medium \(failure.what)"))
                continue
            }
            let trouble = session.environment.store(named: name)?.trouble(failure) ?? failure.what
            printer.error(Text("\(name) cannot be looked at: \(trouble)\n  next:  \(failure.next)"))
        }
        guard let digits = ahead.digits else { return }
        printer.result("")
        printer.result(
            Text("Held back until you say so: holdfast run --all --release \(digits)")
        )
    }

    private func sentence(_ removal: Removal) -> String {
        let (gone, stay) = (removal.plan.removed.count, removal.plan.kept.count)
        let oldest = removal.plan.oldestRemoved.map { ", oldest \(day($0))" } ?? ""
        let held = removal.held.isEmpty ? "" : "; held back: \(removal.held.map(\.text).joined(separator: "; "))"
        return
            "\(removal.workload) in \(removal.repository): \(counted(gone, "snapshot")) of \(gone + stay)\(oldest)\(held)"
    }

    private func day(_ time: ZonedTime) -> String {
        let date = CalendarTime(time.moment, offsetSeconds: time.offsetSeconds)
        return "\(date.year)-\(twoDigits(date.month))-\(twoDigits(date.day))"
    }

    private func showJSON() {
        for change in difference?.changes ?? [] {
            var line = JSONLine(messageType: "change")
            line.add("object", change.object)
            line.add("effect", change.effect.rawValue)
            line.add("message", change.what)
            printer.result(line.text)
        }
        for removal in ahead.removals {
            var line = JSONLine(messageType: "removal")
            line.add("workload", removal.workload)
            line.add("repository", removal.repository)
            line.add("removed", removal.plan.removed.count)
            line.add("kept", removal.plan.kept.count)
            if let oldest = removal.plan.oldestRemoved { line.add("oldest", oldest) }
            line.add("held_back", removal.held.map { ByteString($0.text) })
            if let remedy = removal.held.lazy.compactMap(\.remedy).first { line.add("next", remedy) }
            printer.result(line.text)
        }
        for (medium, snapshots) in ahead.apart.sorted(by: { $0.key < $1.key }) {
            var line = JSONLine(messageType: "pruned_apart")
            line.add("medium", medium)
            line.add("snapshots", snapshots)
            line.add("next", "holdfast media prune \(medium)")
            printer.result(line.text)
        }
        for (name, snapshots) in ahead.toBeMade.sorted(by: { $0.key < $1.key }) {
            var line = JSONLine(messageType: "repository")
            line.add("repository", name)
            line.add("presence", CopyPresence.notMade.word)
            line.add("snapshots", snapshots)
            printer.result(line.text)
        }
        for (name, failure) in ahead.failures.sorted(by: { $0.key < $1.key }) {
            var line = JSONLine(messageType: "error")
            line.add("repository", name)
            line.add("code", failure.codeName)
            line.add("message", failure.what)
            line.add("next", failure.next)
            printer.result(line.text)
        }
        var line = JSONLine(messageType: "summary")
        line.add("snapshots_removed", ahead.removals.reduce(0) { $0 + $1.plan.removed.count })
        line.add("workloads_with_fewer_copies", (difference?.losing ?? []).map { ByteString($0) })
        line.add("bytes_freed", ahead.freedBytes.values.reduce(0, +))
        if let digits = ahead.digits { line.add("release", digits) }
        printer.result(line.text)
    }
}
