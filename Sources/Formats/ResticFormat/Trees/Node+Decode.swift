import Bytes

/// How much of each node is read.
package enum NodeParts: Sendable {
    case all
    /// Name, type and subtree, for those who walk and list paths; the rest is not looked at, and absent in the node.
    case outline
}

/// Reads nodes one after another; remembers owners, since neighbours mostly share them.
struct NodeDecoder: Sendable {
    private let parts: NodeParts
    private var lastUser = ByteString()
    private var lastGroup = ByteString()
    private var modified = SpeltTime()

    init(_ parts: NodeParts) { self.parts = parts }

    private static let names: [StaticString] = [
        "name", "type", "mode", "mtime", "atime", "ctime", "uid", "gid", "user", "group", "inode", "device_id", "size",
        "links",
        "linktarget", "linktarget_raw", "extended_attributes", "generic_attributes", "device", "content", "subtree",
        "error",
    ]

    /// Reads one object; of a field given twice the last counts, unknown ones are dropped.
    mutating func decode(_ reader: inout GoJSONReader) throws(FormatError) -> Node {
        var node = Node(name: ByteString(), type: .other(ByteString()))
        var rawTarget: ByteString?
        var fields = try ObjectFields(Self.names, refusesDuplicates: false, reader: &reader)
        while let field = try fields.next(&reader) {
            if parts == .outline, field > 1, field != 20 {
                guard node.type != .directory else {
                    try reader.skipValue()
                    continue
                }
                try reader.skipRestOfObject()
                return node
            }
            if try reader.skipNull() {
                clear(field, &node, &rawTarget)
            } else if field < 8 {
                try readIdentity(field, &node, &reader)
            } else if field < 14 {
                try readOwnerAndSize(field, &node, &reader)
            } else {
                try readRest(field, &node, &rawTarget, &reader)
            }
        }
        if let rawTarget { node.linkTarget = rawTarget }
        return node
    }

    private mutating func readIdentity(_ field: Int, _ node: inout Node, _ reader: inout GoJSONReader)
        throws(FormatError)
    {
        switch field {
        case 0: node.name = try Self.name(&reader)
        case 1: node.type = try Self.type(&reader)
        case 2: node.mode = try reader.unsigned32()
        case 3: node.mtime = try modified.read(&reader)
        // restic gives the time of the last access as that of the last change unless told otherwise.
        case 4: node.atime = try modified.readAgain(&reader)
        case 5: node.ctime = try reader.time()
        case 6: node.uid = try reader.unsigned32()
        default: node.gid = try reader.unsigned32()
        }
    }

    private mutating func readOwnerAndSize(_ field: Int, _ node: inout Node, _ reader: inout GoJSONReader)
        throws(FormatError)
    {
        switch field {
        case 8: node.user = try Self.shared(&lastUser, &reader)
        case 9: node.group = try Self.shared(&lastGroup, &reader)
        case 10: node.inode = try reader.unsigned()
        case 11: node.deviceID = try reader.unsigned()
        case 12: node.size = try reader.unsigned()
        default: node.links = try reader.unsigned()
        }
    }

    private func readRest(
        _ field: Int,
        _ node: inout Node,
        _ rawTarget: inout ByteString?,
        _ reader: inout GoJSONReader
    ) throws(FormatError) {
        switch field {
        case 14: node.linkTarget = try reader.text(limit: FormatLimits.nodeTextBytesMax)
        case 15: rawTarget = ByteString(try reader.base64())
        case 16: node.extendedAttributes = try Self.extendedAttributes(&reader)
        case 17: node.genericAttributes = try Self.genericAttributes(&reader)
        case 18: node.device = try reader.unsigned()
        case 19: node.content = try Self.content(&reader)
        case 20: node.subtree = BlobID(try reader.digest())
        default: node.error = try reader.text(limit: FormatLimits.nodeTextBytesMax)
        }
    }

    /// What `null` does in Go: empties lists and references, leaves plain values.
    private func clear(_ field: Int, _ node: inout Node, _ rawTarget: inout ByteString?) {
        switch field {
        case 15: rawTarget = nil
        case 16: node.extendedAttributes = []
        case 17: node.genericAttributes = []
        case 19: node.content = nil
        case 20: node.subtree = nil
        default: break
        }
    }

    /// JSON first, then Go's quoting; plain ASCII is both.
    private static func name(_ reader: inout GoJSONReader) throws(FormatError) -> ByteString {
        let text = try reader.string()
        guard text.count <= FormatLimits.nodeTextBytesMax else { throw reader.failure(.tooLarge) }
        let resolved = reader.resolved(text)
        if !text.hasEscapes { return ByteString(resolved) }
        guard let name = GoQuote.unquote(resolved) else { throw reader.failure(.badQuoting) }
        return name
    }

    private static func type(_ reader: inout GoJSONReader) throws(FormatError) -> NodeType {
        let text = try reader.string()
        let slice = reader.slice(text)
        if slice.elementsEqual("file".utf8) { return .file }
        if slice.elementsEqual("dir".utf8) { return .directory }
        if slice.elementsEqual("symlink".utf8) { return .symlink }
        if slice.elementsEqual("dev".utf8) { return .device }
        if slice.elementsEqual("chardev".utf8) { return .characterDevice }
        if slice.elementsEqual("fifo".utf8) { return .fifo }
        if slice.elementsEqual("socket".utf8) { return .socket }
        if slice.elementsEqual("irregular".utf8) { return .irregular }
        guard text.count <= FormatLimits.nodeTextBytesMax else { throw reader.failure(.tooLarge) }
        return .other(ByteString(reader.resolved(text)))
    }

    /// The text, sharing the storage of the last one when it is the same.
    private static func shared(_ last: inout ByteString, _ reader: inout GoJSONReader) throws(FormatError) -> ByteString
    {
        let text = try reader.string()
        guard text.count <= FormatLimits.nodeTextBytesMax else { throw reader.failure(.tooLarge) }
        if !text.hasEscapes, !text.hasHighBytes, text.count == last.count, reader.slice(text).elementsEqual(last.bytes)
        {
            return last
        }
        last = ByteString(reader.resolved(text))
        return last
    }

    private static func content(_ reader: inout GoJSONReader) throws(FormatError) -> [BlobID] {
        var ids: [BlobID] = []
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(&isFirst) { ids.append(BlobID(try reader.digest())) }
        return ids
    }

    private static func extendedAttributes(_ reader: inout GoJSONReader) throws(FormatError) -> [ExtendedAttribute] {
        var attributes: [ExtendedAttribute] = []
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(&isFirst) {
            guard attributes.count < FormatLimits.attributesPerNodeMax else { throw reader.failure(.tooLarge) }
            var attribute = ExtendedAttribute(name: ByteString(), value: [], isNull: true)
            if try !reader.skipNull() {
                var fields = try ObjectFields(["name", "value"], refusesDuplicates: false, reader: &reader)
                while let field = try fields.next(&reader) {
                    if try reader.skipNull() {
                        if field == 1 { (attribute.value, attribute.isNull) = ([], true) }
                    } else if field == 0 {
                        attribute.name = try reader.text(limit: FormatLimits.nodeTextBytesMax)
                    } else {
                        (attribute.value, attribute.isNull) = (try reader.base64(), false)
                    }
                }
            }
            attributes.append(attribute)
        }
        return attributes
    }

    private static func genericAttributes(_ reader: inout GoJSONReader) throws(FormatError) -> [GenericAttribute] {
        var attributes: [GenericAttribute] = []
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(&isFirst) {
            guard attributes.count < FormatLimits.attributesPerNodeMax else { throw reader.failure(.tooLarge) }
            _ = try reader.peek()
            let start = reader.position
            try reader.skipValue()
            let json = GoJSON.compact(UnsafeRawBufferPointer(rebasing: reader.bytes[start..<reader.position]))
            attributes.append(GenericAttribute(name: ByteString(reader.resolved(key)), json: json))
        }
        return lastOfEachName(attributes)
    }

    /// Sorted by name; of equal names the last, as a Go map keeps it.
    ///
    /// The sort is stable.
    private static func lastOfEachName(_ attributes: [GenericAttribute]) -> [GenericAttribute] {
        var kept: [GenericAttribute] = []
        for attribute in attributes.sorted(by: { $0.name < $1.name }) {
            if kept.last?.name == attribute.name { kept.removeLast() }
            kept.append(attribute)
        }
        return kept
    }
}

/// A time and where it stands in the document, for the next field that likely says the same.
private struct SpeltTime {
    private var time = RFC3339.zeroTime
    private var place = 0..<0

    mutating func read(_ reader: inout GoJSONReader) throws(FormatError) -> ZonedTime {
        _ = try reader.peek()
        let start = reader.position
        time = try reader.time()
        place = start..<reader.position
        return time
    }

    /// The same time when the next bytes are the same, quotes included.
    func readAgain(_ reader: inout GoJSONReader) throws(FormatError) -> ZonedTime {
        guard reader.bytes.count &- reader.position >= place.count, !place.isEmpty, place.upperBound <= reader.position,
            isSame(reader.bytes, place.lowerBound, reader.position, count: place.count)
        else { return try reader.time() }
        reader.advance(by: place.count)
        return time
    }

    private func isSame(_ bytes: UnsafeRawBufferPointer, _ first: Int, _ second: Int, count: Int) -> Bool {
        var offset = 0
        while offset &+ 8 <= count {
            let words = (
                bytes.loadUnaligned(fromByteOffset: first &+ offset, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: second &+ offset, as: UInt64.self)
            )
            if words.0 != words.1 { return false }
            offset &+= 8
        }
        while offset < count {
            if bytes[first &+ offset] != bytes[second &+ offset] { return false }
            offset &+= 1
        }
        return true
    }
}

extension GoJSON {
    /// Valid JSON without white space between tokens, and with `<`, `>`, `&`, U+2028 and U+2029 escaped, as Go embeds raw JSON.
    static func compact(_ json: UnsafeRawBufferPointer) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(json.count)
        var isInString = false
        var index = 0
        while index < json.count {
            let byte = json[index]
            if byte == UInt8(ascii: "\\"), index &+ 1 < json.count {
                output.append(byte)
                output.append(json[index &+ 1])
                index &+= 2
                continue
            }
            if byte == UInt8(ascii: "\"") { isInString.toggle() }
            let (scalar, width) = decodeScalar(json, at: index)
            if byte == 0x3c || byte == 0x3e || byte == 0x26 || scalar == 0x2028 || scalar == 0x2029 {
                output.append(contentsOf: "\\u".utf8)
                appendHexDigits(scalar, count: 4, to: &output)
            } else if isInString || byte > 0x20 {
                for position in index..<(index &+ width) { output.append(json[position]) }
            }
            index &+= width
        }
        return output
    }
}
