package import Bytes
import ObjectStorage
import Outcome
package import ResticFormat

/// What becomes of an entry of a directory.
package enum NodeRewrite: Sendable {
    case keep
    /// The entry goes, with all that is below it.
    case drop
    /// This one takes its place; the name stays, since it decides the order.
    case replace(Node)
}

/// What becomes of a directory whose tree cannot be read.
package enum LostTreeRewrite: Sendable {
    /// The directory goes; of the root nothing is left.
    case drop
    /// It holds these entries, in the order of names; they are not visited.
    case replace([Node])
}

/// What a rewrite of trees asks.
///
/// All questions come from one task, directories before their contents, in the order of names. What is thrown ends the rewrite.
package protocol TreeRewriteVisitor {
    /// What becomes of the entry; of a directory before its tree is opened, which is then that of the answer.
    ///
    /// `path` begins with a slash and counts from the root of the snapshot.
    mutating func rewrite(_ node: Node, at path: ByteString) throws -> NodeRewrite

    /// What becomes of a directory (`/` for the root) of which no copy of the tree opens, or whose document cannot be understood.
    ///
    /// `tree` is nil for a directory that names none. A `FormatError` says that the bytes are those that were written: another program
    /// may understand them. Unless implemented, the error ends the rewrite.
    mutating func unreadable(_ tree: BlobID?, at path: ByteString, _ error: any Error) throws -> LostTreeRewrite

    /// Whether a directory (`/` for the root) stays that is empty, or became so.
    ///
    /// Unless implemented, all stay.
    mutating func keepsEmptyDirectory(at path: ByteString) throws -> Bool
}

extension TreeRewriteVisitor {
    /// Lets the error end the rewrite.
    package mutating func unreadable(_ tree: BlobID?, at path: ByteString, _ error: any Error) throws -> LostTreeRewrite
    {
        throw error
    }

    /// All stay.
    package mutating func keepsEmptyDirectory(at path: ByteString) throws -> Bool { true }
}

/// Writes the trees of snapshots anew, with what a visitor keeps, drops or alters.
///
/// ```
/// load tree > decode, encode again, compare > ask for each entry > below, depth first > write the new tree, leaves first
/// ```
/// 1. A tree that our encoding would not give back byte for byte is refused, so that no field of a newer program is lost; unless
///    `acceptsLoss`, for repairs.
/// 2. Trees are stored before those that name them (L2); nothing names the result before the caller does (L4).
/// 3. A directory that stays as it was keeps its ID, and nothing is stored for it.
///
/// The walk keeps its own stack, bounded by `Limits.walkDepthMax` and `Limits.walkEntriesMax`. Memory: the old and the new document
/// of each directory from the root to the current one; with `remembersTrees` 64 bytes for each tree. Isolation: one task.
package struct TreeRewrite<Visitor: TreeRewriteVisitor> {
    private struct Frame {
        let tree: BlobID?
        /// The directory as it will stand in its parent; nil for the root.
        let node: Node?
        /// Bytes of `path` before the directory was entered.
        let parentPathCount: Int
        var reader: TreeReader
        var output = TreeWriter()
    }

    private enum Opening {
        case entered
        /// What stands in the tree's place is known; nil for nothing.
        case settled(BlobID?)
    }

    /// The visitor, with what it has gathered.
    package private(set) var visitor: Visitor
    private let repository: Repository
    private let writer: BlobWriter
    private let worker: BlobWorker
    private let acceptsLoss: Bool
    private let remembersTrees: Bool
    private var replacements: [BlobID: BlobID] = [:]
    private var frames: [Frame] = []
    private var path: [UInt8] = []
    private var visited = 0

    /// The index of `repository` is loaded, and `writer` is its own.
    ///
    /// With `acceptsLoss`, trees that do not encode to the same bytes are rewritten nevertheless. With `remembersTrees`, each tree is
    /// rewritten once, however many paths and calls lead to it: for visitors whose answers do not depend on the path.
    package init(
        _ repository: Repository,
        writer: BlobWriter,
        visitor: Visitor,
        acceptsLoss: Bool = false,
        remembersTrees: Bool = false
    ) {
        self.repository = repository
        self.writer = writer
        self.visitor = visitor
        self.acceptsLoss = acceptsLoss
        self.remembersTrees = remembersTrees
        worker = repository.makeWorker()
    }

    /// The tree that takes the root's place: the same one when nothing changed, nil when nothing is left.
    ///
    /// Errors: `E-DAMAGE` for a tree that would lose information, those of reading unless the visitor takes them, those of the visitor
    /// and of the writer.
    package mutating func rewrite(_ root: BlobID?) async throws -> BlobID? {
        (frames, path, visited) = ([], [], 0)
        if case .settled(let tree) = try await enter(root, nil, name: "") { return tree }
        while true {
            if let (name, node) = try nextDirectory() {
                guard case .settled(let tree) = try await enter(node.subtree, node, name: name) else { continue }
                try attach(tree, to: node)
            } else {
                let frame = frames.removeLast()
                let tree = try await finish(frame)
                path.removeLast(path.count - frame.parentPathCount)
                guard let node = frame.node else { return tree }
                try attach(tree, to: node)
            }
        }
    }

    /// Opens a directory, or settles what becomes of it.
    private mutating func enter(_ tree: BlobID?, _ node: Node?, name: ByteString) async throws -> Opening {
        if let tree, let known = replacements[tree] { return .settled(known) }
        let parentPathCount = path.count
        if node != nil { path += [UInt8(ascii: "/")] + name.bytes }
        guard frames.count < Limits.walkDepthMax else {
            throw failure(.tooLarge, "lies more than \(Limits.walkDepthMax) directories deep")
        }
        try Task.checkCancellation()
        let document: [UInt8]
        let isSame: Bool
        do {
            guard let tree else { throw WalkProblem.noSubtree(name) }
            document = try await repository.loadTree(tree, worker: worker)
            isSame = try encodesToSame(document)
        } catch let error where !(error is CancellationError) {
            let answer = try visitor.unreadable(tree, at: currentPath, error)
            path.removeLast(path.count - parentPathCount)
            switch answer {
            case .drop: return .settled(nil)
            case .replace(let nodes): return .settled(try await save(nodes))
            }
        }
        guard isSame || acceptsLoss else {
            throw failure(.damaged, "cannot encode tree at \(quoted(currentPath)) without losing information")
        }
        frames.append(
            Frame(tree: tree, node: node, parentPathCount: parentPathCount, reader: TreeReader(document))
        )
        return .entered
    }

    /// Takes the entries of the current directory until the next one to enter, with its name in the old tree; nil at the end.
    private mutating func nextDirectory() throws -> (ByteString, Node)? {
        let top = frames.count - 1
        while let node = try frames[top].reader.next() {
            visited += 1
            guard visited <= Limits.walkEntriesMax else {
                throw failure(.tooLarge, "has more than \(Limits.walkEntriesMax) entries")
            }
            try Task.checkCancellation()
            let changed: Node
            switch try visitor.rewrite(node, at: ByteString(path + [UInt8(ascii: "/")] + node.name.bytes)) {
            case .keep: changed = node
            case .drop: continue
            case .replace(let other): changed = other
            }
            guard changed.type != .directory else { return (node.name, changed) }
            try append(changed)
        }
        return nil
    }

    /// Stores the new tree of a directory; nil when it is empty and goes.
    private mutating func finish(_ frame: Frame) async throws -> BlobID? {
        let isEmpty = frame.output.count == 0
        if isEmpty, try !visitor.keepsEmptyDirectory(at: currentPath) { return nil }
        let tree = try await save(frame.output.finish())
        if remembersTrees, let old = frame.tree { replacements[old] = tree }
        return tree
    }

    private mutating func attach(_ tree: BlobID?, to node: Node) throws {
        guard let tree else { return }
        var node = node
        node.subtree = tree
        try append(node)
    }

    private mutating func append(_ node: Node) throws {
        do { try frames[frames.count - 1].output.append(node) } catch {
            throw failure(
                .damaged,
                "has entries out of order or doubled at \(quoted(node.name)) in \(quoted(currentPath))"
            )
        }
    }

    private func save(_ nodes: [Node]) async throws -> BlobID {
        var output = TreeWriter()
        for node in nodes { try output.append(node) }
        return try await save(output.finish())
    }

    private func save(_ document: [UInt8]) async throws -> BlobID {
        let block = Block(document)
        defer { withExtendedLifetime(block) {} }
        return try await writer.save(.tree, block.withBytes { $0 }, worker: worker).id
    }

    /// Whether our encoding gives the document back; reads it to its end in any case.
    private func encodesToSame(_ document: [UInt8]) throws -> Bool {
        var (reader, output) = (TreeReader(document), TreeWriter())
        var isOrdered = true
        while let node = try reader.next() {
            guard isOrdered, !acceptsLoss else { continue }
            do { try output.append(node) } catch { isOrdered = false }
        }
        return isOrdered && output.finish() == document
    }

    private var currentPath: ByteString { path.isEmpty ? "/" : ByteString(path) }

    private func quoted(_ text: ByteString) -> String { "\"\(text.display)\"" }

    private func failure(_ code: RepositoryCode, _ what: String) -> RepositoryFailure {
        RepositoryFailure(
            code,
            operation: "rewrite",
            object: "directory \(quoted(currentPath)) of a snapshot in \(repository.store.location)",
            what: what,
            state: "the snapshot is as it was",
            next: code == .damaged
                ? "leave this snapshot out; a newer program, or another one, wrote it and may be able to rewrite it"
                : "nothing honest is that large; distrust this snapshot"
        )
    }
}
