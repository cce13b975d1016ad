package import Bytes

/// Writes one index file.
package struct IndexWriter {
    private var output: [UInt8] = Array("{\"packs\":[".utf8)
    private var packs = 0
    private var blobs = 0

    package init() {}

    /// Begins the entry of a pack; `endPack` ends it.
    package mutating func beginPack(_ id: PackID) {
        if packs > 0 { output.append(UInt8(ascii: ",")) }
        packs += 1
        blobs = 0
        output.append(contentsOf: Array("{\"id\":".utf8))
        JSONWriter.digest(id.digest, to: &output)
        output.append(contentsOf: Array(",\"blobs\":[".utf8))
    }

    /// Adds a blob to the pack that was begun; lengths in bytes, 0 uncompressed for raw ones.
    package mutating func addBlob(
        _ id: BlobID,
        type: BlobType,
        offset: UInt32,
        length: UInt32,
        uncompressedLength: UInt32
    ) {
        output.append(contentsOf: Array((blobs > 0 ? ",{\"id\":" : "{\"id\":").utf8))
        blobs += 1
        JSONWriter.digest(id.digest, to: &output)
        output.append(
            contentsOf: Array(
                (type == .tree ? ",\"type\":\"tree\",\"offset\":" : ",\"type\":\"data\",\"offset\":").utf8
            )
        )
        JSONWriter.number(UInt64(offset), to: &output)
        output.append(contentsOf: Array(",\"length\":".utf8))
        JSONWriter.number(UInt64(length), to: &output)
        if uncompressedLength != 0 {
            output.append(contentsOf: Array(",\"uncompressed_length\":".utf8))
            JSONWriter.number(UInt64(uncompressedLength), to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Ends the pack that was begun.
    package mutating func endPack() { output.append(contentsOf: Array("]}".utf8)) }

    /// The document, complete.
    package mutating func finish() -> [UInt8] {
        output.append(contentsOf: Array("]}\n".utf8))
        return output
    }
}

/// Reads one index file without building it in memory.
package enum IndexReader {
    /// Calls `onPack` for each pack and then `onBlob` for each of its blobs.
    package static func parse(
        _ bytes: [UInt8],
        onPack: (PackID) -> Void,
        onBlob: (BlobID, BlobType, UInt32, UInt32, UInt32) -> Void
    ) throws(FormatError) {
        var packsSeen = false
        try decode(bytes) { (reader) throws(FormatError) in
            try reader.object { (reader, key) throws(FormatError) in
                guard matches(key, "packs") else { return try reader.skip() }
                guard !packsSeen else { throw .field("an index has two lists of packs") }
                packsSeen = true
                if try reader.takeNull() { return }
                try reader.array { (reader) throws(FormatError) in try pack(&reader, onPack, onBlob) }
            }
        }
    }

    private static func pack(
        _ reader: inout JSONReader,
        _ onPack: (PackID) -> Void,
        _ onBlob: (BlobID, BlobType, UInt32, UInt32, UInt32) -> Void
    ) throws(FormatError) {
        var id: Digest?
        // Blobs listed before the pack's name are kept until it is known.
        var early: [(BlobID, BlobType, UInt32, UInt32, UInt32)] = []
        var blobsSeen = false
        try reader.object { (reader, key) throws(FormatError) in
            if matches(key, "id") {
                guard id == nil else { throw .field("a pack of an index has two names") }
                let name = try digest(&reader)
                id = name
                onPack(PackID(name))
                for blob in early { onBlob(blob.0, blob.1, blob.2, blob.3, blob.4) }
            } else if matches(key, "blobs") {
                guard !blobsSeen else { throw .field("a pack of an index has two lists of blobs") }
                blobsSeen = true
                if try reader.takeNull() { return }
                let isNamed = id != nil
                try reader.array { (reader) throws(FormatError) in
                    let found = try blob(&reader)
                    if isNamed { onBlob(found.0, found.1, found.2, found.3, found.4) } else { early.append(found) }
                }
            } else {
                try reader.skip()
            }
        }
        guard id != nil else { throw .field("a pack of an index has no name") }
    }

    private static func blob(
        _ reader: inout JSONReader
    ) throws(FormatError) -> (BlobID, BlobType, UInt32, UInt32, UInt32) {
        var id: Digest?
        var type: BlobType?
        var offset: UInt32 = 0
        var length: UInt32 = 0
        var uncompressedLength: UInt32 = 0
        try reader.object { (reader, key) throws(FormatError) in
            if matches(key, "id") {
                id = try digest(&reader)
            } else if matches(key, "type") {
                let (raw, _) = try reader.rawString()
                if raw.elementsEqual("data".utf8) {
                    type = .data
                } else if raw.elementsEqual("tree".utf8) {
                    type = .tree
                } else {
                    throw .field("a blob of an index is of no known type")
                }
            } else if matches(key, "offset") {
                offset = try reader.uint32()
            } else if matches(key, "length") {
                length = try reader.uint32()
            } else if matches(key, "uncompressed_length") {
                uncompressedLength = try reader.uint32()
            } else {
                try reader.skip()
            }
        }
        guard let id, let type else { throw .field("a blob of an index has no name or no type") }
        return (BlobID(id), type, offset, length, uncompressedLength)
    }
}
