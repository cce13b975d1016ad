package import Bytes
import Outcome
package import Protection
import ResticFormat
import ResticRepository
import Strategy

/// A name looked for in all that a lab keeps.
package struct NameQuery: Sendable {
    /// In restic's pattern language: a name at any depth, or a path.
    package var patterns: [ByteString]
    package var ignoresCase = false
    /// Only in these workloads; empty: in all.
    package var workloads: [String] = []

    package init(_ patterns: [ByteString]) { self.patterns = patterns }
}

/// One version of a file, and where it can be had.
package struct FoundVersion: Sendable, Hashable {
    package var workload: String
    package var path: ByteString
    package var type: String
    package var size: UInt64
    package var modified: ZonedTime
    /// The newest and the oldest snapshot that hold this version.
    package var newest: ZonedTime
    package var oldest: ZonedTime
    /// Repositories that hold it.
    package var stores: [String]
}

/// What a search found.
package struct NameFindings: Sendable {
    /// By workload and path, each path's newest version first.
    package var versions: [FoundVersion] = []
    package var snapshots = 0
    /// Repositories, snapshots and folders that could not be looked at, and why.
    package var problems: [String] = []
}

/// Looks for a name in every snapshot of every workload, on all media that are here.
///
/// A tree that several snapshots share is read once for each repository; snapshots that are copies of each other are searched in the nearest one only.
/// Memory: what is found, and of each repository the identifiers of trees that hold nothing.
package struct NameSearch: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Errors: `E-UNKNOWN` for a workload, cancellation; what cannot be looked at is in the findings.
    package func run(_ query: NameQuery, searched: @Sendable (_ store: String, _ done: Int, _ total: Int) -> Void)
        async throws -> NameFindings
    {
        try requireWorkloads(query)
        let engine = FindQuery(query.patterns, ignoringCase: query.ignoresCase, oldest: nil, newest: nil)
        var gathered = Gathered()
        for store in nearestFirst() {
            let open: (repository: Repository, view: StoreView)
            do {
                let repository = try await store.open()
                open = (repository, try await StoreView(repository, lab: environment.lab))
                try await repository.loadIndex()
            } catch {
                let failure = try reportable(error, operation: "look at", object: store.name)
                gathered.findings.problems.append(
                    "\(store.name) on \(store.medium.name) is not looked at: \(failure.what)"
                )
                continue
            }
            let items = open.view.workloads.filter { query.workloads.isEmpty || query.workloads.contains($0.key) }
            let total = items.values.reduce(0) { $0 + $1.count }
            var done = 0
            for (workload, items) in items.sorted(by: { $0.key < $1.key }) {
                for item in items {
                    try await look(in: item.snapshot, of: workload, store, open.repository, engine, &gathered)
                    done += 1
                    searched(store.name, done, total)
                }
            }
        }
        return gathered.sorted()
    }

    private func nearestFirst() -> [LabStore] {
        environment.stores.enumerated()
            .sorted { ($0.element.medium.kind.distance, $0.offset) < ($1.element.medium.kind.distance, $1.offset) }
            .map(\.element)
    }

    private func requireWorkloads(_ query: NameQuery) throws {
        let known = environment.lab.workloads.map(\.name)
        for name in query.workloads where !known.contains(name) {
            throw RecoveryFailure(
                .unknown,
                operation: "find",
                object: "\"\(name)\"",
                what: "is no workload of the declaration",
                state: "nothing was changed",
                next: "name one of: \(known.joined(separator: ", "))"
            )
        }
    }

    private func look(
        in snapshot: Snapshot,
        of workload: String,
        _ store: LabStore,
        _ repository: Repository,
        _ query: FindQuery,
        _ gathered: inout Gathered
    ) async throws {
        guard let tree = snapshot.document.tree else { return }
        let moment = MomentAndTree(moment: snapshot.document.time.moment, tree: tree)
        if let hits = gathered.searched[moment] {
            for key in hits { gathered.add(store.name, to: key) }
            return
        }
        gathered.findings.snapshots += 1
        var hits: [Gathered.Key] = []
        var problems: [String] = []
        let worker = repository.makeWorker()
        try await repository.walkNodes(
            below: tree,
            worker: worker,
            visit: { found in
                try Task.checkCancellation()
                let (isHit, goesDeeper) = query.judge(found)
                if isHit {
                    let key = Gathered.Key(workload: workload, path: found.path, content: Gathered.content(found.node))
                    hits.append(key)
                    gathered.note(found.node, key, snapshot.document.time, store.name)
                }
                return goesDeeper ? .enter : .skip
            },
            unreadable: { _, _, error in
                if error is CancellationError { throw error }
                problems.append(reason(of: error))
            }
        )
        gathered.searched[moment] = hits
        if let first = problems.first {
            let more = problems.count > 1 ? ", and \(problems.count - 1) more" : ""
            gathered.findings.problems.append(
                "snapshot \(snapshot.id.short) in \(store.name): folders that cannot be read: \(first)\(more)"
            )
        }
    }
}

/// Copies of a snapshot have both.
private struct MomentAndTree: Hashable {
    var moment: Timestamp
    var tree: BlobID
}

/// What was found so far.
private struct Gathered {
    /// What makes a version.
    struct Key: Hashable {
        var workload: String
        var path: ByteString
        var content: Content
    }

    struct Content: Hashable {
        var type: NodeType
        var size: UInt64
        var modified: Timestamp
        var blobs: [BlobID]
    }

    var findings = NameFindings()
    var versions: [Key: FoundVersion] = [:]
    var searched: [MomentAndTree: [Key]] = [:]

    static func content(_ node: Node) -> Content {
        Content(
            type: node.type,
            size: node.size,
            modified: node.mtime.moment,
            blobs: node.type == .file ? node.content ?? [] : []
        )
    }

    mutating func note(_ node: Node, _ key: Key, _ time: ZonedTime, _ store: String) {
        guard var version = versions[key] else {
            versions[key] = FoundVersion(
                workload: key.workload,
                path: key.path,
                type: node.type.name.display,
                size: node.size,
                modified: node.mtime,
                newest: time,
                oldest: time,
                stores: [store]
            )
            return
        }
        if version.newest.moment < time.moment { version.newest = time }
        if time.moment < version.oldest.moment { version.oldest = time }
        if !version.stores.contains(store) { version.stores.append(store) }
        versions[key] = version
    }

    mutating func add(_ store: String, to key: Key) {
        guard versions[key]?.stores.contains(store) == false else { return }
        versions[key]?.stores.append(store)
    }

    func sorted() -> NameFindings {
        var findings = findings
        findings.versions = versions.values.sorted { left, right in
            if left.workload != right.workload { return left.workload < right.workload }
            if left.path != right.path { return left.path < right.path }
            return right.newest.moment < left.newest.moment
        }
        return findings
    }
}
