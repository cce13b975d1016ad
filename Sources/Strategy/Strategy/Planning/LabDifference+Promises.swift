/// What changes in what is promised of a workload, and in what is done around its backup.
extension LabDifference {
    /// Objectives, the time after which a run counts as missed, and how often all bytes are read.
    static func promises(_ old: Workload, _ new: Workload) -> [Change] {
        var changes: [Change] = []
        if old.objective.rpo != new.objective.rpo {
            let (before, after) = (old.objective.rpo, new.objective.rpo)
            var effect = Change.Effect.neutral
            if case .atMost(let early) = before, case .atMost(let late) = after {
                effect = Self.effect(early, late, whenMore: .less)
            }
            changes.append(Change(effect, new.name, "promises rpo: \(text(after)) (was: \(text(before)))"))
        }
        if old.objective.rto != new.objective.rto {
            func text(_ rto: Duration?) -> String { rto.map { lengthText($0) } ?? "none" }
            let forever = Duration.seconds(Int64.max)
            let effect = effect(old.objective.rto ?? forever, new.objective.rto ?? forever, whenMore: .less)
            let what = "promises rto: \(text(new.objective.rto)) (was: \(text(old.objective.rto)))"
            changes.append(Change(effect, new.name, what))
        }
        let lengths = [
            ("counts a run as missed after", old.backup.grace, new.backup.grace),
            ("has each byte read again within", old.verifyEvery, new.verifyEvery),
        ]
        for (verb, before, after) in lengths where before != after {
            let effect = effect(before, after, whenMore: .less)
            changes.append(Change(effect, new.name, "\(verb) \(lengthText(after)) (was: \(lengthText(before)))"))
        }
        return changes
    }

    private static func text(_ rpo: Objective.RPO) -> String {
        switch rpo {
        case .lastScheduled: "last-scheduled"
        case .atMost(let length): lengthText(length)
        }
    }

    /// The commands around a backup: without one, an app is copied while it works, or stays stopped.
    static func commands(_ old: Workload, _ new: Workload) -> [Change] {
        var changes: [Change] = []
        for (key, before, after) in [("before", old.before, new.before), ("after", old.after, new.after)]
        where before != after {
            let effect: Change.Effect = after.isEmpty ? .less : before.isEmpty ? .more : .neutral
            func text(_ words: [String]) -> String { words.isEmpty ? "nothing" : words.joined(separator: " ") }
            changes.append(Change(effect, new.name, "runs \(text(after)) \(key) its backup (was: \(text(before)))"))
        }
        if old.commandDeadline != new.commandDeadline {
            let (before, after) = (lengthText(old.commandDeadline), lengthText(new.commandDeadline))
            changes.append(Change(.neutral, new.name, "gives its commands \(after) (was: \(before))"))
        }
        return changes
    }
}
