import CKernels

/// Raw deflate, the compression inside zip archives; for one task at a time.
///
/// Memory: 256 KiB of zlib's and 64 KiB of output.
package final class Deflater {
    private static let pieceBytes = 64 << 10
    /// The library counts in 32 bits.
    private static let inputBytesMax = 1 << 30

    private let handle: OpaquePointer
    private let target: UnsafeMutableRawBufferPointer

    package init() {
        handle = hf_deflater_new()
        target = .allocate(byteCount: Self.pieceBytes, alignment: 16)
    }

    deinit {
        hf_deflater_free(handle)
        target.deallocate()
    }

    /// Starts a new stream.
    package func reset() { hf_deflater_reset(handle) }

    /// Compresses the bytes and lends what comes out to `deliver`; the last call ends the stream.
    package func write(
        _ bytes: UnsafeRawBufferPointer,
        isLast: Bool,
        deliver: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let base = target.baseAddress else { return }
        var rest = bytes
        while true {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.inputBytesMax))
            var (taken, given) = (piece.count, Self.pieceBytes)
            let isEnded = hf_deflate(
                handle,
                piece.baseAddress,
                &taken,
                base,
                &given,
                isLast && piece.count == rest.count
            )
            if given > 0 { try deliver(UnsafeRawBufferPointer(rebasing: target[..<given])) }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if isLast ? isEnded : rest.isEmpty && given < Self.pieceBytes { return }
        }
    }
}

/// The CRC-32 of zip and gzip, going on after `crc`, which is 0 at the start.
package func crc32(_ bytes: UnsafeRawBufferPointer, after crc: UInt32 = 0) -> UInt32 {
    // The library takes a missing pointer for a request to start anew.
    bytes.isEmpty ? crc : hf_crc32(crc, bytes.baseAddress, bytes.count)
}
