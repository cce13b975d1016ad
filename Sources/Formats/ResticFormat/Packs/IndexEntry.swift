package import Bytes

/// One blob of a pack as an index lists it.
package struct IndexEntry: Sendable, Hashable {
    /// SHA-256 of the plaintext.
    package var id: BlobID
    package var type: BlobType
    /// First byte in the pack.
    package var offset: UInt32
    /// Bytes in the pack, sealed; at least 32.
    package var length: UInt32
    /// Bytes before compression; 0 when it is not compressed.
    package var uncompressedLength: UInt32

    /// Takes the values as they are.
    @inlinable
    package init(id: BlobID, type: BlobType, offset: UInt32, length: UInt32, uncompressedLength: UInt32) {
        self.id = id
        self.type = type
        self.offset = offset
        self.length = length
        self.uncompressedLength = uncompressedLength
    }
}

/// Writes one index document: packs as they come, then `finish`.
package struct IndexWriter: Sendable {
    private var bytes: [UInt8]
    /// Blobs written so far; restic closes an index at 50,000.
    package private(set) var blobCount = 0
    /// Packs written so far.
    package private(set) var packCount = 0

    /// Starts a document, with room for `capacity` bytes (a blob takes about 165).
    package init(capacity: Int = 1 << 16) {
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes.append(contentsOf: "{\"packs\":[".utf8)
    }

    /// Adds a pack with all of its blobs; a pack must stand in one index only.
    package mutating func append(pack: PackID, blobs: some Sequence<IndexEntry>) {
        if packCount > 0 { bytes.append(UInt8(ascii: ",")) }
        packCount += 1
        text("{\"id\":\"")
        pack.digest.appendHex(to: &bytes)
        text("\",\"blobs\":[")
        var isFirst = true
        for blob in blobs {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(blob)
        }
        text("]}")
    }

    /// The document; the writer must not be used after it.
    package mutating func finish() -> [UInt8] {
        text("]}\n")
        return bytes
    }

    private mutating func append(_ blob: IndexEntry) {
        blobCount += 1
        text("{\"id\":\"")
        blob.id.digest.appendHex(to: &bytes)
        text("\",\"type\":\"")
        text(blob.type.name)
        text("\",\"offset\":")
        GoNumber.append(UInt64(blob.offset), to: &bytes)
        text(",\"length\":")
        GoNumber.append(UInt64(blob.length), to: &bytes)
        if blob.uncompressedLength != 0 {
            text(",\"uncompressed_length\":")
            GoNumber.append(UInt64(blob.uncompressedLength), to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func text(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
