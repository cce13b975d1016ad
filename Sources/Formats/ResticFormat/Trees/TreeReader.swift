import Bytes

/// Reads the nodes of a tree document one by one; holds the document, so it can be kept across suspension points.
///
/// Accepts unknown keys before and behind `nodes`, as restic does; refuses data behind the document, which restic ignores, and `null` in
/// place of a node. Nothing is checked against the names' order or safety.
/// Cost: per node the arrays of its name and content, nothing else that is proportional.
package struct TreeReader: Sendable {
    private enum Phase { case start, nodes, done }

    private let bytes: [UInt8]
    private var position = 0
    private var phase = Phase.start
    private var isFirst = true
    private var decoder: NodeDecoder

    private var count = 0
    private var lastStart = 0
    private var lastEnd = 0

    /// The bytes of the node that `next()` gave last, as the document has them.
    package var lastNode: ArraySlice<UInt8> { bytes[lastStart..<lastEnd] }

    /// The whole document.
    package var document: [UInt8] { bytes }

    /// Reads `bytes` from their start; nothing is parsed before the first `next()`.
    package init(_ bytes: [UInt8], _ parts: NodeParts = .all) {
        self.bytes = bytes
        decoder = NodeDecoder(parts)
    }

    /// The next node, or nil when the document has ended properly.
    ///
    /// After a failure it must not be called again.
    package mutating func next() throws(FormatError) -> Node? {
        guard phase != .done else { return nil }
        guard bytes.count <= FormatLimits.treeBytesMax else { throw FormatError(.tooLarge) }
        let document = bytes
        let node = try lend(document) { buffer throws(FormatError) in
            // Within the nodes two levels are open: the document and the array.
            var reader = GoJSONReader(buffer, position: position, depth: phase == .start ? 0 : 2)
            defer { position = reader.position }
            if phase == .start { try findNodes(&reader) }
            return try readNode(&reader)
        }
        return node
    }

    private mutating func findNodes(_ reader: inout GoJSONReader) throws(FormatError) {
        try reader.beginObject()
        var isFirstKey = true
        while let key = try reader.nextKey(&isFirstKey) {
            if reader.resolved(key).elementsEqual("nodes".utf8) {
                reader.field = "nodes"
                try reader.beginArray()
                phase = .nodes
                return
            }
            try reader.skipValue()
        }
        throw FormatError(.missing, field: "nodes", offset: reader.position)
    }

    private mutating func readNode(_ reader: inout GoJSONReader) throws(FormatError) -> Node? {
        reader.field = "nodes"
        if try reader.nextElement(&isFirst) {
            guard count < FormatLimits.nodesPerTreeMax else { throw reader.failure(.tooLarge) }
            count &+= 1
            lastStart = reader.position
            defer { lastEnd = reader.position }
            return try decoder.decode(&reader)
        }
        var isFirstKey = false
        while try reader.nextKey(&isFirstKey) != nil { try reader.skipValue() }
        try reader.finish()
        phase = .done
        return nil
    }
}
