import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

/// How `ls` prints: lines as they come, a JSON object each, ncdu's nested lists, or everything sorted at the end.
private protocol NodeOutput {
    /// What it shows of a node.
    var parts: NodeParts { get }
    mutating func begin(_ snapshot: Snapshot)
    mutating func node(_ entry: ListedNode)
    /// A directory on the way to one that was asked for.
    mutating func ancestor(_ entry: ListedNode)
    mutating func leave(_ path: ByteString)
    mutating func end()
}

extension Session {
    /// `ls SNAPSHOT [DIRECTORY…]`.
    func runLs() async throws -> ExitStatus {
        let (name, directories) = try lsArguments()
        let filter = try snapshotFilter()
        return try await withRepository(readLock) { repository in
            let listed = SnapshotName(name)
            try await loadIndex(repository)
            var snapshot: Snapshot
            do { snapshot = try await repository.findSnapshot(listed, filter: filter) } catch let failure
                as RepositoryFailure
                where failure.code == .notFound || failure.code == .ambiguous
            {
                throw CommandFailure(causeText(failure))
            }
            let tree = try await findDirectory(listed.subfolder, in: snapshot, repository)
            // restic shows the tree that is listed, not that of the snapshot.
            snapshot.document.tree = tree
            var output = nodeOutput(directories)
            output.begin(snapshot)
            try await list(tree, directories, repository, &output)
            output.end()
            return .success
        }
    }

    private func lsArguments() throws -> (name: ByteString, directories: [ByteString]) {
        guard let name = words.first else {
            throw CommandFailure.fatal("no snapshot ID specified, specify snapshot ID or use special ID 'latest'")
        }
        let isNcdu = values.isOn("ncdu")
        if isNcdu, options.isJSON { throw CommandFailure.fatal("only either '--json' or '--ncdu' can be specified") }
        if isNcdu, (values.text("sort") ?? "name") != "name" {
            throw CommandFailure.fatal("--sort and --ncdu are mutually exclusive")
        }
        if isNcdu, values.isOn("reverse") { throw CommandFailure.fatal("--reverse and --ncdu are mutually exclusive") }
        let directories = Array(words.dropFirst())
        guard directories.allSatisfy({ $0.bytes.first == 0x2f }) else {
            throw CommandFailure.fatal("All path filters must be absolute, starting with a forward slash '/'")
        }
        return (name, directories)
    }

    private func nodeOutput(_ directories: [ByteString]) -> any NodeOutput {
        let lines: any NodeOutput
        if options.isJSON {
            lines = JSONNodes(printer: printer)
        } else if values.isOn("ncdu") {
            return NcduNodes(screen: context.screen)
        } else {
            lines = TextNodes(
                printer: printer,
                directories: directories,
                isLong: values.isOn("long"),
                isHumanReadable: values.isOn("human-readable")
            )
        }
        let mode = values.text("sort")?.display ?? "name"
        guard mode != "name" || values.isOn("reverse") else { return lines }
        return SortedNodes(lines: lines, mode: mode, isReversed: values.isOn("reverse"))
    }

    private func list(
        _ tree: BlobID,
        _ directories: [ByteString],
        _ repository: Repository,
        _ output: inout any NodeOutput
    ) async throws {
        let wanted = directories.map(SourcePath.clean)
        let isRecursive = values.isOn("recursive")
        var current = output
        try await walk(
            tree,
            in: repository,
            parts: output.parts,
            entersAll: wanted.isEmpty || isRecursive && wanted.contains("/"),
            visit: { path, node in
                let entry = ListedNode(path: path, node: node)
                let isWithin = wanted.isEmpty || wanted.contains { isPath(path, atOrBelow: $0) }
                if isWithin {
                    current.node(entry)
                    if isRecursive { return .enter }
                }
                if wanted.isEmpty || wanted.contains(where: { isPath($0, atOrBelow: path) }) {
                    if !isWithin { current.ancestor(entry) }
                    return .enter
                }
                if isWithin, node.type == .directory { current.leave(path) }
                return .skip
            },
            leave: { current.leave($0) }
        )
        output = current
    }
}

/// True when `path` is `directory` or lies below it.
private func isPath(_ path: ByteString, atOrBelow directory: ByteString) -> Bool {
    if directory == "/" { return true }
    return path.bytes.starts(with: directory.bytes)
        && (path.bytes.count == directory.bytes.count || path.bytes[directory.bytes.count] == 0x2f)
}

private struct TextNodes: NodeOutput {
    let printer: Printer
    let directories: [ByteString]
    let isLong: Bool
    let isHumanReadable: Bool

    var parts: NodeParts { isLong ? .all : .outline }

    func begin(_ snapshot: Snapshot) {
        printer.normal("\(describe(snapshot, printer)) filtered by \(directories.map { printer.name($0) }.goList):")
    }

    func node(_ entry: ListedNode) {
        printer.listed(
            isLong
                ? longNodeText(entry, isHumanReadable: isHumanReadable, printer)
                : Text(bytes: printer.name(entry.path).bytes)
        )
    }

    func ancestor(_ entry: ListedNode) {}
    func leave(_ path: ByteString) {}
    func end() {}
}

private struct JSONNodes: NodeOutput {
    let printer: Printer
    let parts = NodeParts.all

    func begin(_ snapshot: Snapshot) {
        var line = snapshotJSON(snapshot)
        line.add("message_type", "snapshot")
        line.add("struct_type", "snapshot")
        printer.listed(line.text)
    }

    func node(_ entry: ListedNode) { printer.listed(nodeJSON(entry).text) }
    func ancestor(_ entry: ListedNode) {}
    func leave(_ path: ByteString) {}
    func end() {}
}

/// Nested arrays: a directory is one that begins with its own object.
private struct NcduNodes: NodeOutput {
    let screen: Screen
    let parts = NodeParts.all
    private var depth = 0
    /// The line that waits for its comma.
    private var pending: [UInt8] = []

    init(screen: Screen) { self.screen = screen }

    mutating func begin(_ snapshot: Snapshot) {
        depth += 1
        pending = Array("[1, 2, ".utf8) + snapshot.document.encode() + Array(", [{\"name\":\"/\"}".utf8)
    }

    mutating func node(_ entry: ListedNode) {
        flush(comma: true)
        let indent = [UInt8](repeating: 0x20, count: depth * 2)
        if entry.node.type == .directory {
            screen.bulk(Text(bytes: indent + [0x5b]))
            pending = indent + [0x20, 0x20] + ncduJSON(entry.node)
            depth += 1
        } else {
            pending = indent + ncduJSON(entry.node)
        }
    }

    mutating func ancestor(_ entry: ListedNode) { node(entry) }

    mutating func leave(_ path: ByteString) {
        flush(comma: false)
        depth -= 1
        pending = [UInt8](repeating: 0x20, count: depth * 2) + [0x5d]
    }

    mutating func end() {
        flush(comma: false)
        screen.bulk("]\n]")
    }

    private mutating func flush(comma: Bool) {
        if !pending.isEmpty { screen.bulk(Text(bytes: pending + (comma ? [0x2c] : []))) }
        pending = []
    }
}

/// Collects everything, then prints it in order.
///
/// Memory: all nodes listed.
private struct SortedNodes: NodeOutput {
    var lines: any NodeOutput
    let parts = NodeParts.all
    let mode: String
    let isReversed: Bool
    private var nodes: [ListedNode] = []

    init(lines: any NodeOutput, mode: String, isReversed: Bool) {
        self.lines = lines
        self.mode = mode
        self.isReversed = isReversed
    }

    mutating func begin(_ snapshot: Snapshot) { lines.begin(snapshot) }
    mutating func node(_ entry: ListedNode) { nodes.append(entry) }
    mutating func ancestor(_ entry: ListedNode) {}
    mutating func leave(_ path: ByteString) {}

    mutating func end() {
        switch mode {
        case "size": sort { $0.node.type == .file ? $0.node.size : 0 }
        case "atime": sort { $0.node.atime.moment }
        case "ctime": sort { $0.node.ctime.moment }
        case "mtime", "time": sort { $0.node.mtime.moment }
        case "extension": sort { Self.fileExtension($0.path) }
        default: break
        }
        if isReversed { nodes.reverse() }
        for node in nodes { lines.node(node) }
        lines.end()
    }

    private mutating func sort<Key: Comparable>(by key: (ListedNode) -> Key) {
        let keyed = nodes.map { (key: key($0), node: $0) }
        nodes = keyed.sorted { $0.key != $1.key ? $0.key < $1.key : $0.node.path < $1.node.path }.map(\.node)
    }

    private static func fileExtension(_ path: ByteString) -> ByteString {
        for (index, byte) in path.bytes.enumerated().reversed() {
            if byte == 0x2f { break }
            if byte == 0x2e { return ByteString(Array(path.bytes[index...])) }
        }
        return ""
    }
}
