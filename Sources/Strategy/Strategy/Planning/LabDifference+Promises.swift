/// What changes in what is promised of a workload, what is left out of it, and what is done around its backup.
extension LabDifference {
    /// One that grows is worse where `isWorse`; a bound that comes or goes counts as the end of the scale.
    private static func effect<Value: Comparable>(_ before: Value, _ after: Value, whenMore: Change.Effect)
        -> Change.Effect
    {
        guard before != after else { return .neutral }
        let isMore = before < after
        return switch whenMore {
        case .neutral: .neutral
        case .more: isMore ? .more : .less
        case .less: isMore ? .less : .more
        }
    }

    /// What the declaration as a whole leaves out.
    static func exclusions(from old: Lab, to new: Lab) -> [Change] {
        let (before, after) = (old.exclusions.flatMap(\.paths), new.exclusions.flatMap(\.paths))
        var changes: [Change] = []
        for exclusion in new.exclusions {
            for path in exclusion.paths where !before.contains(path) {
                changes.append(Change(.less, "exclude", "leaves out \(path) from now on: \(exclusion.because)"))
            }
        }
        for path in before where !after.contains(path) {
            changes.append(Change(.more, "exclude", "no longer leaves out \(path)"))
        }
        return changes
    }

    /// What is left out by other rules than patterns.
    static func filters(_ old: HostPaths, _ new: HostPaths) -> [(effect: Change.Effect, what: String)] {
        var found: [(effect: Change.Effect, what: String)] = []
        if old.excludeLargerThan != new.excludeLargerThan {
            func text(_ limit: UInt64?) -> String { limit.map { "above \(sizeText($0))" } ?? "of any size" }
            let effect = effect(old.excludeLargerThan ?? .max, new.excludeLargerThan ?? .max, whenMore: .more)
            let (before, after) = (text(old.excludeLargerThan), text(new.excludeLargerThan))
            found.append(
                new.excludeLargerThan == nil
                    ? (effect, "takes in files of any size (was: none \(before))")
                    : (effect, "leaves out files \(after) (was: \(old.excludeLargerThan == nil ? "none" : before))")
            )
        }
        if old.excludesCaches != new.excludesCaches {
            let what =
                new.excludesCaches
                ? "leaves out folders that are marked as caches" : "takes in folders that are marked as caches"
            found.append((new.excludesCaches ? .less : .more, what))
        }
        if old.isOneFileSystem != new.isOneFileSystem {
            let what =
                new.isOneFileSystem
                ? "leaves out what is mounted below its paths" : "takes in what is mounted below its paths"
            found.append((new.isOneFileSystem ? .less : .more, what))
        }
        return found
    }

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

    /// Where copies lie, and by what a disk is known.
    static func media(from old: Lab, to new: Lab) -> [Change] {
        new.media.flatMap { medium -> [Change] in
            guard let before = old.medium(named: medium.name) else { return [] }
            var changes: [Change] = []
            if before.text != medium.text {
                changes.append(Change(.neutral, medium.name, "moves from \(before.text) to \(medium.text)"))
            }
            if before.text == medium.text, before.location != medium.location {
                changes.append(Change(.neutral, medium.name, "is reached in another way"))
            }
            if before.credentials != medium.credentials {
                let (old, now) = (before.credentials?.text ?? "none", medium.credentials?.text ?? "none")
                changes.append(Change(.neutral, medium.name, "is entered with \(now) (was: \(old))"))
            }
            if before.kind != medium.kind {
                let effect: Change.Effect = medium.kind == .standIn ? .less : before.kind == .standIn ? .more : .neutral
                let counts = medium.kind == .standIn ? ": its copies count no more" : ""
                let what = "was \(before.kind.rawValue), is \(medium.kind.rawValue)\(counts)"
                changes.append(Change(effect, medium.name, what))
            }
            if before.identity != medium.identity {
                let what =
                    medium.identity.map { "is known by \($0) (was: \(before.identity ?? "any disk"))" }
                    ?? "is known by nothing any more: every disk in its place is taken for it (was: \(before.identity ?? ""))"
                let effect: Change.Effect = medium.identity == nil ? .less : before.identity == nil ? .more : .neutral
                changes.append(Change(effect, medium.name, what))
            }
            if before.isMountedForRuns != medium.isMountedForRuns {
                let what = medium.isMountedForRuns ? "is mounted for runs alone" : "is no longer mounted by runs"
                changes.append(Change(.neutral, medium.name, what))
            }
            return changes
        }
    }
}
