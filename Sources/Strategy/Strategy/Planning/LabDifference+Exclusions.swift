/// What changes in what is left out of the backups.
extension LabDifference {
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
}
