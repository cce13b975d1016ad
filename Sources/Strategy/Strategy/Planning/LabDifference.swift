/// What an edited declaration changes against the one of the last run; pure.
package struct LabDifference: Sendable, Hashable {
    /// One change, and whether somebody loses something by it.
    package struct Change: Sendable, Hashable {
        /// Who gains or loses.
        package enum Effect: String, Sendable, Hashable {
            case more
            case neutral
            /// A workload has fewer copies, or fewer snapshots stay.
            case less
        }

        package var effect: Effect
        /// The workload, repository or medium; for what belongs to none of them, the key that says it.
        package var object: String
        package var what: String

        package init(_ effect: Effect, _ object: String, _ what: String) {
            self.effect = effect
            self.object = object
            self.what = what
        }
    }

    package private(set) var changes: [Change] = []
    /// Workloads that have fewer copies than before, or none, in the order of the file before.
    package private(set) var losing: [String] = []

    /// Compares; names are what things are known by.
    package init(from old: Lab, to new: Lab) {
        if old.name != new.name {
            let what =
                "was \(old.name), is \(new.name): all snapshots carry the old name, and none of them counts any more"
            changes.append(Change(.less, "lab", what))
        }
        for workload in old.workloads where !new.workloads.contains(where: { $0.name == workload.name }) {
            let isRetired = new.retired.contains { $0.name == workload.name }
            changes.append(
                isRetired
                    ? Change(.neutral, workload.name, "is retired: its snapshots stay, and nobody is alarmed")
                    : Change(.less, workload.name, "is no longer protected; its snapshots stay where they are")
            )
        }
        for workload in new.workloads {
            if let before = old.workloads.first(where: { $0.name == workload.name }) {
                compare(before, workload)
            } else {
                changes.append(Change(.more, workload.name, "is new"))
            }
        }
        changes += Self.media(from: old, to: new)
        changes += Self.exclusions(from: old, to: new)
        for repository in old.repositories where new.repository(named: repository.name) == nil {
            changes.append(Change(.less, repository.name, "is no longer used; what it holds stays"))
        }
        changes += Self.settings(from: old, to: new)
        losing = old.workloads.map(\.name).filter { name in
            guard let after = new.workloads.first(where: { $0.name == name }) else {
                return !new.retired.contains { $0.name == name }
            }
            let before = old.workloads.first { $0.name == name }?.repositories ?? []
            return !Set(before).isSubset(of: after.repositories)
        }
    }

    /// What it means that a number grew or shrank, told what a growing one means; an unbounded one is given as the end of the scale.
    static func effect<Value: Comparable>(_ before: Value, _ after: Value, whenMore: Change.Effect) -> Change.Effect {
        guard before != after else { return .neutral }
        let isMore = before < after
        return switch whenMore {
        case .neutral: .neutral
        case .more: isMore ? .more : .less
        case .less: isMore ? .less : .more
        }
    }

    private mutating func compare(_ old: Workload, _ new: Workload) {
        for name in old.repositories where !new.repositories.contains(name) {
            changes.append(Change(.less, new.name, "loses its copy in \(name)"))
        }
        for name in new.repositories where !old.repositories.contains(name) {
            changes.append(Change(.more, new.name, "gains a copy in \(name)"))
        }
        if old.backup.keep != new.backup.keep {
            let (before, after) = (old.backup.keep?.text ?? "keep all", new.backup.keep?.text ?? "keep all")
            changes.append(
                Change(
                    new.backup.keep == nil ? .more : .less,
                    new.name,
                    "keeps by other rules: \(after) (was: \(before))"
                )
            )
        }
        if old.backup.schedule != new.backup.schedule {
            let (before, after) = (old.backup.schedule?.text ?? "by hand", new.backup.schedule?.text ?? "by hand")
            let effect: Change.Effect =
                new.backup.schedule == nil ? .less : old.backup.schedule == nil ? .more : .neutral
            changes.append(Change(effect, new.name, "is due \(after) (was: \(before))"))
        }
        for path in old.host.paths where !new.host.paths.contains(path) {
            changes.append(Change(.less, new.name, "leaves out \(path) from now on"))
        }
        for path in new.host.paths where !old.host.paths.contains(path) {
            changes.append(Change(.more, new.name, "takes in \(path)"))
        }
        changes += Self.filters(old.host, new.host).map { Change($0.effect, new.name, $0.what) }
        for pattern in new.host.exclude where !old.host.exclude.contains(pattern) {
            changes.append(Change(.less, new.name, "excludes \(pattern)"))
        }
        for pattern in old.host.exclude where !new.host.exclude.contains(pattern) {
            changes.append(Change(.more, new.name, "no longer excludes \(pattern)"))
        }
        if old.priority != new.priority {
            changes.append(Change(.neutral, new.name, "has priority \(new.priority) (was: \(old.priority))"))
        }
        changes += Self.promises(old, new)
        changes += Self.commands(old, new)
    }
}
