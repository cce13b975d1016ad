package import Bytes

/// A node that is encoded already, with the raw name that decides its place.
package struct EncodedNode: Sendable {
    package var name: ByteString
    package var json: [UInt8]

    /// Takes both as they are.
    package init(name: ByteString, json: [UInt8]) {
        self.name = name
        self.json = json
    }

    /// Encodes `node`.
    package init(_ node: Node) {
        name = node.name
        json = node.encode()
    }
}

/// The document around the nodes of one directory: `open`, nodes joined by `separator`, `close`.
///
/// The ID hashes all of it.
package enum TreeDocument {
    /// What stands before the first node: `{"nodes":[`.
    package static let open: [UInt8] = Array("{\"nodes\":[".utf8)
    /// What stands between two nodes: `,`.
    package static let separator = UInt8(ascii: ",")
    /// What stands behind the last node: `]}` and a line end.
    package static let close: [UInt8] = Array("]}\n".utf8)

    /// The document of `nodes`, in any order; a node that is there twice with equal bytes is written once.
    ///
    /// Fails with `notAscending` when two different nodes have one name, or a name is empty: restic's trees cannot hold them.
    package static func encode(_ nodes: [EncodedNode]) throws(FormatError) -> [UInt8] {
        let sorted = nodes.sorted { $0.name < $1.name }
        var output: [UInt8] = []
        output.reserveCapacity(nodes.reduce(open.count + close.count) { $0 + $1.json.count + 1 })
        output.append(contentsOf: open)
        var last: EncodedNode?
        for node in sorted {
            if let last, last.name == node.name {
                guard last.json == node.json else {
                    throw FormatError(.notAscending, field: "name", offset: output.count)
                }
                continue
            }
            guard !node.name.isEmpty else { throw FormatError(.notAscending, field: "name", offset: output.count) }
            if last != nil { output.append(separator) }
            output.append(contentsOf: node.json)
            last = node
        }
        output.append(contentsOf: close)
        return output
    }

    /// All nodes of a document; see `TreeReader` for reading them one by one.
    package static func nodes(in bytes: [UInt8]) throws(FormatError) -> [Node] {
        var reader = TreeReader(bytes)
        var nodes: [Node] = []
        while let node = try reader.next() { nodes.append(node) }
        return nodes
    }
}
