import Bytes

/// Writes a tree document node by node, as `TreeDocument` draws it; holds the document and nothing else.
package struct TreeWriter: Sendable {
    private var bytes = Array("{\"nodes\":[".utf8)
    private var last: ByteString?
    /// Nodes so far.
    package private(set) var count = 0

    package init() {}

    /// Appends a node.
    ///
    /// Errors: `missing` for an empty name, `notAscending` for one that is not greater than the last.
    package mutating func append(_ node: Node) throws(FormatError) {
        guard !node.name.isEmpty else { throw FormatError(.missing, field: "name") }
        if let last, !(last < node.name) { throw FormatError(.notAscending, field: "name") }
        if count > 0 { bytes.append(UInt8(ascii: ",")) }
        node.append(to: &bytes)
        last = node.name
        count += 1
    }

    /// The whole document; nothing may be appended afterwards.
    package consuming func finish() -> [UInt8] {
        bytes.append(contentsOf: "]}\n".utf8)
        return bytes
    }
}
