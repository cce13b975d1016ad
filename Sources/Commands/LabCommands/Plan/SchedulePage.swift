import Bytes
import Console
import Protection
import Strategy

/// What runs now, and what is due when.
struct SchedulePage {
    let plan: RunPlan
    let session: LabSession

    private var printer: Printer { session.printer }
    private var now: Timestamp { session.environment.now }

    func show() {
        guard !printer.isJSON else { return showJSON() }
        if plan.items.isEmpty {
            printer.result("Nothing is due now.")
        } else {
            printer.result("Would run now, in this order")
            for item in plan.items { printer.result(Text("  \(line(of: item))")) }
        }
        guard !plan.waiting.isEmpty else { return }
        printer.result("")
        printer.result("Later")
        for waiting in plan.waiting {
            let schedule = waiting.workload.backup.schedule
            let when =
                waiting.next.map { "\(clock($0, schedule)), in \(ageText($0.length(since: now)))" } ?? "by hand only"
            let text = schedule.map { " (\($0.text))" } ?? ""
            printer.result(Text("  \(waiting.workload.name): \(when)\(text)"))
        }
    }

    private func line(of item: RunPlan.Item) -> String {
        guard item.catchesUp.isEmpty else {
            return "\(item.workload.name): \(catchUpText(item)), missed by its last run"
        }
        let stores = session.environment.stores(of: item.workload).map(\.name)
        let way = [stores.first.map { "backup to \($0)" }] + stores.dropFirst().map { "copy to \($0)" }
        let due = item.dueSince.map { "due since \(clock($0, item.workload.backup.schedule))" } ?? "asked for"
        let missed = item.missed > 0 ? ", one run for \(item.missed + 1) due times" : ""
        let priority = item.workload.priority
        let turn = priority == Workload.usualPriority ? "" : ", priority \(priority)"
        return "\(item.workload.name): \(due)\(missed)\(turn); \(way.compactMap { $0 }.joined(separator: ", "))"
    }

    /// `2026-11-22 02:00`, as the schedule's clock shows it.
    private func clock(_ moment: Timestamp, _ schedule: Schedule?) -> String {
        let rules = schedule.map(session.environment.zone) ?? .utc
        let time = CalendarTime(moment, offsetSeconds: Int32(rules.offsetSeconds(at: moment)))
        let hours = "\(twoDigits(time.secondOfDay / 3600)):\(twoDigits(time.secondOfDay / 60 % 60))"
        return "\(time.year)-\(twoDigits(time.month))-\(twoDigits(time.day)) \(hours)"
    }

    private func showJSON() {
        for item in plan.items {
            var line = JSONLine(messageType: "run")
            line.add("workload", item.workload.name)
            if let due = item.dueSince { line.add("due", ZonedTime(due)) }
            line.add("missed", item.missed)
            if !item.catchesUp.isEmpty { line.add("catches_up", item.catchesUp.map { ByteString($0) }) }
            line.add("priority", item.workload.priority)
            line.add("repositories", session.environment.stores(of: item.workload).map { ByteString($0.name) })
            printer.result(line.text)
        }
        for waiting in plan.waiting {
            var line = JSONLine(messageType: "waiting")
            line.add("workload", waiting.workload.name)
            if let next = waiting.next { line.add("next", ZonedTime(next)) }
            printer.result(line.text)
        }
    }
}
