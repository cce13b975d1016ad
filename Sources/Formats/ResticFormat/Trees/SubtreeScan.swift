package import Bytes
import Scanning

/// The subtrees that a tree document names, found by their key alone.
///
/// Nothing else of the document is looked at and nothing verified, so this is a hint of what will be read next and never an answer:
/// text that looks like the key is possible in a document that is not honest, and in values that no program writes.
package enum SubtreeScan {
    private static let key: StaticString = "\"subtree\":\""

    /// In the order of the document, the first `limit` of them.
    package static func subtrees(in document: [UInt8], limit: Int) -> [BlobID] {
        var found: [BlobID] = []
        document.withUnsafeBytes { bytes in
            var position = 0
            while found.count < limit, let place = TextScan.find(key, in: bytes, from: position) {
                let start = place + key.utf8CodeUnitCount
                position = start + Digest.byteCount * 2
                guard position <= bytes.count else { return }
                if let digest = Digest(hex: UnsafeRawBufferPointer(rebasing: bytes[start..<position])) {
                    found.append(BlobID(digest))
                }
            }
        }
        return found
    }
}
