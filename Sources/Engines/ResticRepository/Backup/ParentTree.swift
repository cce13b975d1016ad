import Bytes
import ResticFormat

/// One directory of the parent snapshot, read in step with the listing of today's.
///
/// Both are sorted by name, so each name is looked up by going forward. A damaged document ends the reading: what follows
/// counts as new, and is read again.
struct ParentTree {
    private var reader: TreeReader
    private var next: Node?
    private(set) var damage: (any Error)?

    init(document: [UInt8]) {
        reader = TreeReader(document)
        advance()
    }

    /// The node of that name; names must be asked in ascending order.
    mutating func find(_ name: ByteString) -> Node? {
        while let node = next, node.name < name { advance() }
        guard let node = next, node.name == name else { return nil }
        return node
    }

    private mutating func advance() {
        do {
            next = try reader.next()
        } catch {
            next = nil
            damage = error
        }
    }
}
