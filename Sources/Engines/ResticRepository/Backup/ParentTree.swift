import Bytes
import ResticFormat

/// One directory of the parent snapshot, read in step with the listing of today's.
///
/// Both are sorted by name, so each name is looked up by going forward. A damaged document ends the reading: what follows
/// counts as new, and is read again.
struct ParentTree {
    /// A node of the parent snapshot, and its bytes there.
    struct Entry {
        let node: Node
        let json: ArraySlice<UInt8>
    }

    private var reader: TreeReader
    private var next: Node?
    private(set) var damage: (any Error)?
    /// The trees of its subdirectories.
    var ahead: TreesAhead

    /// The document that is read.
    var document: [UInt8] { reader.document }

    init(document: [UInt8], isLookingAhead: Bool = true) {
        reader = TreeReader(document)
        ahead = isLookingAhead ? TreesAhead(of: document) : .none
        advance()
    }

    /// The node of that name; names must be asked in ascending order.
    mutating func find(_ name: ByteString) -> Entry? {
        while let node = next, node.name < name { advance() }
        guard let node = next, node.name == name else { return nil }
        return Entry(node: node, json: reader.lastNode)
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
