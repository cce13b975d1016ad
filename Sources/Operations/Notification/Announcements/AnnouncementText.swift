import Bytes
import Protection
import ResticFormat
import Strategy

/// What is said, for people: a line for the lock screen, and the whole.
struct AnnouncementText {
    let announcement: Announcement
    let status: LabStatus
    let host: String
    let offsetSeconds: Int32

    /// `home: 2 things wrong`.
    var title: String {
        let lab = status.lab.name
        if let first = announcement.began.first {
            let rest = announcement.began.count - 1
            return "\(lab): \(first.object) \(first.event.title)" + (rest > 0 ? ", and \(rest) more" : "")
        }
        if let first = announcement.lasting.first {
            let rest = announcement.lasting.count - 1
            return "\(lab): still: \(first.object) \(first.event.title)" + (rest > 0 ? ", and \(rest) more" : "")
        }
        if let first = announcement.recovered.first {
            let rest = announcement.recovered.count - 1
            return "\(lab): over: \(first.object) \(first.event.title)" + (rest > 0 ? ", and \(rest) more" : "")
        }
        if !announcement.succeeded.isEmpty { return "\(lab): backed up \(list(announcement.succeeded))" }
        return "\(lab): \(wrong == 0 ? "every promise is kept" : "\(wrong) wrong")"
    }

    var body: String {
        var lines = section("New", announcement.began) + section("Still", announcement.lasting)
        if !announcement.recovered.isEmpty {
            lines += ["Over"]
            lines += announcement.recovered.map { told in
                "  \(told.object), \(told.event.title) for \(ageText(status.now.length(since: told.since)))"
            }
            lines += [""]
        }
        if !announcement.succeeded.isEmpty { lines += ["Backed up: \(list(announcement.succeeded))", ""] }
        if announcement.isSignOfLife { lines += overview + [""] }
        let count = wrong == 1 ? "One thing is" : "\(wrong) things are"
        lines.append(wrong == 0 ? "Nothing is wrong now." : "\(count) wrong now: see holdfast status.")
        lines.append("holdfast on \(host), \(moment)")
        return lines.joined(separator: "\n")
    }

    private var wrong: Int { status.problems.count { $0.severity == .wrong } }

    private var moment: String {
        let now = Timestamp(seconds: status.now.seconds)
        return String(decoding: RFC3339.format(ZonedTime(now, offsetSeconds: offsetSeconds)), as: UTF8.self)
    }

    private func section(_ title: String, _ troubles: [Trouble]) -> [String] {
        guard !troubles.isEmpty else { return [] }
        let shown = troubles.prefix(NotificationLimits.troublesShown)
        let more = troubles.count - shown.count
        return [title] + shown.flatMap { ["  \($0.object) \($0.what)", "    \($0.next)"] }
            + (more > 0 ? ["  and \(more) more"] : []) + [""]
    }

    /// A line for each workload: its copies and their ages.
    var overview: [String] {
        let shown = status.workloads.prefix(NotificationLimits.workloadsShown)
        let more = status.workloads.count - shown.count
        return shown.map { state in
            let copies = state.copies.map { copy in
                "\(copy.medium.name) \(copy.point.age.map { ageText($0) } ?? "none")"
                    + (copy.point.isBreached ? " TOO OLD" : "")
            }
            return "\(state.workload.name): \(copies.joined(separator: ", "))"
        } + (more > 0 ? ["and \(more) more workloads"] : [])
    }

    private func list(_ names: [String]) -> String {
        names.count <= 3 ? names.joined(separator: ", ") : "\(names.count) workloads"
    }
}

extension AlarmEvent {
    /// What is the matter, behind the name of what it is with.
    fileprivate var title: String {
        switch self {
        case .failed: "failed"
        case .missed: "breaks its promise"
        case .damaged: "is damaged"
        case .held: "waits for your word"
        case .amber: "could be better"
        case .recovered: "is well again"
        case .succeeded: "is backed up"
        case .signOfLife: "is alive"
        }
    }
}
