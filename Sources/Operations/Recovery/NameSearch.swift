import Bytes
import Outcome
package import Protection
import ResticFormat
import ResticRepository
import Strategy

/// Looks for a name in every snapshot of every workload, on all media that are here, and in what was saved before restores.
///
/// Snapshots that are copies of each other are searched in the nearest repository alone, and a folder that holds nothing of that name is read
/// once for each repository, however many snapshots share it. Memory: what is found, and the identifiers of such folders.
package struct NameSearch: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Repositories that hold copies of the workloads, the nearest first.
    package func stores(of workloads: [String]) -> [LabStore] {
        let wanted = environment.lab.workloads.filter { workloads.isEmpty || workloads.contains($0.name) }
        let names = Set(wanted.flatMap(\.repositories))
        return environment.stores.filter { workloads.isEmpty || names.contains($0.name) }.enumerated()
            .sorted { ($0.element.medium.kind.distance, $0.offset) < ($1.element.medium.kind.distance, $1.offset) }
            .map(\.element)
    }

    /// Errors: `E-UNKNOWN` for a workload, cancellation; what cannot be looked at is in the findings.
    package func run(_ query: NameQuery, searched: @Sendable (_ store: String, _ done: Int, _ total: Int) -> Void)
        async throws -> NameFindings
    {
        let known = environment.lab.workloads.map(\.name)
        for name in query.workloads where !known.contains(name) {
            throw unknown(name, "is no workload of the declaration", among: known, "find")
        }
        var gathered = GatheredNames()
        for store in stores(of: query.workloads) {
            do {
                try await look(in: store, query, &gathered, searched)
            } catch {
                let failure = try reportable(error, operation: "look at", object: store.name)
                gathered.findings.problems.append(
                    "\(store.name) on \(store.medium.name) is not searched: \(store.trouble(failure))"
                )
            }
        }
        return gathered.sorted()
    }

    private func look(
        in store: LabStore,
        _ query: NameQuery,
        _ gathered: inout GatheredNames,
        _ searched: @Sendable (_ store: String, _ done: Int, _ total: Int) -> Void
    ) async throws {
        let repository = try await store.open()
        let view = try await StoreView(repository, lab: environment.lab)
        try await repository.loadIndex()
        note(view, of: store, query, &gathered)
        let items = items(view, query)
        var search = SnapshotSearch(repository, store: store.name, query)
        for (number, item) in items.enumerated() {
            try Task.checkCancellation()
            try await search.run(item.snapshot, &gathered)
            searched(store.name, number + 1, items.count)
        }
    }

    private func items(_ view: StoreView, _ query: NameQuery) -> [(workload: String, snapshot: SearchedSnapshot)] {
        var items: [(workload: String, snapshot: SearchedSnapshot)] = []
        for (workload, copies) in view.workloads {
            for copy in copies {
                let kind = copy.observed.isComplete ? CopyKind.complete : .incomplete
                items.append((workload, SearchedSnapshot(workload: workload, snapshot: copy.snapshot, kind: kind)))
            }
        }
        for (workload, snapshots) in view.safetyCopies {
            for snapshot in snapshots {
                items.append((workload, SearchedSnapshot(workload: workload, snapshot: snapshot, kind: .safety)))
            }
        }
        return items.filter { query.workloads.isEmpty || query.workloads.contains($0.workload) }
            .sorted { $0.workload < $1.workload }
    }

    private func note(_ view: StoreView, of store: LabStore, _ query: NameQuery, _ gathered: inout GatheredNames) {
        let place = "\(store.name) on \(store.medium.name)"
        if !view.unreadable.isEmpty {
            let names = view.unreadable.prefix(3).joined(separator: ", ")
            gathered.findings.problems.append("snapshots in \(place) cannot be read: \(names)")
        }
        if let earlier = view.earlier { gathered.findings.problems.append("\(place) \(earlier.text)") }
        guard view.others > 0, query.workloads.isEmpty else { return }
        gathered.findings.notes.append(
            "snapshots in \(place) that are of other hosts or of no workload are not searched (\(view.others)): holdfast restic find -r \(store.path)"
        )
    }
}

/// A snapshot to be searched, and whose it is.
struct SearchedSnapshot: Sendable {
    var workload: String
    var snapshot: Snapshot
    var kind: CopyKind
}

/// The search through the snapshots of one repository.
struct SnapshotSearch {
    /// A folder that holds nothing that was looked for, at any depth.
    ///
    /// Where a pattern names a path, its place counts, too.
    private struct EmptyTree: Hashable {
        var tree: BlobID
        var path: ByteString
    }

    private struct Level {
        var key: EmptyTree
        var hits: Int
        var problems: Int
    }

    private let repository: Repository
    private let worker: BlobWorker
    private let store: String
    private let matcher: NameMatcher
    private var empty: Set<EmptyTree> = []

    init(_ repository: Repository, store: String, _ query: NameQuery) {
        self.repository = repository
        self.store = store
        worker = repository.makeWorker()
        matcher = NameMatcher(query)
    }

    mutating func run(_ item: SearchedSnapshot, _ gathered: inout GatheredNames) async throws {
        let place = GatheredNames.Place(workload: item.workload, identity: CopyIdentity(item.snapshot))
        if let hits = gathered.searched[place] {
            for key in hits { gathered.add(store, to: key) }
            return
        }
        gathered.findings.snapshots += 1
        var problems: [String] = []
        do {
            let hits = try await walk(item, &gathered, &problems)
            // With folders that cannot be read, a copy of it may show more.
            if problems.isEmpty { gathered.searched[place] = hits }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            problems.append(reason(of: error))
        }
        guard let first = problems.first else { return }
        let more = problems.count > 1 ? ", and \(problems.count - 1) more" : ""
        gathered.findings.problems.append(
            "snapshot \(item.snapshot.id.short) in \(store): not all of it can be read: \(first)\(more)"
        )
    }

    private mutating func walk(
        _ item: SearchedSnapshot,
        _ gathered: inout GatheredNames,
        _ problems: inout [String]
    ) async throws -> [GatheredNames.Key] {
        guard let tree = item.snapshot.document.tree else { return [] }
        let holding = HoldingSnapshot(id: item.snapshot.id, time: item.snapshot.document.time, kind: item.kind)
        var walker = TreeWalker(repository, worker: worker, entersMost: empty.isEmpty)
        var hits: [GatheredNames.Key] = []
        try await walker.enter(tree)
        var levels = [Level(key: key(tree, "/"), hits: 0, problems: 0)]
        while let event = try walker.next() {
            switch event {
            case .problem(let error): problems.append("\(walker.path().display): \(reason(of: error))")
            case .leave:
                let level = levels.removeLast()
                if level.hits == hits.count, level.problems == problems.count { empty.insert(level.key) }
            case .entry(let node):
                try Task.checkCancellation()
                let path = walker.path(node.name)
                let (isHit, goesDeeper) = matcher.judge(node.name, path)
                // Of the folders above, a safety copy has no more than what was lost in them.
                if isHit, item.kind != .safety || node.type != .directory {
                    let key = GatheredNames.key(node, path, of: item.workload)
                    hits.append(key)
                    gathered.note(node, key, holding, store)
                }
                guard goesDeeper, let subtree = node.subtree, !empty.contains(key(subtree, path)) else { continue }
                do {
                    try await walker.enter(subtree, name: node.name)
                    levels.append(Level(key: key(subtree, path), hits: hits.count, problems: problems.count))
                } catch let error where !(error is CancellationError) {
                    problems.append("\(path.display): \(reason(of: error))")
                }
            }
        }
        return hits
    }

    private func key(_ tree: BlobID, _ path: ByteString) -> EmptyTree {
        EmptyTree(tree: tree, path: matcher.countsPlaces ? path : "")
    }
}

/// Tells whether an entry bears a name that is looked for; what lies below a folder of that name does not.
private struct NameMatcher {
    /// Patterns that fit the last part of a path alone.
    private let names: PatternList
    /// Patterns with a slash in them fit paths, and all below.
    private let paths: PatternList

    init(_ query: NameQuery) {
        // To begin with an exclamation mark has no meaning in a name.
        let plain = query.patterns.map { pattern in
            pattern.bytes.first == UInt8(ascii: "!") ? ByteString([UInt8(ascii: "\\")] + pattern.bytes) : pattern
        }
        let slash = UInt8(ascii: "/")
        names = PatternList(plain.filter { !$0.bytes.contains(slash) }, ignoringCase: query.ignoresCase)
        paths = PatternList(plain.filter { $0.bytes.contains(slash) }, ignoringCase: query.ignoresCase)
    }

    /// The same folder at another place may hold what is looked for.
    var countsPlaces: Bool { !paths.isEmpty }

    func judge(_ name: ByteString, _ path: ByteString) -> (isHit: Bool, goesDeeper: Bool) {
        let isNamed = !names.isEmpty && names.evaluate(SourcePath.child(name, of: "")).matched
        guard !paths.isEmpty else { return (isNamed, true) }
        let (matched, below) = paths.evaluate(path)
        let isBelowOne = matched && path.foldersAbove.last.map { paths.evaluate($0).matched } ?? false
        return (isNamed || matched && !isBelowOne, !names.isEmpty || below)
    }
}
