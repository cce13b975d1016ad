import Bytes
import Outcome
import ResticFormat

/// Keeps a restore out of snapshots with more paths than any disk holds (I-09).
///
/// A tree that names the same subtree twice, sixty levels deep, is a few kilobytes and 2^60 paths. Directories that are met again are
/// nothing special, so they are counted; when there are very many, the paths of the whole snapshot are added up, each tree once, before
/// the walk goes on. Cost: 32 bytes a tree, and for such snapshots one more reading of each tree.
struct PathBudget {
    private let root: BlobID
    private var entered: Set<BlobID> = []
    private var repeated = 0
    private var isCounted = false

    init(root: BlobID) { self.root = root }

    /// Errors: `E-TOO-LARGE` when the snapshot has more paths than `Limits.walkEntriesMax`; of `loadTree`.
    mutating func spend(_ tree: BlobID, _ repository: Repository, worker: BlobWorker) async throws {
        if isCounted || entered.insert(tree).inserted { return }
        repeated += 1
        guard repeated > Limits.repeatedTreesMax else { return }
        isCounted = true
        entered = []
        guard try await Self.count(root, repository, worker: worker) > UInt64(Limits.walkEntriesMax) else { return }
        throw RepositoryFailure(
            .tooLarge,
            operation: "restore",
            object: "tree \(root.short)",
            what: "has more than \(Limits.walkEntriesMax) paths: it names the same directories again and again",
            state: "what was restored before this was noticed stays",
            next: "nothing honest looks like that; distrust this snapshot, or restore a directory of it"
        )
    }

    private struct Frame {
        var tree: BlobID
        var subtrees: [BlobID]
        var sum: UInt64
    }

    /// Entries below the tree, one for each path, as far as they can be counted.
    private static func count(_ root: BlobID, _ repository: Repository, worker: BlobWorker) async throws -> UInt64 {
        var known: [BlobID: UInt64] = [:]
        var frames = [try await frame(root, repository, worker: worker)]
        while let top = frames.indices.last {
            guard let subtree = frames[top].subtrees.last else {
                let done = frames.removeLast()
                known[done.tree] = done.sum
                continue
            }
            if let count = known[subtree] {
                frames[top].subtrees.removeLast()
                let (sum, overflow) = frames[top].sum.addingReportingOverflow(count)
                frames[top].sum = overflow ? .max : sum
            } else {
                frames.append(try await frame(subtree, repository, worker: worker))
            }
        }
        return known[root] ?? 0
    }

    private static func frame(_ tree: BlobID, _ repository: Repository, worker: BlobWorker) async throws -> Frame {
        try Task.checkCancellation()
        var frame = Frame(tree: tree, subtrees: [], sum: 0)
        guard let document = try? await repository.loadTree(tree, worker: worker) else { return frame }
        var reader = TreeReader(document)
        while let node = try? reader.next() {
            frame.sum += 1
            if let subtree = node.subtree, node.type == .directory { frame.subtrees.append(subtree) }
        }
        return frame
    }
}
