import Bytes
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
    let startedNanoseconds: UInt64
    private let name: ByteString

    private struct State {
        var bytes: [UInt8] = []
        var ranges: [Range<Int>?] = []
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
        startedNanoseconds: UInt64
    ) {
        self.parent = parent
        self.slot = slot
        self.name = name
        self.node = node
        self.previous = previous
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
            state.ranges.append(nil)
            state.outstanding += 1
            return state.ranges.count - 1
        }
    }

    /// Fills a slot with an encoded node; true when the directory is complete and the caller has to finish it.
    ///
    /// Cost: the node is encoded outside of the lock and beside the document, which a directory of a million entries makes large.
    func fill(_ slot: Int, _ node: Node) -> Bool {
        var encoded: [UInt8] = []
        node.append(to: &encoded)
        return state.withLock { state in
            let start = state.bytes.count
            state.bytes.append(contentsOf: encoded)
            state.ranges[slot] = start..<state.bytes.count
            state.outstanding -= 1
            return state.outstanding == 0
        }
    }

    /// Fills a slot with a node that is encoded already.
    func fill(_ slot: Int, encoded: UnsafeRawBufferPointer) -> Bool {
        state.withLock { state in
            let start = state.bytes.count
            state.bytes.append(contentsOf: encoded)
            state.ranges[slot] = start..<state.bytes.count
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

    /// The tree document's bytes and how many entries it has; called once, when complete.
    func document() -> (bytes: [UInt8], entries: Int) {
        state.withLock { state in
            precondition(state.outstanding == 0, "a directory was finished before its entries")
            var document: [UInt8] = []
            document.reserveCapacity(state.bytes.count + state.ranges.count + 16)
            TreeDocument.open(&document)
            var entries = 0
            for range in state.ranges {
                guard let range else { continue }
                if entries > 0 { document.append(UInt8(ascii: ",")) }
                document.append(contentsOf: state.bytes[range])
                entries += 1
            }
            TreeDocument.close(&document)
            state.bytes = []
            return (document, entries)
        }
    }
}
