package import Bytes

/// What a node stands for.
package enum NodeType: UInt8, Sendable, Hashable {
    case file, dir, symlink, dev, chardev, fifo, socket, irregular

    package var name: StaticString {
        switch self {
        case .file: "file"
        case .dir: "dir"
        case .symlink: "symlink"
        case .dev: "dev"
        case .chardev: "chardev"
        case .fifo: "fifo"
        case .socket: "socket"
        case .irregular: "irregular"
        }
    }

    static let all: [NodeType] = [.file, .dir, .symlink, .dev, .chardev, .fifo, .socket, .irregular]
}

/// One extended attribute of a node.
package struct ExtendedAttribute: Sendable, Hashable {
    package var name: ByteString
    package var value: [UInt8]

    package init(name: ByteString, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// One entry of a directory, in restic's words (spec 6.2).
package struct Node: Sendable, Hashable {
    package var name: ByteString
    package var type: NodeType
    /// Go's file mode bits.
    package var mode: UInt32 = 0
    package var mtime = ZonedTime(Timestamp(seconds: 0))
    package var atime = ZonedTime(Timestamp(seconds: 0))
    package var ctime = ZonedTime(Timestamp(seconds: 0))
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var user: ByteString = ""
    package var group: ByteString = ""
    package var inode: UInt64 = 0
    package var deviceID: UInt64 = 0
    package var size: UInt64 = 0
    package var links: UInt64 = 0
    package var linkTarget: ByteString = ""
    package var xattrs: [ExtendedAttribute] = []
    /// The raw JSON object, or empty.
    package var genericAttributes: [UInt8] = []
    package var device: UInt64 = 0
    package var content: [BlobID]?
    package var subtree: BlobID?
    package var error: ByteString = ""

    package init(name: ByteString, type: NodeType) {
        self.name = name
        self.type = type
    }

    /// Appends the JSON object exactly as restic writes it.
    package func append(to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        JSONWriter.key("name", to: &output)
        JSONWriter.string(GoQuote.quote(name.bytes), to: &output)
        comma("type", &output)
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: UnsafeBufferPointer(start: type.name.utf8Start, count: type.name.utf8CodeUnitCount))
        output.append(UInt8(ascii: "\""))
        number("mode", UInt64(mode), &output)
        comma("mtime", &output)
        let start = output.count
        JSONWriter.time(mtime, to: &output)
        let end = output.count
        comma("atime", &output)
        if atime == mtime {
            output.append(contentsOf: output[start..<end])
        } else {
            JSONWriter.time(atime, to: &output)
        }
        comma("ctime", &output)
        JSONWriter.time(ctime, to: &output)
        comma("uid", &output)
        JSONWriter.number(UInt64(uid), to: &output)
        comma("gid", &output)
        JSONWriter.number(UInt64(gid), to: &output)
        text("user", user, &output)
        text("group", group, &output)
        number("inode", inode, &output)
        number("device_id", deviceID, &output)
        number("size", size, &output)
        number("links", links, &output)
        text("linktarget", linkTarget, &output)
        if !isValidUTF8(linkTarget.bytes) {
            comma("linktarget_raw", &output)
            JSONWriter.base64(linkTarget.bytes, to: &output)
        }
        if !xattrs.isEmpty { appendAttributes(&output) }
        if !genericAttributes.isEmpty {
            comma("generic_attributes", &output)
            output.append(contentsOf: genericAttributes)
        }
        number("device", device, &output)
        comma("content", &output)
        if let content { appendContent(content, &output) } else { output.append(contentsOf: Array("null".utf8)) }
        if let subtree {
            comma("subtree", &output)
            JSONWriter.digest(subtree.digest, to: &output)
        }
        text("error", error, &output)
        output.append(UInt8(ascii: "}"))
    }

    private func appendAttributes(_ output: inout [UInt8]) {
        comma("extended_attributes", &output)
        var separator = UInt8(ascii: "[")
        for attribute in xattrs {
            output.append(separator)
            separator = UInt8(ascii: ",")
            output.append(UInt8(ascii: "{"))
            JSONWriter.key("name", to: &output)
            JSONWriter.string(attribute.name.bytes, to: &output)
            comma("value", &output)
            JSONWriter.base64(attribute.value, to: &output)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: "]"))
    }

    private func appendContent(_ content: [BlobID], _ output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        var isFirst = true
        for id in content {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONWriter.digest(id.digest, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    @inline(__always)
    private func comma(_ name: StaticString, _ output: inout [UInt8]) {
        output.append(UInt8(ascii: ","))
        JSONWriter.key(name, to: &output)
    }

    private func number(_ name: StaticString, _ value: UInt64, _ output: inout [UInt8]) {
        guard value != 0 else { return }
        comma(name, &output)
        JSONWriter.number(value, to: &output)
    }

    private func text(_ name: StaticString, _ value: ByteString, _ output: inout [UInt8]) {
        guard !value.bytes.isEmpty else { return }
        comma(name, &output)
        JSONWriter.string(value.bytes, to: &output)
    }
}

func isValidUTF8(_ bytes: [UInt8]) -> Bool {
    var index = 0
    while index < bytes.count {
        if bytes[index] < 0x80 {
            index += 1
            continue
        }
        let length = utf8Length(bytes, at: index)
        if length == 0 { return false }
        index += length
    }
    return true
}
