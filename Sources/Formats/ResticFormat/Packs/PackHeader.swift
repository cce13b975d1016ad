package import Bytes

/// One blob of a pack as its header lists it.
package struct PackEntry: Sendable, Hashable {
    package var type: BlobType
    /// Bytes in the pack, sealed; at least 32.
    package var length: UInt32
    /// Bytes before compression; 0 when it is not compressed.
    package var uncompressedLength: UInt32
    /// SHA-256 of the plaintext.
    package var id: BlobID

    /// Takes the values as they are.
    package init(type: BlobType, length: UInt32, uncompressedLength: UInt32, id: BlobID) {
        self.type = type
        self.length = length
        self.uncompressedLength = uncompressedLength
        self.id = id
    }

    /// Whether the blob is a zstd frame.
    package var isCompressed: Bool { uncompressedLength != 0 }

    /// Bytes of this entry in the header: 37, or 41 when compressed.
    package var encodedSize: Int { PackHeader.entrySize(compressed: isCompressed) }
}

/// Why a pack's header is refused.
package enum PackHeaderError: Error, Hashable, CustomStringConvertible {
    /// The file cannot hold one blob and a header.
    case fileTooShort(UInt64)
    /// The length field says less than a seal and one entry take, or more than the file or restic's limit holds.
    case lengthOutOfRange(UInt32)
    /// The plaintext ends within an entry, or is empty.
    case cutShort(offset: Int)
    /// Larger than `FormatLimits.packHeaderBytesMax`.
    case tooLarge(Int)
    case unknownType(UInt8, entry: Int)
    /// A blob shorter than its seal, or marked compressed with an uncompressed length of 0.
    case impossibleLength(entry: Int)
    /// The null ID.
    case nullID(entry: Int)
    /// The lengths do not add up to the bytes in front of the header.
    case sumMismatch(entries: UInt64, file: UInt64)

    package var description: String {
        switch self {
        case .fileTooShort(let size): "a file of \(size) bytes is too short for a pack"
        case .lengthOutOfRange(let length): "a header length of \(length) bytes is impossible"
        case .cutShort(let offset): "the header is cut short at byte \(offset)"
        case .tooLarge(let size): "a header of \(size) bytes is larger than allowed"
        case .unknownType(let type, let entry): "entry \(entry) has the unknown type \(type)"
        case .impossibleLength(let entry): "entry \(entry) has an impossible length"
        case .nullID(let entry): "entry \(entry) has the null ID"
        case .sumMismatch(let entries, let file): "the blobs add up to \(entries) bytes, the file holds \(file)"
        }
    }
}

/// The list of blobs at the end of a pack.
///
/// ```
/// pack:   blob 1 | blob 2 | … | sealed header | header length u32 LE      (length: of the sealed header alone)
/// entry:  type u8 | length u32 LE | [uncompressed length u32 LE] | id 32 bytes
///         0 data, 1 tree: 37 bytes;   2 data, 3 tree, both zstd: 41 bytes
/// ```
/// Blobs are contiguous from offset 0, so offsets are sums.
package struct PackHeader: Sendable, Hashable {
    /// Bytes of the length field at the very end.
    package static let lengthFieldSize = 4
    /// What a header takes besides its entries: its seal and the length field.
    package static let overhead = FormatLimits.sealOverhead + lengthFieldSize
    /// The smallest file that can be a pack: one plain entry with its overhead.
    package static let packSizeMin = 37 + overhead
    /// Entries that always fit, restic's limit for closing a pack.
    package static let entriesMax = (FormatLimits.packHeaderBytesMax + lengthFieldSize - overhead) / 41
    /// Bytes to fetch from the end first; holds the header of up to 15 blobs.
    package static let eagerReadSize = 15 * 41 + overhead

    /// Blobs in the order in which they lie in the pack.
    package var entries: [PackEntry]

    /// A header of these blobs.
    package init(_ entries: [PackEntry] = []) { self.entries = entries }

    /// Bytes of one entry.
    package static func entrySize(compressed: Bool) -> Int { compressed ? 41 : 37 }

    /// Plaintext bytes of the header.
    package var encodedSize: Int { entries.reduce(0) { $0 + $1.encodedSize } }

    /// The plaintext to seal.
    package func encode() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(encodedSize)
        for entry in entries {
            output.append(entry.type.rawValue + (entry.isCompressed ? 2 : 0))
            append(entry.length, to: &output)
            if entry.isCompressed { append(entry.uncompressedLength, to: &output) }
            output.append(contentsOf: entry.id.digest.bytes)
        }
        return output
    }

    /// The last four bytes of a pack whose sealed header has `sealedSize` bytes.
    package static func lengthField(sealedSize: Int) -> [UInt8] {
        precondition(sealedSize > 0 && sealedSize <= FormatLimits.packHeaderBytesMax)
        return withUnsafeBytes(of: UInt32(sealedSize).littleEndian) { Array($0) }
    }

    /// Size in bytes of the sealed header, from the value of the length field and the size of the file; refuses what cannot be (I-04).
    package static func sealedSize(lengthField: UInt32, packSize: UInt64) throws(PackHeaderError) -> Int {
        guard packSize >= UInt64(packSizeMin) else { throw .fileTooShort(packSize) }
        guard lengthField >= UInt32(37 + FormatLimits.sealOverhead),
            lengthField <= UInt32(FormatLimits.packHeaderBytesMax),
            UInt64(lengthField) <= packSize - UInt64(lengthFieldSize)
        else { throw .lengthOutOfRange(lengthField) }
        return Int(lengthField)
    }

    /// Reads the opened and authenticated header.
    ///
    /// `blobBytes` is what stands in front of the sealed header, to compare the sum of the blobs with; nil leaves that to the caller.
    package static func decode(_ plaintext: UnsafeRawBufferPointer, blobBytes: UInt64?) throws(PackHeaderError)
        -> PackHeader
    {
        guard plaintext.count <= FormatLimits.packHeaderBytesMax else { throw .tooLarge(plaintext.count) }
        var entries: [PackEntry] = []
        entries.reserveCapacity(plaintext.count / 37)
        var offset = 0
        var sum: UInt64 = 0
        repeat {
            let entry = try entry(plaintext, at: offset, number: entries.count)
            offset &+= entry.encodedSize
            // At most 2^24 / 37 entries below 2^32 each: cannot overflow.
            sum &+= UInt64(entry.length)
            entries.append(entry)
        } while offset < plaintext.count
        if let blobBytes, sum != blobBytes { throw .sumMismatch(entries: sum, file: blobBytes) }
        return PackHeader(entries)
    }

    /// `decode` over an array.
    package static func decode(_ plaintext: [UInt8], blobBytes: UInt64?) throws(PackHeaderError) -> PackHeader {
        try lend(plaintext) { bytes throws(PackHeaderError) in try decode(bytes, blobBytes: blobBytes) }
    }

    private static func entry(_ bytes: UnsafeRawBufferPointer, at offset: Int, number: Int) throws(PackHeaderError)
        -> PackEntry
    {
        guard bytes.count &- offset >= 37 else { throw .cutShort(offset: offset) }
        let kind = bytes[offset]
        guard kind < 4, let type = BlobType(rawValue: kind & 1) else { throw .unknownType(kind, entry: number) }
        let isCompressed = kind >= 2
        guard bytes.count &- offset >= entrySize(compressed: isCompressed) else { throw .cutShort(offset: offset) }
        let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset &+ 1, as: UInt32.self))
        let uncompressed =
            isCompressed ? UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset &+ 5, as: UInt32.self)) : 0
        guard length >= UInt32(FormatLimits.sealOverhead), !isCompressed || uncompressed > 0 else {
            throw .impossibleLength(entry: number)
        }
        let idOffset = offset &+ (isCompressed ? 9 : 5)
        let id = BlobID(Digest(bytes: UnsafeRawBufferPointer(rebasing: bytes[idOffset..<(idOffset &+ 32)])))
        guard !id.digest.isZero else { throw .nullID(entry: number) }
        return PackEntry(type: type, length: length, uncompressedLength: uncompressed, id: id)
    }

    private func append(_ value: UInt32, to output: inout [UInt8]) {
        for shift in [UInt32(0), 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
