package import Bytes

/// A file of `snapshots/`: the root tree of one backup, and where, when, by whom and how it was made.
package struct SnapshotDocument: Sendable, Hashable {
    /// Start of the backup, or the time that was given for it; decides order.
    package var time: ZonedTime
    package var parent: SnapshotID?
    /// The root tree; nil is written as `null` and names nothing.
    package var tree: BlobID?
    /// Absolute source paths as given.
    ///
    /// Bytes that are not UTF-8 do not survive storing.
    package var paths: [ByteString]
    package var hostname: ByteString
    package var username: ByteString
    package var uid: UInt32
    package var gid: UInt32
    package var excludes: [ByteString]
    package var tags: [ByteString]
    /// The first snapshot that this one descends from by rewriting, tagging or copying.
    package var original: SnapshotID?
    /// Such as `restic 0.19.1`.
    package var programVersion: ByteString
    package var summary: SnapshotSummary?

    /// Everything that is not given is empty.
    package init(time: ZonedTime, tree: BlobID?, paths: [ByteString]) {
        self.time = time
        parent = nil
        self.tree = tree
        self.paths = paths
        hostname = ""
        username = ""
        uid = 0
        gid = 0
        excludes = []
        tags = []
        original = nil
        programVersion = ""
        summary = nil
    }

    /// Reads the plaintext as Go does: absent fields are empty, of a field given twice the last counts, unknown ones are dropped.
    package init(decoding bytes: [UInt8]) throws(FormatError) {
        self = try decodeDocument(bytes, limit: FormatLimits.snapshotBytesMax) { reader throws(FormatError) in
            var snapshot = SnapshotDocument(time: RFC3339.zeroTime, tree: nil, paths: [])
            var fields = try ObjectFields(Self.names, refusesDuplicates: false, reader: &reader)
            while let field = try fields.next(&reader) {
                if try reader.skipNull() { snapshot.clear(field) } else { try snapshot.read(field, &reader) }
            }
            return snapshot
        }
    }

    private mutating func read(_ field: Int, _ reader: inout GoJSONReader) throws(FormatError) {
        switch field {
        case 0: time = try reader.time()
        case 1: parent = SnapshotID(try reader.digest())
        case 2: tree = BlobID(try reader.digest())
        case 3: paths = try reader.texts()
        case 4: hostname = try reader.text()
        case 5: username = try reader.text()
        case 6: uid = try reader.unsigned32()
        case 7: gid = try reader.unsigned32()
        case 8: excludes = try reader.texts()
        case 9: tags = try reader.texts()
        case 10: original = SnapshotID(try reader.digest())
        case 11: programVersion = try reader.text()
        default: summary = try SnapshotSummary(&reader)
        }
    }

    /// What `null` does in Go: empties lists and references, leaves plain values.
    private mutating func clear(_ field: Int) {
        switch field {
        case 1: parent = nil
        case 2: tree = nil
        case 3: paths = []
        case 8: excludes = []
        case 9: tags = []
        case 10: original = nil
        case 12: summary = nil
        default: break
        }
    }

    /// The plaintext as restic writes it, without a line end.
    package func encode() -> [UInt8] {
        var writer = GoJSONWriter(capacity: 1024)
        append(to: &writer)
        return writer.bytes
    }

    /// Writes the object, so that it can also stand within another document (`snapshots --json`).
    package func append(to writer: inout GoJSONWriter) {
        writer.beginObject()
        appendFields(to: &writer)
        writer.endObject()
    }

    /// Writes the fields alone, for objects that add their own behind them.
    package func appendFields(to writer: inout GoJSONWriter) {
        writer.key("time")
        writer.time(time)
        if let parent {
            writer.key("parent")
            writer.digest(parent.digest)
        }
        writer.key("tree")
        if let tree { writer.digest(tree.digest) } else { writer.null() }
        writer.key("paths")
        writer.strings(paths)
        optional("hostname", hostname, &writer)
        optional("username", username, &writer)
        optional("uid", uid, &writer)
        optional("gid", gid, &writer)
        optional("excludes", excludes, &writer)
        optional("tags", tags, &writer)
        if let original {
            writer.key("original")
            writer.digest(original.digest)
        }
        optional("program_version", programVersion, &writer)
        if let summary {
            writer.key("summary")
            summary.append(to: &writer)
        }
    }

    private func optional(_ name: StaticString, _ text: ByteString, _ writer: inout GoJSONWriter) {
        guard !text.isEmpty else { return }
        writer.key(name)
        writer.string(text)
    }

    private func optional(_ name: StaticString, _ number: UInt32, _ writer: inout GoJSONWriter) {
        guard number != 0 else { return }
        writer.key(name)
        writer.integer(number)
    }

    private func optional(_ name: StaticString, _ texts: [ByteString], _ writer: inout GoJSONWriter) {
        guard !texts.isEmpty else { return }
        writer.key(name)
        writer.strings(texts)
    }

    private static let names: [StaticString] = [
        "time", "parent", "tree", "paths", "hostname", "username", "uid", "gid", "excludes", "tags", "original",
        "program_version", "summary",
    ]
}
