import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `find PATTERN…`: names, or with `--blob`, `--tree`, `--pack` identifiers, in all snapshots that the filters let through.
    func runFind() async throws -> ExitStatus {
        guard !words.isEmpty else { throw CommandFailure.fatal("wrong number of arguments") }
        let query = try findQuery()
        let kinds = ["blob", "tree", "pack"].filter { values.isOn($0) }
        guard kinds.count <= 1 else { throw CommandFailure.fatal("cannot have several ID types") }
        let filter = try snapshotFilter()
        return try await withRepository(readLock) { repository in
            try await loadIndex(repository)
            var objects = try await objectQuery(kinds.first, repository)
            var snapshots = try await chosenSnapshots(values.texts("snapshot"), filter: filter, repository)
            if !values.isOn("reverse") { snapshots.reverse() }
            if objects == nil, !snapshots.isEmpty, !PatternList.malformed(words).isEmpty {
                throw CommandFailure("syntax error in pattern")
            }
            var output = FindOutput(session: self)
            for snapshot in snapshots {
                guard let tree = snapshot.document.tree else {
                    throw CommandFailure("snapshot \(snapshot.id.short) has no tree")
                }
                output.begin(snapshot)
                if let wanted = objects {
                    objects = try await find(wanted, below: tree, repository, &output)
                } else {
                    try await find(query, below: tree, repository, &output)
                }
                try checkOutput()
            }
            output.finish()
            if values.isOn("show-pack-id"), let objects { showPacks(objects, repository) }
            return .success
        }
    }

    private func findQuery() throws -> FindQuery {
        let oldest = try searchTime("oldest")
        let newest = try searchTime("newest")
        if let oldest, let newest, newest < oldest {
            throw CommandFailure.fatal("--oldest must specify a time before --newest")
        }
        return FindQuery(words, ignoringCase: values.isOn("ignore-case"), oldest: oldest, newest: newest)
    }

    private func searchTime(_ flag: String) throws -> Timestamp? {
        guard let text = values.text(flag), !text.isEmpty else { return nil }
        guard let moment = parseSearchTime(text, time: context.time) else {
            throw CommandFailure.fatal("unable to parse time: \(quoted(text))")
        }
        return moment
    }

    private func objectQuery(_ kind: String?, _ repository: Repository) async throws -> ObjectQuery? {
        let names = words.map { values.isOn("ignore-case") ? $0.display.lowercased() : $0.display }
        switch kind {
        case "blob": return ObjectQuery(blobs: names)
        case "tree": return ObjectQuery(trees: names)
        case "pack":
            let (query, unknown) = try await repository.blobsOfPacks(names)
            guard unknown.isEmpty else {
                throw CommandFailure.fatal("unable to find pack(s): \(unknown.map { ByteString($0) }.goList)")
            }
            return query
        default: return nil
        }
    }

    private func find(
        _ query: FindQuery,
        below tree: BlobID,
        _ repository: Repository,
        _ output: inout FindOutput
    ) async throws {
        var current = output
        try await repository.walkNodes(
            below: tree,
            worker: repository.makeWorker(),
            visit: { found in
                let (isHit, goesDeeper) = query.judge(found)
                if isHit { current.node(ListedNode(path: found.path, node: found.node)) }
                if found.node.type == .directory { try checkOutput() }
                return goesDeeper ? .enter : .skip
            },
            unreadable: { current.unreadable($0, $2) }
        )
        output = current
    }

    private func find(
        _ objects: ObjectQuery,
        below tree: BlobID,
        _ repository: Repository,
        _ output: inout FindOutput
    ) async throws -> ObjectQuery {
        var (query, current) = (objects, output)
        defer { output = current }
        if query.takesTree(tree) {
            current.object("tree", tree, at: "/", parent: nil)
            if query.isDone { return query }
        }
        try await repository.walkNodes(
            below: tree,
            worker: repository.makeWorker(),
            visit: { found in
                if found.node.type == .directory, let subtree = found.node.subtree, query.takesTree(subtree) {
                    current.object("tree", subtree, at: found.path, parent: nil)
                    if query.isDone { return .stop }
                }
                if found.node.type == .file {
                    for id in found.node.content ?? [] where query.takesBlob(id) {
                        current.object("blob", id, at: found.path, parent: found.parent)
                    }
                }
                if found.node.type == .directory { try checkOutput() }
                return .enter
            },
            unreadable: { current.unreadable($0, $2) }
        )
        return query
    }

    /// Names the pack of each identifier looked for.
    private func showPacks(_ objects: ObjectQuery, _ repository: Repository) {
        for (type, names) in [(BlobType.data, objects.blobs), (.tree, objects.trees)] {
            for name in names.sorted() {
                guard let digest = Digest(hex: name) else {
                    printer.listed(
                        "Note: cannot find pack for object '\(name)', unable to parse ID: invalid length for ID: \(quoted(ByteString(name)))"
                    )
                    continue
                }
                guard let blob = repository.index.location(type, BlobID(digest)) else {
                    // The words stand in restic's order.
                    printer.listed("Object \(type.name) with type \(digest.short) not found in the index")
                    continue
                }
                printer.listed("Object belongs to pack \(blob.pack.hex)")
                printer.listed(
                    " ... Pack \(blob.pack.short): <Blob (\(type.name)) \(digest.short), offset \(blob.offset), length \(blob.length), uncompressed length \(blob.uncompressedLength)>"
                )
            }
        }
    }

    /// The snapshots named, or all that pass the filter, oldest first; those that cannot be found or read are reported and left out.
    func chosenSnapshots(
        _ names: [ByteString],
        filter: SnapshotFilter,
        _ repository: Repository
    ) async throws -> [Snapshot] {
        try await repository.selectSnapshots(names, filter: filter) { try reportIgnored($0, $1) }.sortedByTime()
    }
}

/// What `find` prints, as text or as one JSON array over all snapshots.
private struct FindOutput {
    private static let gatherBytes = 64 << 10

    private let printer: Printer
    private let isJSON: Bool
    private let isLong: Bool
    private let isHumanReadable: Bool
    private var snapshot: Snapshot?
    /// The snapshot of the last match printed.
    private var shown: SnapshotID?
    private var hits = 0
    private var isOpen = false
    private var gathered: [UInt8] = []

    init(session: Session) {
        printer = session.printer
        isJSON = session.options.isJSON
        isLong = session.values.isOn("long")
        isHumanReadable = session.values.isOn("human-readable")
    }

    mutating func begin(_ snapshot: Snapshot) { self.snapshot = snapshot }

    mutating func node(_ entry: ListedNode) {
        guard let snapshot else { return }
        guard !isJSON else { return nodeObject(entry, snapshot) }
        if shown != snapshot.id {
            if shown != nil { printer.normal("") }
            printer.normal(
                "Found matching entries in snapshot \(snapshot.id.short) from \(localText(snapshot.document.time.moment))"
            )
            shown = snapshot.id
        }
        printer.listed(
            isLong
                ? longNodeText(entry, isHumanReadable: isHumanReadable, printer)
                : Text(bytes: printer.name(entry.path).bytes)
        )
    }

    private mutating func nodeObject(_ entry: ListedNode, _ snapshot: Snapshot) {
        open()
        if shown != snapshot.id {
            closeSnapshot()
            if shown != nil { write(",") }
            write("{\"matches\":[")
            shown = snapshot.id
            hits = 0
        }
        if hits > 0 { write(",") }
        write(foundNodeJSON(entry))
        hits += 1
    }

    mutating func object(_ kind: String, _ id: BlobID, at path: ByteString, parent: BlobID?) {
        guard let snapshot else { return }
        guard isJSON else {
            printer.listed("Found \(kind) \(id.hex)")
            if let parent {
                printer.listed(" ... in file \(printer.name(path))")
                printer.listed("     (tree \(parent.hex))")
            } else {
                printer.listed(" ... path \(printer.name(path))")
            }
            return printer.listed(
                " ... in snapshot \(snapshot.id.short) (\(localText(snapshot.document.time.moment)))"
            )
        }
        open()
        if hits > 0 { write(",") }
        var line = JSONLine()
        line.add("object_type", kind)
        line.add("id", id.hex)
        line.add("path", path)
        if let parent { line.add("parent_tree", parent.hex) }
        line.add("snapshot", snapshot.id.hex)
        line.add("time", snapshot.document.time)
        write(line.object)
        hits += 1
    }

    /// A directory that cannot be searched; what else there is, is searched.
    mutating func unreadable(_ tree: BlobID, _ error: any Error) {
        let lines: [Text] = [
            "Unable to load tree \(tree.hex)", " ... which belongs to snapshot \(snapshot?.id.hex ?? "")",
        ]
        for line in lines { if isJSON { printer.error(line) } else { printer.listed(line) } }
    }

    mutating func finish() {
        guard isJSON else { return }
        closeSnapshot()
        write(isOpen ? "]\n" : "[]\n")
        flush()
    }

    private mutating func open() {
        if !isOpen { write("[") }
        isOpen = true
    }

    private mutating func closeSnapshot() {
        if let shown { write("],\"hits\":\(hits),\"snapshot\":\"\(shown.hex)\"}") }
    }

    private mutating func write(_ text: String) { write(Array(text.utf8)) }

    private mutating func write(_ bytes: [UInt8]) {
        gathered += bytes
        if gathered.count >= Self.gatherBytes { flush() }
    }

    private mutating func flush() {
        printer.screen.raw(gathered)
        gathered.removeAll(keepingCapacity: true)
    }
}
