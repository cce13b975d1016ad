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
        for medium in new.media {
            guard let before = old.medium(named: medium.name), before != medium else { continue }
            if before.text != medium.text {
                changes.append(Change(.neutral, medium.name, "moves from \(before.text) to \(medium.text)"))
            }
            if before.kind != medium.kind {
                changes.append(Change(.neutral, medium.name, "was \(before.kind.rawValue), is \(medium.kind.rawValue)"))
            }
        }
        for repository in old.repositories where new.repository(named: repository.name) == nil {
            changes.append(Change(.less, repository.name, "is no longer used; what it holds stays"))
        }
        changes += Self.settings(from: old, to: new)
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
            changes.append(Change(.neutral, new.name, "is due \(after) (was: \(before))"))
        }
        for path in old.host.paths where !new.host.paths.contains(path) {
            changes.append(Change(.less, new.name, "leaves out \(path) from now on"))
        }
        for path in new.host.paths where !old.host.paths.contains(path) {
            changes.append(Change(.more, new.name, "takes in \(path)"))
        }
        for pattern in new.host.exclude where !old.host.exclude.contains(pattern) {
            changes.append(Change(.less, new.name, "excludes \(pattern)"))
        }
        for pattern in old.host.exclude where !new.host.exclude.contains(pattern) {
            changes.append(Change(.more, new.name, "no longer excludes \(pattern)"))
        }
        if old.priority != new.priority {
            changes.append(Change(.neutral, new.name, "has priority \(new.priority) (was: \(old.priority))"))
        }
        if old.objective != new.objective { changes.append(Change(.neutral, new.name, "has another objective")) }
    }
}
