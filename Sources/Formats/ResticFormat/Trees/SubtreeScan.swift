package import Bytes

/// The subtrees that a tree document names, found by their key alone.
///
/// Nothing else of the document is looked at and nothing verified, so this is a hint of what will be read next and never an answer:
/// text that looks like the key is possible in a document that is not honest, and in values that no program writes.
package enum SubtreeScan {
    private static let key: StaticString = "\"subtree\":\""

    /// In the order of the document, the first `limit` of them.
    ///
    /// Cost: one look at every eleventh byte (the search of Boyer, Moore and Horspool).
    package static func subtrees(in document: [UInt8], limit: Int) -> [BlobID] {
        var found: [BlobID] = []
        document.withUnsafeBytes { bytes in
            var position = 0
            while found.count < limit, let start = find(in: bytes, from: position) {
                position = start + Digest.byteCount * 2
                guard position <= bytes.count else { return }
                if let digest = Digest(hex: UnsafeRawBufferPointer(rebasing: bytes[start..<position])) {
                    found.append(BlobID(digest))
                }
            }
        }
        return found
    }

    /// Where the value behind the next key begins.
    private static func find(in bytes: UnsafeRawBufferPointer, from first: Int) -> Int? {
        let key = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        let start = key.loadUnaligned(as: UInt64.self)
        var position = first
        while position &+ key.count <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) == start,
                key.elementsEqual(bytes[position..<position &+ key.count])
            {
                return position + key.count
            }
            position &+= shift(bytes[position &+ key.count &- 1])
        }
        return nil
    }

    /// How far the key may move when that byte lies under its last one: to where it has the same byte, or past it.
    private static func shift(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: ":"): 1
        case UInt8(ascii: "\""): 2
        case UInt8(ascii: "e"): 3
        case UInt8(ascii: "r"): 5
        case UInt8(ascii: "t"): 6
        case UInt8(ascii: "b"): 7
        case UInt8(ascii: "u"): 8
        case UInt8(ascii: "s"): 9
        default: key.utf8CodeUnitCount
        }
    }
}
