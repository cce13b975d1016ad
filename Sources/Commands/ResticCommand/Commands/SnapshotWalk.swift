import Bytes
import Console
import ResticFormat
import ResticRepository

/// What a walk does after a node.
enum WalkStep {
    /// Goes on, into the node when it is a directory.
    case enter
    /// Goes on, past the node.
    case skip
}

extension Session {
    /// The tree of a directory inside a snapshot; nil is its root.
    ///
    /// Errors, in restic's words: a part of the path is missing or no directory.
    func findDirectory(_ path: ByteString?, in snapshot: Snapshot, _ repository: Repository) async throws -> BlobID {
        guard var tree = snapshot.document.tree else { throw CommandFailure("tree id is null") }
        guard let path else { return tree }
        let worker = repository.makeWorker()
        var done: [UInt8] = []
        for part in SourcePath.clean(path).bytes.split(separator: 0x2f) where !part.elementsEqual([0x2e]) {
            done += (done.isEmpty ? [] : [0x2f]) + part
            let shown = quotedForDisplay(ByteString(done))
            var reader = TreeReader(try await repository.loadTree(tree, worker: worker))
            var found: Node?
            while found == nil, let node = try reader.next() {
                if node.name.bytes.elementsEqual(part) { found = node }
            }
            guard let found else { throw CommandFailure("path \(shown): not found") }
            guard found.type == .directory, let subtree = found.subtree else {
                throw CommandFailure("path \(shown): not a directory")
            }
            tree = subtree
        }
        return tree
    }

    /// Visits every node below a tree, directories before their contents, in stored order.
    ///
    /// `entersAll` says that no directory is passed over: trees are opened ahead then. Errors: what is damaged ends the walk, since a
    /// listing that lacks something would look complete.
    func walk(
        _ tree: BlobID,
        in repository: Repository,
        parts: NodeParts = .all,
        entersAll: Bool,
        visit: (_ path: ByteString, _ node: Node) throws -> WalkStep,
        leave: (_ path: ByteString) throws -> Void = { _ in }
    ) async throws {
        let worker = repository.makeWorker()
        guard entersAll else {
            var walker = TreeWalker(repository, worker: worker, parts: parts, entersMost: false)
            try await walker.enter(tree)
            return try await walk(&walker, visit: visit, leave: leave)
        }
        try await repository.walkingAll(below: tree, worker: worker, parts: parts) { walker in
            try await walk(&walker, visit: visit, leave: leave)
        }
    }

    private func walk(
        _ walker: inout TreeWalker,
        visit: (_ path: ByteString, _ node: Node) throws -> WalkStep,
        leave: (_ path: ByteString) throws -> Void
    ) async throws {
        var directories: [ByteString] = [""]
        while let event = try walker.next() {
            switch event {
            case .problem(let error): throw error
            case .leave:
                let left = directories.removeLast()
                if !directories.isEmpty { try leave(left) }
                try checkOutput()
            case .entry(let node):
                let path = SourcePath.child(node.name, of: directories.last ?? "")
                guard try visit(path, node) == .enter, node.type == .directory else { continue }
                guard let subtree = node.subtree else {
                    throw CommandFailure("directory \(quotedForDisplay(path)) has no subtree")
                }
                try await walker.enter(subtree, name: node.name)
                directories.append(path)
            }
        }
    }
}
