import Bytes
import Outcome
import ResticFormat

/// What one tree document says about itself: where it leads, and what is wrong with it.
///
/// Pure.
struct TreeJudgement {
    /// Directories in it, in order; zero names are not among them.
    var subtrees: [BlobID] = []
    var findings: [Finding] = []
    /// Data blobs that no index names.
    var absent: [BlobID] = []

    /// Reads the document node by node; a damaged rest ends the reading with one finding.
    ///
    /// `use` hears of the content of each file. Sizes are not compared with those of the blobs: old versions of restic
    /// recorded wrong ones, and nobody could repair them.
    init(tree: BlobID, document: [UInt8], index: BlobIndex, use: (([BlobID]) -> Void)?) {
        var reader = TreeReader(document)
        while true {
            do {
                guard let node = try reader.next() else { return }
                judge(node, in: tree, index: index, use: use)
            } catch {
                add(tree, "failed to decode tree \(tree.hex): \(error)")
                return
            }
        }
    }

    private mutating func judge(_ node: Node, in tree: BlobID, index: BlobIndex, use: (([BlobID]) -> Void)?) {
        switch node.type {
        case .file:
            judgeContent(of: node, in: tree, index: index)
            if let use, let content = node.content { use(content) }
        case .directory:
            judgeSubtree(of: node, in: tree)
        case .symlink, .device, .characterDevice, .fifo, .socket:
            break
        case .irregular, .other:
            add(tree, "node \(quoted(node.name)) with invalid type \"\(node.type.name)\"")
        }
        if node.name.bytes.isEmpty { add(tree, "node with empty name") }
    }

    private mutating func judgeContent(of node: Node, in tree: BlobID, index: BlobIndex) {
        guard let content = node.content else {
            add(tree, "file \(quoted(node.name)) has nil blob list")
            return
        }
        if index.containsAll(content) { return }
        for (position, blob) in content.enumerated() {
            if blob.digest.isZero {
                add(tree, "file \(quoted(node.name)) blob \(position) has null ID")
            } else if !index.contains(.data, blob) {
                absent.append(blob)
                add(tree, "file \(quoted(node.name)) blob \(blob.hex) not found in index")
            }
        }
    }

    private mutating func judgeSubtree(of node: Node, in tree: BlobID) {
        guard let subtree = node.subtree else { return add(tree, "dir node \(quoted(node.name)) has no subtree") }
        guard !subtree.digest.isZero else { return add(tree, "dir node \(quoted(node.name)) subtree id is null") }
        subtrees.append(subtree)
    }

    private mutating func add(_ tree: BlobID, _ what: String) {
        findings.append(
            Finding(.damage, .treeInvalid, object: Finding.tree(tree), what: what, next: "run `repair snapshots`")
        )
    }

    private func quoted(_ name: ByteString) -> String {
        "\"" + String(decoding: GoQuote.quote(name), as: UTF8.self) + "\""
    }
}
