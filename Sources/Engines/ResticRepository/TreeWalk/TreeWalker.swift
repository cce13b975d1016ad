package import Bytes
import Outcome
package import ResticFormat

/// A walk over the directories of a snapshot, entry by entry, in the order of names.
///
/// It keeps its own stack, so depth costs memory and not the thread's stack. The caller says which directories are entered,
/// so a tree that contains itself many times over costs what the caller is willing to visit; `Limits.walkDepthMax` and
/// `Limits.walkEntriesMax` bound it (I-09).
package struct TreeWalker {
    /// What the walk came upon.
    package enum Event {
        /// An entry of the current directory; `enter` goes into it when it is one.
        case entry(Node)
        /// A directory has ended; the current one is its parent again.
        case leave
        /// An entry, or the rest of the directory, that cannot be used; the walk goes on.
        case problem(any Error)
    }

    private struct Level {
        var reader: TreeReader
        var ahead: TreesAhead
        var name: ByteString
        var lastName: ByteString?
        /// The reader failed: what follows in its document cannot be told from noise.
        var isBroken = false
    }

    private let repository: Repository
    private let worker: BlobWorker
    private let parts: NodeParts
    /// Trees that another task opens; nil once one was missing.
    private var stream: TreeStream?
    private let opensAhead: Bool
    private var levels: [Level] = []
    private var visited = 0

    /// A walk that enters few directories says so, since opening others ahead would be for nothing.
    package init(
        _ repository: Repository,
        worker: BlobWorker,
        parts: NodeParts = .all,
        entersMost: Bool = true
    ) {
        self.init(repository, worker: worker, parts: parts, stream: nil, opensAhead: entersMost)
    }

    init(
        _ repository: Repository,
        worker: BlobWorker,
        parts: NodeParts,
        stream: TreeStream?,
        opensAhead: Bool = true
    ) {
        self.parts = parts
        self.repository = repository
        self.worker = worker
        self.stream = stream
        self.opensAhead = opensAhead
    }

    /// Directories entered and not left.
    package var depth: Int { levels.count }

    /// Path of the current directory, `/` for the first; with an entry's name, that entry's.
    package func path(_ entry: ByteString? = nil) -> ByteString {
        var bytes: [UInt8] = []
        for level in levels.dropFirst() {
            bytes.append(UInt8(ascii: "/"))
            bytes.append(contentsOf: level.name.bytes)
        }
        if let entry {
            bytes.append(UInt8(ascii: "/"))
            bytes.append(contentsOf: entry.bytes)
        }
        return bytes.isEmpty ? "/" : ByteString(bytes)
    }

    /// Makes the directory's entries the next events.
    ///
    /// Errors: of `loadTree`, `E-DAMAGE` when it is too deep.
    package mutating func enter(_ tree: BlobID, name: ByteString = "") async throws {
        guard levels.count < Limits.walkDepthMax else {
            throw RepositoryFailure(
                .damaged,
                operation: "walk",
                object: "tree \(tree.short)",
                what: "lies more than \(Limits.walkDepthMax) directories deep",
                next: "nothing honest is that deep; distrust this snapshot"
            )
        }
        if let stream {
            let (document, isOver) = await stream.next(tree)
            if isOver { self.stream = nil }
            if let document {
                return levels.append(Level(reader: TreeReader(document, parts), ahead: .none, name: name))
            }
        }
        let document: [UInt8]
        if levels.isEmpty {
            document = try await repository.loadTree(tree, worker: worker)
        } else {
            document = try await levels[levels.count - 1].ahead.load(tree, from: repository, worker: worker)
        }
        let isAhead = opensAhead && levels.count < Limits.treesAheadLevels
        let ahead = isAhead ? TreesAhead(of: document) : .none
        levels.append(Level(reader: TreeReader(document, parts), ahead: ahead, name: name))
    }

    /// The next event, or nil at the end of the walk.
    package mutating func next() throws -> Event? {
        guard let top = levels.indices.last else { return nil }
        try Task.checkCancellation()
        visited += 1
        guard visited <= Limits.walkEntriesMax else {
            throw RepositoryFailure(
                .tooLarge,
                operation: "walk",
                object: "snapshot",
                what: "has more than \(Limits.walkEntriesMax) entries",
                next: "choose a part of it"
            )
        }
        let node: Node?
        do {
            node = levels[top].isBroken ? nil : try levels[top].reader.next()
        } catch {
            // The directory is left at the next call.
            levels[top].isBroken = true
            return .problem(error)
        }
        guard let node else {
            levels.removeLast()
            return .leave
        }
        defer { levels[top].lastName = node.name }
        if let last = levels[top].lastName, !(last < node.name) {
            return .problem(WalkProblem.disorder(node.name))
        }
        return .entry(node)
    }
}

/// An entry of a tree that no honest backup wrote.
package enum WalkProblem: Error, CustomStringConvertible {
    case disorder(ByteString)
    case hostileName(ByteString)
    case noSubtree(ByteString)

    package var description: String {
        switch self {
        case .disorder(let name): "entry \"\(name.display)\" is out of order or doubled; it was left out"
        case .hostileName(let name):
            "invalid child node name \(name.display): it could lead out of the target; it was left out"
        case .noSubtree(let name): "directory \"\(name.display)\" has no subtree"
        }
    }
}
