import Bytes

/// What the first bytes of a zstd frame declare, with nothing in it trusted (RFC 8878 section 3.1.1).
///
/// ```
/// 0       4           5                 +0/1               +0/1/2/4         +0/1/2/4/8
/// magic   descriptor  window (unless single segment)  dictionary id    content size
///         bits 7-6 content size field, 5 single segment, 4 unused, 3 reserved, 2 checksum, 1-0 dictionary id field
/// ```
package struct ZstdFrameHeader: Hashable, Sendable {
    package static let magic: UInt32 = 0xFD2F_B528

    /// Nil when the frame does not say.
    package var contentBytes: UInt64?
    /// Memory a streaming decoder would need.
    package var windowBytes: UInt64
    /// Zero when there is none.
    package var dictionaryID: UInt32
    package var hasChecksum: Bool
    /// Length of the header in bytes, with the magic number.
    package var length: Int

    /// Reads the header at the start of `bytes`; throws `notAFrame`, `skippableFrame`, `damaged`.
    package init(_ bytes: UnsafeRawBufferPointer) throws(CompressionError) {
        guard bytes.count >= 4 else { throw .notAFrame }
        let magic = bytes.littleUInt32(at: 0)
        if magic & 0xFFFF_FFF0 == 0x184D_2A50 { throw .skippableFrame }
        guard magic == Self.magic else { throw .notAFrame }
        guard bytes.count >= 5 else { throw .damaged }
        let descriptor = bytes[4]
        guard descriptor & 8 == 0 else { throw .damaged }
        hasChecksum = descriptor & 4 != 0
        let isSingleSegment = descriptor & 32 != 0
        let dictionaryField = [0, 1, 2, 4][Int(descriptor & 3)]
        let contentField = descriptor >> 6 == 0 ? (isSingleSegment ? 1 : 0) : 1 << Int(descriptor >> 6)
        length = 5 + (isSingleSegment ? 0 : 1) + dictionaryField + contentField
        guard bytes.count >= length else { throw .damaged }

        var position = 5
        windowBytes = 0
        if !isSingleSegment {
            let exponent = UInt64(bytes[position] >> 3)
            let base: UInt64 = 1 << (10 + exponent)
            windowBytes = base + base / 8 * UInt64(bytes[position] & 7)
            position += 1
        }
        dictionaryID = UInt32(truncatingIfNeeded: Self.number(bytes, at: position, width: dictionaryField))
        position += dictionaryField
        if contentField > 0 {
            // The two-byte field starts counting at 256.
            let number = Self.number(bytes, at: position, width: contentField)
            contentBytes = contentField == 2 ? number + 256 : number
        }
        if isSingleSegment { windowBytes = contentBytes ?? 0 }
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, at position: Int, width: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in 0..<width { number |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        return number
    }
}
