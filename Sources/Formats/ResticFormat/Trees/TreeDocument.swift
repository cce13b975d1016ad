package import Bytes

/// A node that is encoded already, with the raw name that decides its place.
package struct EncodedNode: Sendable {
    package let name: ByteString
    package let json: ArraySlice<UInt8>

    /// Encodes `node`.
    package init(_ node: Node) {
        name = node.name
        json = node.encode()[...]
    }

    /// A node as a document has it; shares that document's storage.
    package init(name: ByteString, as json: ArraySlice<UInt8>) {
        self.name = name
        self.json = json
    }
}

/// The document around the nodes of one directory: `open`, nodes joined by `separator`, `close`.
///
/// The ID hashes all of it.
package enum TreeDocument {
    private static let open: StaticString = "{\"nodes\":["
    private static let separator: StaticString = ","
    private static let close: StaticString = "]}\n"

    /// Bytes that `write` makes of `nodes`; fewer when some are there twice.
    package static func byteCountMax(_ nodes: [EncodedNode]) -> Int {
        nodes.reduce(open.utf8CodeUnitCount + close.utf8CodeUnitCount) {
            $0 + $1.json.count + separator.utf8CodeUnitCount
        }
    }

    /// Hands out the document of `nodes` piece by piece and returns how many it holds.
    ///
    /// The nodes must come in the order of their names' bytes; one that is there twice with equal bytes is written once. Fails with
    /// `notAscending` for any other order and for two different nodes of one name, with `missing` for an empty name: restic's trees cannot hold them.
    package static func write(
        _ nodes: [EncodedNode],
        to output: (UnsafeRawBufferPointer) -> Void
    ) throws(FormatError) -> Int {
        var last: EncodedNode?
        var count = 0
        lend(open, output)
        for node in nodes {
            if let last, !(last.name < node.name) {
                if last.name == node.name, last.json == node.json { continue }
                throw FormatError(.notAscending, field: "name")
            }
            guard !node.name.isEmpty else { throw FormatError(.missing, field: "name") }
            if count > 0 { lend(separator, output) }
            node.json.withUnsafeBytes(output)
            last = node
            count += 1
        }
        lend(close, output)
        return count
    }

    private static func lend(_ text: StaticString, _ output: (UnsafeRawBufferPointer) -> Void) {
        output(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
