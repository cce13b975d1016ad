package import Bytes
package import ResticFormat

/// Where one copy of a blob lies, as an index tells it.
package struct BlobLocation: Sendable, Hashable {
    package var id: BlobID
    package var type: BlobType
    package var pack: PackID
    /// Bytes from the start of the pack.
    package var offset: UInt32
    /// Sealed length in the pack, the 32 bytes of overhead included.
    package var length: UInt32
    /// Length after decompression, or 0 when the blob is stored raw.
    package var uncompressedLength: UInt32

    package init(
        id: BlobID,
        type: BlobType,
        pack: PackID,
        offset: UInt32,
        length: UInt32,
        uncompressedLength: UInt32
    ) {
        self.id = id
        self.type = type
        self.pack = pack
        self.offset = offset
        self.length = length
        self.uncompressedLength = uncompressedLength
    }

    package var isCompressed: Bool { uncompressedLength != 0 }

    /// Bytes of the plaintext.
    package var plainLength: Int {
        isCompressed ? Int(uncompressedLength) : max(0, Int(length) - FormatLimits.sealOverhead)
    }

    /// First byte after the blob in its pack.
    package var end: UInt64 { UInt64(offset) + UInt64(length) }
}

extension BlobLocation {
    init(_ blob: PackedBlob, _ pack: PackID) {
        self.init(
            id: blob.id,
            type: blob.type,
            pack: pack,
            offset: blob.offset,
            length: blob.length,
            uncompressedLength: blob.uncompressedLength
        )
    }

    /// Without the pack's name.
    var packed: PackedBlob {
        PackedBlob(id: id, type: type, offset: offset, length: length, uncompressedLength: uncompressedLength)
    }
}

/// One blob of a pack, before it is known under which name the pack is stored: what an index file says of it.
package typealias PackedBlob = IndexEntry
