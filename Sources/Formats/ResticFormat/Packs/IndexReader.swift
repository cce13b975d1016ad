package import Bytes

/// Reads an index document in one pass over its bytes, without allocating for a blob.
///
/// ```
/// {"packs":[{"id":"…","blobs":[{"id":"…","type":"data","offset":0,"length":38,"uncompressed_length":1},…]},…]}
/// ```
/// Tolerated: unknown keys, `supersedes`, any order of keys, white space. Refused, beyond broken JSON: a field given twice in a pack or
/// a blob or a second `packs`, absent or null IDs, unknown types, a blob shorter than its seal, offsets beyond 32 bits.
/// Callers must drop what was reported when it fails: entries are handed out as they are read.
package enum IndexReader {
    /// Reports each pack, then its blobs.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer,
        onPack: (PackID) -> Void,
        onBlob: (IndexEntry) -> Void
    ) throws(FormatError) {
        guard bytes.count <= FormatLimits.indexBytesMax else { throw FormatError(.tooLarge) }
        var reader = GoJSONReader(bytes)
        var fields = try ObjectFields(["packs"], refusesDuplicates: true, reader: &reader)
        while try fields.next(&reader) != nil {
            if try reader.skipNull() { continue }
            try reader.beginArray()
            var isFirst = true
            while try reader.nextElement(&isFirst) { try readPack(&reader, onPack, onBlob) }
        }
        try fields.require(0, in: reader)
        try reader.finish()
    }

    /// `parse` over an array.
    package static func parse(
        _ bytes: [UInt8],
        onPack: (PackID) -> Void,
        onBlob: (IndexEntry) -> Void
    ) throws(FormatError) {
        try lend(bytes) { buffer throws(FormatError) in try parse(buffer, onPack: onPack, onBlob: onBlob) }
    }

    private static let packNames: [StaticString] = ["id", "blobs"]
    private static let blobNames: [StaticString] = ["id", "type", "offset", "length", "uncompressed_length"]

    /// Reads one pack; blobs that stand in front of the pack's ID are read once it is known.
    private static func readPack(
        _ reader: inout GoJSONReader,
        _ onPack: (PackID) -> Void,
        _ onBlob: (IndexEntry) -> Void
    ) throws(FormatError) {
        var fields = try ObjectFields(packNames, refusesDuplicates: true, reader: &reader)
        var isKnown = false
        var early: GoJSONReader?
        while let field = try fields.next(&reader) {
            if field == 0 {
                let id = PackID(try reader.digest())
                guard !id.digest.isZero else { throw reader.failure(.badDigest) }
                isKnown = true
                onPack(id)
            } else if isKnown {
                try readBlobs(&reader, onBlob)
            } else {
                early = reader
                try reader.skipValue()
            }
        }
        try fields.require(0, in: reader)
        if var early { try readBlobs(&early, onBlob) }
    }

    private static func readBlobs(_ reader: inout GoJSONReader, _ onBlob: (IndexEntry) -> Void) throws(FormatError) {
        if try reader.skipNull() { return }
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(&isFirst) {
            if let entry = try usualBlob(&reader) { onBlob(entry) } else { onBlob(try readBlob(&reader)) }
        }
    }

    /// The blob at hand when it is spelt exactly as restic spells it; otherwise nil, with nothing consumed.
    @inline(__always)
    private static func usualBlob(_ reader: inout GoJSONReader) throws(FormatError) -> IndexEntry? {
        let bytes = reader.bytes
        let start = reader.position
        // {"id":" + 64 + ","type":"data","offset": + at least one digit; bounds all fixed reads below.
        guard bytes.count &- start >= 102,
            isEqual(bytes, at: start, "{\"id\":\""),
            let digest = hexDigest(bytes, at: start &+ 7),
            isEqual(bytes, at: start &+ 71, "\",\"type\":\""),
            let type = blobType(bytes, at: start &+ 81),
            isEqual(bytes, at: start &+ 85, "\",\"offset\":")
        else { return nil }
        var index = start &+ 96
        guard let offset = number(bytes, at: &index),
            isEqual(bytes, at: index, ",\"length\":")
        else { return nil }
        index &+= 10
        guard let length = number(bytes, at: &index), index < bytes.count else { return nil }
        var uncompressed: UInt32 = 0
        if bytes[index] == UInt8(ascii: ",") {
            guard isEqual(bytes, at: index, ",\"uncompressed_length\":") else { return nil }
            index &+= 23
            guard let value = number(bytes, at: &index), index < bytes.count else { return nil }
            uncompressed = value
        }
        guard bytes[index] == UInt8(ascii: "}") else { return nil }
        reader.rewind(to: index &+ 1)
        return try checked(
            IndexEntry(
                id: BlobID(digest),
                type: type,
                offset: offset,
                length: length,
                uncompressedLength: uncompressed
            ),
            reader
        )
    }

    private static func readBlob(_ reader: inout GoJSONReader) throws(FormatError) -> IndexEntry {
        var fields = try ObjectFields(blobNames, refusesDuplicates: true, reader: &reader)
        var entry = IndexEntry(id: BlobID(.zero), type: .data, offset: 0, length: 0, uncompressedLength: 0)
        while let field = try fields.next(&reader) {
            if field >= 2, try reader.skipNull() { continue }
            switch field {
            case 0: entry.id = BlobID(try reader.digest())
            case 1:
                let name = reader.slice(try reader.string())
                guard name.count == 4, let type = blobType(name, at: 0) else { throw reader.failure(.unknownValue) }
                entry.type = type
            case 2: entry.offset = try reader.unsigned32()
            case 3: entry.length = try reader.unsigned32()
            default: entry.uncompressedLength = try reader.unsigned32()
            }
        }
        try fields.require(0, in: reader)
        try fields.require(1, in: reader)
        return try checked(entry, reader)
    }

    @inline(__always)
    private static func checked(_ entry: IndexEntry, _ reader: GoJSONReader) throws(FormatError) -> IndexEntry {
        guard entry.length >= UInt32(FormatLimits.sealOverhead),
            !entry.offset.addingReportingOverflow(entry.length).overflow
        else {
            throw FormatError(.outOfRange, field: "length", offset: reader.position)
        }
        guard !entry.id.digest.isZero else { throw FormatError(.badDigest, field: "id", offset: reader.position) }
        return entry
    }

    @inline(__always)
    private static func isEqual(_ bytes: UnsafeRawBufferPointer, at index: Int, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count &- index >= count else { return false }
        let start = text.utf8Start
        for offset in 0..<count where bytes[index &+ offset] != start[offset] { return false }
        return true
    }

    @inline(__always)
    private static func blobType(_ bytes: UnsafeRawBufferPointer, at index: Int) -> BlobType? {
        switch UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)) {
        case 0x6461_7461: .data
        case 0x7472_6565: .tree
        default: nil
        }
    }

    /// Up to nine digits without a leading zero; nil sends the rest to the general reader.
    @inline(__always)
    private static func number(_ bytes: UnsafeRawBufferPointer, at index: inout Int) -> UInt32? {
        let start = index
        var value: UInt32 = 0
        while index < bytes.count, index &- start < 9 {
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { break }
            value = value &* 10 &+ UInt32(digit)
            index &+= 1
        }
        guard index > start, bytes[start] != 0x30 || index &- start == 1 else { return nil }
        return value
    }
}
