/// Why a frame was not decoded, or bytes were not encoded.
package enum CompressionError: Error, Hashable {
    /// The bytes do not start with a zstd frame.
    case notAFrame
    /// A skippable frame, which no backup tool writes into a blob.
    case skippableFrame
    /// The frame wants a dictionary.
    case dictionary(id: UInt32)
    /// The window is larger than `ZstdLimits.windowBytes`.
    case windowTooLarge(bytes: UInt64)
    /// A second frame or other bytes behind the frame.
    case trailingBytes(count: Int)
    /// The content is, or claims to be, larger than the caller allows.
    case tooLarge(limit: Int)
    /// The content has another size than the caller was told.
    case wrongSize(expected: Int, found: UInt64)
    /// The frame is cut short or its blocks make no sense.
    case damaged
    /// The room for the result is smaller than `bound` asks for.
    case noRoom
    /// No memory.
    case outOfMemory
}

/// Bounds on what is decoded.
package enum ZstdLimits {
    /// 128 MiB: what every level of the tools at hand stays below; the frame format allows more than an exabyte.
    package static let windowBytes: UInt64 = 1 << 27
    /// First room for content of unknown or doubtful size; doubled as it fills (I-02: memory follows the content, not the claim).
    package static let firstRoomBytes = 1 << 20
    /// A claim up to this many times the frame's length is believed at once.
    package static let believedRatio = 16
}
