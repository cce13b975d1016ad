package import Bytes
package import ResticFormat
import Synchronization

/// The trees of a whole snapshot in the order in which a walk enters them, opened by a task of its own while the walk reads.
///
/// The order is guessed from the documents (`SubtreeScan`); the walk compares the ID of what comes with the one that it wants, and
/// goes on alone from the first that differs: a directory that was passed over, or a tree that could not be opened. Bounds:
/// four groups of trees under way, each `Limits.streamedGroupBytes` of documents; a longer one is left to the walk.
final class TreeStream: Sendable {
    /// A tree's document; nil when it is too long to wait here.
    struct Streamed: Sendable {
        var id: BlobID
        var document: [UInt8]?
    }

    private let groups = Handover<[Streamed]>(capacity: 2)
    /// What the walk has received and not used, the next one last.
    private let received = Mutex<[Streamed]>([])

    /// The next document, when it is that tree's and short enough; `isOver` when nothing more comes from here.
    func next(_ id: BlobID) async -> (document: [UInt8]?, isOver: Bool) {
        if received.withLock({ $0.isEmpty }), let group = await groups.receive() {
            received.withLock { $0 = group.reversed() }
        }
        guard let tree = received.withLock({ $0.popLast() }), tree.id == id else {
            end()
            return (nil, true)
        }
        return (tree.document, false)
    }

    /// Nobody takes any more.
    func end() { groups.fail(CancellationError()) }

    /// Opens tree after tree until there are no more, one does not open, or nobody takes them.
    func fill(from root: BlobID, of repository: Repository) async {
        var group: [Streamed] = []
        var bytes = 0
        do {
            var walk = GuessedWalk(root, of: repository)
            while let (id, document) = try await walk.next() {
                let isShort = document.count <= Limits.streamedGroupBytes
                group.append(Streamed(id: id, document: isShort ? document : nil))
                bytes += isShort ? document.count : 0
                guard bytes > Limits.streamedGroupBytes / 2 || group.count >= Limits.streamedGroupTrees else {
                    continue
                }
                try await groups.send(group)
                (group, bytes) = ([], 0)
            }
        } catch {
            // The walk meets the same at the same place, and says so.
        }
        try? await groups.send(group)
        groups.finish()
    }
}

/// All trees below one, directories before their contents, found by nothing but their subtrees.
private struct GuessedWalk {
    private struct Level {
        var rest: ArraySlice<BlobID>
        var ahead: TreesAhead
    }

    private let repository: Repository
    private let worker: BlobWorker
    private var root: BlobID?
    private var levels: [Level] = []

    init(_ root: BlobID, of repository: Repository) {
        self.repository = repository
        self.root = root
        worker = repository.makeWorker()
    }

    /// Errors: of `loadTree`.
    mutating func next() async throws -> (BlobID, [UInt8])? {
        if let id = root {
            root = nil
            return (id, enter(try await repository.loadTree(id, worker: worker)))
        }
        while levels.last?.rest.isEmpty == true { levels.removeLast() }
        guard let top = levels.indices.last, let id = levels[top].rest.popFirst() else { return nil }
        return (id, enter(try await levels[top].ahead.load(id, from: repository, worker: worker)))
    }

    private mutating func enter(_ document: [UInt8]) -> [UInt8] {
        guard levels.count < Limits.treesAheadLevels else {
            levels = []
            return document
        }
        let subtrees = SubtreeScan.subtrees(in: document, limit: Limits.subtreesExpected)
        levels.append(Level(rest: subtrees[...], ahead: TreesAhead(expecting: subtrees)))
        return document
    }
}

extension Repository {
    /// Walks everything below a tree; `body` gets a walk whose trees another task opens.
    ///
    /// Good for walks that enter every directory; others lose what was opened for nothing. Errors: of `body`.
    package func walkingAll<Result: Sendable>(
        below tree: BlobID,
        worker: BlobWorker,
        parts: NodeParts = .all,
        _ body: (inout TreeWalker) async throws -> Result
    ) async throws -> Result {
        let stream = TreeStream()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: environment.pool) { await stream.fill(from: tree, of: self) }
            defer {
                stream.end()
                group.cancelAll()
            }
            var walker = TreeWalker(self, worker: worker, parts: parts, stream: stream)
            try await walker.enter(tree)
            return try await body(&walker)
        }
    }
}
