package import Bytes
package import ResticFormat

/// A node as a walk over a whole snapshot meets it.
package struct WalkedNode: Sendable {
    /// From the walk's root, with a slash in front.
    package var path: ByteString
    package var node: Node
    /// The tree that holds it.
    package var parent: BlobID

    package init(path: ByteString, node: Node, parent: BlobID) {
        self.path = path
        self.node = node
        self.parent = parent
    }
}

/// What a walk does after a node.
package enum WalkDecision: Sendable {
    /// Goes on, into the node when it is a directory.
    case enter
    /// Goes on, past the node.
    case skip
    /// Ends the walk.
    case stop
}

extension Repository {
    /// Visits every node below a tree, directories before their contents, in stored order.
    ///
    /// `unreadable` hears of a directory's tree that cannot be loaded, and by its end lets the walk pass it; what it throws ends the
    /// walk. Errors: damage inside a tree that was loaded; what the closures throw. Memory: the trees from the root to the current one.
    package func walkNodes(
        below tree: BlobID,
        worker: BlobWorker,
        visit: (WalkedNode) throws -> WalkDecision,
        unreadable: (_ tree: BlobID, _ parent: BlobID, any Error) throws -> Void = { throw $2 }
    ) async throws {
        var walker = TreeWalker(self, worker: worker)
        do { try await walker.enter(tree) } catch let error where !(error is CancellationError) {
            return try unreadable(tree, tree, error)
        }
        var directories: [(path: [UInt8], tree: BlobID)] = [([], tree)]
        while let event = try walker.next() {
            switch event {
            case .problem(let error): throw error
            case .leave: directories.removeLast()
            case .entry(let node):
                guard let directory = directories.last else { return }
                let path = directory.path + [UInt8(ascii: "/")] + node.name.bytes
                switch try visit(WalkedNode(path: ByteString(path), node: node, parent: directory.tree)) {
                case .skip: continue
                case .stop: return
                case .enter: break
                }
                guard node.type == .directory else { continue }
                guard let subtree = node.subtree else { throw WalkProblem.noSubtree(node.name) }
                do { try await walker.enter(subtree, name: node.name) } catch let error
                    where !(error is CancellationError)
                {
                    try unreadable(subtree, directory.tree, error)
                    continue
                }
                directories.append((path, subtree))
            }
        }
    }
}
