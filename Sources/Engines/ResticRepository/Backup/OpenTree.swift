import Bytes
import Glibc
import ResticFormat
import Synchronization

/// A directory whose entries are being saved, by several tasks in any order.
///
/// 1. The walk reserves a slot for each entry in the order of names, so the finished document is sorted whatever finishes first.
/// 2. Whoever fills the last slot after the walk left the directory, and nobody else, is told to finish it.
/// 3. A slot filled with nothing is an entry that was left out.
final class OpenTree: Sendable {
    let parent: OpenTree?
    /// Our slot in the parent.
    let slot: Int
    /// Our own node, without its subtree; nil for the root of a snapshot.
    let node: Node?
    /// What the parent snapshot has at this path.
    let previous: Node?
    /// The document of `previous`'s tree, whose ID it was verified against.
    private let previousDocument: [UInt8]?
    let startedNanoseconds: UInt64
    private let name: ByteString

    private struct State {
        var nodes: [EncodedNode?] = []
        /// Slots not filled yet, and one for the walk itself.
        var outstanding = 1
    }

    private let state = Mutex(State())

    init(
        parent: OpenTree?,
        slot: Int,
        name: ByteString,
        node: Node?,
        previous: Node?,
        previousDocument: [UInt8]? = nil,
        startedNanoseconds: UInt64
    ) {
        self.parent = parent
        self.slot = slot
        self.name = name
        self.node = node
        self.previous = previous
        self.previousDocument = previousDocument
        self.startedNanoseconds = startedNanoseconds
    }

    /// Path in the snapshot, built from the chain of parents: `/a/b`; `/` for the root.
    var path: ByteString { path(of: nil) }

    /// Path in the snapshot of an entry.
    func path(of entry: ByteString?) -> ByteString {
        var parts: [[UInt8]] = []
        if let entry { parts.append(entry.bytes) }
        var tree: OpenTree? = self
        while let current = tree, current.parent != nil {
            parts.append(current.name.bytes)
            tree = current.parent
        }
        guard !parts.isEmpty else { return "/" }
        var bytes: [UInt8] = []
        for part in parts.reversed() {
            bytes.append(UInt8(ascii: "/"))
            bytes.append(contentsOf: part)
        }
        return ByteString(bytes)
    }

    /// A slot for the next entry in order of names.
    func reserveSlot() -> Int {
        state.withLock { state in
            state.nodes.append(nil)
            state.outstanding += 1
            return state.nodes.count - 1
        }
    }

    /// Fills a slot; true when the directory is complete and the caller has to finish it.
    func fill(_ slot: Int, _ node: Node) -> Bool {
        // Encoded before the lock is taken, so that tasks which fill one directory do not wait for each other.
        fill(slot, EncodedNode(node))
    }

    /// The same, with a node that is encoded already.
    func fill(_ slot: Int, _ encoded: EncodedNode) -> Bool {
        state.withLock { state in
            state.nodes[slot] = encoded
            state.outstanding -= 1
            return state.outstanding == 0
        }
    }

    /// Leaves a slot empty; true when the directory is complete.
    func leaveOut(_ slot: Int) -> Bool { settle() }

    /// The walk has left the directory; true when the directory is complete.
    func endOfListing() -> Bool { settle() }

    private func settle() -> Bool {
        state.withLock { state in
            state.outstanding -= 1
            return state.outstanding == 0
        }
    }

    /// The ID of the parent snapshot's tree, when that has the same document: nothing is hashed or stored again then.
    func unchangedID(_ document: Block) -> BlobID? {
        guard let previousDocument, let id = previous?.subtree, document.count == previousDocument.count else {
            return nil
        }
        let isSame = document.withBytes { ours in
            previousDocument.withUnsafeBytes { theirs in
                guard let start = ours.baseAddress, let other = theirs.baseAddress else { return false }
                return memcmp(start, other, ours.count) == 0
            }
        }
        return isSame ? id : nil
    }

    /// The tree document and how many entries it has; called once, when complete.
    ///
    /// Errors: a name that the directory listed twice, with different entries. No honest file system does.
    func document() throws(FormatError) -> (block: Block, entries: Int) {
        let nodes = state.withLock { state in
            precondition(state.outstanding == 0, "a directory was finished before its entries")
            defer { state.nodes = [] }
            return state.nodes.compactMap { $0 }
        }
        let block = Block(capacity: TreeDocument.byteCountMax(nodes))
        let entries = try TreeDocument.write(nodes) { block.append($0) }
        return (block, entries)
    }
}
