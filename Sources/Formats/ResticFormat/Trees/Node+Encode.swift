import Bytes

extension Node {
    /// Appends the JSON object as restic 0.19.1 writes it, byte for byte: field order, omissions, quoting (spec section 6).
    package func append(to output: inout [UInt8]) {
        var writer = GoJSONWriter(taking: &output)
        append(to: &writer)
        writer.finish(into: &output)
    }

    /// The JSON object alone.
    package func encode() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(448 + (content?.count ?? 0) * 67)
        append(to: &output)
        return output
    }

    /// Writes the object, so that it can also stand within another document.
    package func append(to writer: inout GoJSONWriter) {
        writer.beginObject()
        appendIdentity(to: &writer)
        appendLink(to: &writer)
        appendAttributes(to: &writer)
        number("device", device, &writer)
        appendContent(to: &writer)
        text("error", error, &writer)
        writer.endObject()
    }

    private func appendIdentity(to writer: inout GoJSONWriter) {
        writer.key("name")
        writer.quotedName(name)
        writer.key("type")
        writer.string(type.name)
        number("mode", UInt64(mode), &writer)
        writer.key("mtime")
        writer.time(mtime)
        writer.key("atime")
        writer.time(atime)
        writer.key("ctime")
        writer.time(ctime)
        writer.key("uid")
        writer.integer(uid)
        writer.key("gid")
        writer.integer(gid)
        text("user", user, &writer)
        text("group", group, &writer)
        number("inode", inode, &writer)
        number("device_id", deviceID, &writer)
        number("size", size, &writer)
        number("links", links, &writer)
    }

    /// The target as text, and once more raw where text cannot hold it.
    private func appendLink(to writer: inout GoJSONWriter) {
        guard !linkTarget.isEmpty else { return }
        text("linktarget", linkTarget, &writer)
        guard !lend(linkTarget.bytes, isValidUTF8) else { return }
        writer.key("linktarget_raw")
        writer.base64(linkTarget.bytes)
    }

    private func appendAttributes(to writer: inout GoJSONWriter) {
        if !extendedAttributes.isEmpty {
            writer.key("extended_attributes")
            writer.beginArray()
            for attribute in extendedAttributes {
                writer.beginObject()
                writer.key("name")
                writer.string(attribute.name)
                writer.key("value")
                if attribute.isNull { writer.null() } else { writer.base64(attribute.value) }
                writer.endObject()
            }
            writer.endArray()
        }
        guard !genericAttributes.isEmpty else { return }
        writer.key("generic_attributes")
        writer.beginObject()
        for attribute in genericAttributes.sorted(by: { $0.name < $1.name }) {
            writer.key(name: attribute.name)
            writer.raw(attribute.json)
        }
        writer.endObject()
    }

    private func appendContent(to writer: inout GoJSONWriter) {
        writer.key("content")
        if let content {
            writer.beginArray()
            for id in content { writer.digest(id.digest) }
            writer.endArray()
        } else {
            writer.null()
        }
        guard let subtree else { return }
        writer.key("subtree")
        writer.digest(subtree.digest)
    }

    private func number(_ name: StaticString, _ value: UInt64, _ writer: inout GoJSONWriter) {
        guard value != 0 else { return }
        writer.key(name)
        writer.integer(value)
    }

    private func text(_ name: StaticString, _ value: ByteString, _ writer: inout GoJSONWriter) {
        guard !value.isEmpty else { return }
        writer.key(name)
        writer.string(value)
    }
}

extension GoJSONWriter {
    /// Writes a file name: quoted as Go quotes, then as JSON.
    ///
    /// Names of plain ASCII need neither.
    mutating func quotedName(_ name: ByteString) {
        let isPlain = name.bytes.allSatisfy { GoJSON.isPlain($0) && $0 != 0x7f }
        string(isPlain ? name : ByteString(GoQuote.quote(name)))
    }
}
