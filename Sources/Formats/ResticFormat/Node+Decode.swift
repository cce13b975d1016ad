import Bytes

extension Node {
    /// Reads one JSON object; unknown keys are passed over.
    init(reading reader: inout JSONReader) throws(FormatError) {
        var node = Node(name: "", type: .irregular)
        var typeSeen = false
        var rawTarget: [UInt8]?
        try reader.object { (reader, key) throws(FormatError) in
            if matches(key, "name") {
                guard let name = GoQuote.unquote(try reader.string()) else {
                    throw .field("a node's name is not validly quoted")
                }
                node.name = ByteString(name)
            } else if matches(key, "type") {
                node.type = try Node.type(&reader)
                typeSeen = true
            } else if matches(key, "mode") {
                node.mode = try reader.uint32()
            } else if matches(key, "mtime") {
                node.mtime = try time(&reader)
            } else if matches(key, "atime") {
                node.atime = try time(&reader)
            } else if matches(key, "ctime") {
                node.ctime = try time(&reader)
            } else if matches(key, "uid") {
                node.uid = try reader.uint32()
            } else if matches(key, "gid") {
                node.gid = try reader.uint32()
            } else if matches(key, "user") {
                node.user = ByteString(try reader.string())
            } else if matches(key, "group") {
                node.group = ByteString(try reader.string())
            } else if matches(key, "inode") {
                node.inode = try reader.unsigned()
            } else if matches(key, "device_id") {
                node.deviceID = try reader.unsigned()
            } else if matches(key, "size") {
                node.size = try reader.unsigned()
            } else if matches(key, "links") {
                node.links = try reader.unsigned()
            } else if matches(key, "linktarget") {
                node.linkTarget = ByteString(try reader.string())
            } else if matches(key, "content") {
                node.content = try Node.content(&reader)
            } else if matches(key, "subtree") {
                node.subtree = try optionalDigest(&reader).map { BlobID($0) }
            } else if matches(key, "extended_attributes") {
                node.xattrs = try Node.attributes(&reader)
            } else if matches(key, "linktarget_raw") {
                rawTarget = try base64(&reader)
            } else if matches(key, "device") {
                node.device = try reader.unsigned()
            } else if matches(key, "generic_attributes") {
                reader.skipSpace()
                let start = reader.position
                try reader.skip()
                node.genericAttributes = Array(reader.bytes[start..<reader.position])
                if node.genericAttributes == Array("null".utf8) || node.genericAttributes == Array("{}".utf8) {
                    node.genericAttributes = []
                }
            } else if matches(key, "error") {
                node.error = ByteString(try reader.string())
            } else {
                try reader.skip()
            }
        }
        guard typeSeen else { throw .field("a node has no type") }
        if let rawTarget { node.linkTarget = ByteString(rawTarget) }
        self = node
    }

    private static func type(_ reader: inout JSONReader) throws(FormatError) -> NodeType {
        let (raw, _) = try reader.rawString()
        for type in NodeType.all where raw.count == type.name.utf8CodeUnitCount {
            if raw.elementsEqual(UnsafeBufferPointer(start: type.name.utf8Start, count: raw.count)) { return type }
        }
        throw .field("a node has the unknown type \"\(String(decoding: raw.prefix(32), as: UTF8.self))\"")
    }

    private static func content(_ reader: inout JSONReader) throws(FormatError) -> [BlobID]? {
        if try reader.takeNull() { return nil }
        var content: [BlobID] = []
        try reader.array { (reader) throws(FormatError) in content.append(BlobID(try digest(&reader))) }
        return content
    }

    private static func attributes(_ reader: inout JSONReader) throws(FormatError) -> [ExtendedAttribute] {
        if try reader.takeNull() { return [] }
        var found: [ExtendedAttribute] = []
        try reader.array { (reader) throws(FormatError) in
            var attribute = ExtendedAttribute(name: "", value: [])
            try reader.object { (reader, key) throws(FormatError) in
                if matches(key, "name") {
                    attribute.name = ByteString(try reader.string())
                } else if matches(key, "value") {
                    attribute.value = try base64(&reader) ?? []
                } else {
                    try reader.skip()
                }
            }
            found.append(attribute)
        }
        return found
    }
}

func digest(_ reader: inout JSONReader) throws(FormatError) -> Digest {
    let (raw, _) = try reader.rawString()
    guard let digest = Digest(hex: raw) else { throw .field("an identifier is not 64 hexadecimal digits") }
    return digest
}

func optionalDigest(_ reader: inout JSONReader) throws(FormatError) -> Digest? {
    try reader.takeNull() ? nil : try digest(&reader)
}

func time(_ reader: inout JSONReader) throws(FormatError) -> ZonedTime {
    let (raw, _) = try reader.rawString()
    guard let time = RFC3339.parse(raw) else {
        throw .field("\"\(String(decoding: raw.prefix(40), as: UTF8.self))\" is not a time")
    }
    return time
}

func base64(_ reader: inout JSONReader) throws(FormatError) -> [UInt8]? {
    if try reader.takeNull() { return nil }
    guard let bytes = Base64.decode(try reader.string()) else { throw .field("a value is not valid base64") }
    return bytes
}
