/// Something on this machine that somebody would miss.
package struct FoundItem: Sendable, Hashable {
    /// What it is.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case folder
        case home
        case composeProject = "compose project"
        case volumes = "container volumes"
        case database
        case vault
    }

    package var kind: Kind
    /// Absolute.
    package var path: String
    /// In a few words: `SQLite, 3 files`.
    package var what: String
    /// Names of the files in it that are meant, where it is those alone.
    package var files: [String] = []

    package init(_ kind: Kind, path: String, what: String) {
        self.kind = kind
        self.path = path
        self.what = what
    }
}

/// What the operator has said about each thing found; pure.
package struct Coverage: Sendable, Hashable {
    /// What is said about a thing.
    package enum Verdict: Sendable, Hashable {
        case protected(by: String)
        case excluded(because: String)
        /// Parts of it are protected: these are not, by an exclude pattern or since only folders below are named.
        case partly(by: String)
        case undecided
    }

    /// A thing and what is said about it.
    package struct Entry: Sendable, Hashable {
        package var item: FoundItem
        package var verdict: Verdict
    }

    /// In the order found.
    package private(set) var entries: [Entry] = []
    package private(set) var retired: [RetiredWorkload]

    /// Judges what was found.
    ///
    /// A thing is protected when it lies in a path of a workload, and excluded when an exclusion of the file, longer than that path,
    /// holds it; `isLeftOut` says whether a workload's own patterns leave a path out.
    package init(_ found: [FoundItem], lab: Lab, isLeftOut: (Workload, String) -> Bool) {
        retired = lab.retired
        for item in found { entries.append(Entry(item: item, verdict: Self.verdict(item, lab, isLeftOut))) }
    }

    package var undecided: [Entry] { entries.filter { $0.verdict == .undecided } }

    private static func verdict(_ item: FoundItem, _ lab: Lab, _ isLeftOut: (Workload, String) -> Bool) -> Verdict {
        var best: (length: Int, verdict: Verdict)?
        for workload in lab.workloads {
            for path in workload.host.paths where holds(path, item.path) && !isLeftOut(workload, item.path) {
                if path.utf8.count >= best?.length ?? 0 { best = (path.utf8.count, .protected(by: workload.name)) }
            }
        }
        for exclusion in lab.exclusions {
            for path in exclusion.paths where holds(path, item.path) {
                if path.utf8.count >= best?.length ?? 0 {
                    best = (path.utf8.count, .excluded(because: exclusion.because))
                }
            }
        }
        if let best { return best.verdict }
        let inside = lab.workloads.first { $0.host.paths.contains { holds(item.path, $0) } }
        return inside.map { .partly(by: $0.name) } ?? .undecided
    }

    private static func holds(_ folder: String, _ path: String) -> Bool {
        path == folder || folder == "/" || path.hasPrefix(folder + "/")
    }
}
