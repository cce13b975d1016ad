import CKernels

/// How hard to compress, in restic's words (`--compression`).
package enum CompressionMode: String, Sendable, Hashable, CaseIterable {
    case auto, off, max, fastest, better

    /// The level for libzstd, where `off` is `auto`, because trees and unpacked files are compressed all the same.
    var level: Int32 {
        switch self {
        case .auto, .off: 2
        case .fastest: 1
        case .better: 6
        case .max: 19
        }
    }

    /// Binary logarithm of the window; 0 leaves it to the level, which never exceeds the blob.
    var windowLog: Int32 {
        switch self {
        case .auto, .off, .fastest, .better: 0
        case .max: 23
        }
    }
}

/// Makes zstd frames that restic reads: content size recorded, no checksum, no dictionary; for one task at a time.
package final class Compressor {
    package let mode: CompressionMode
    private let handle: OpaquePointer

    package init(mode: CompressionMode) {
        self.mode = mode
        handle = hf_compressor_new(mode.level, mode.windowLog)
    }

    deinit { hf_compressor_free(handle) }

    /// Room that any `count` bytes fit into when compressed.
    package func bound(_ count: Int) -> Int { hf_compress_bound(count) }

    /// Compresses `source` into one frame at the start of `target` and returns its length.
    ///
    /// Errors: `noRoom` when `target` is too small, which does not happen with `bound(source.count)` bytes; `outOfMemory`.
    package func compress(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        guard let room = target.baseAddress else { throw .noRoom }
        var status: Int32 = 0
        let length = hf_compress(handle, source.baseAddress, source.count, room, target.count, &status)
        if let error = CompressionError(status: status) { throw error }
        return length
    }

    /// Compresses into a new array.
    package func compress(_ source: [UInt8]) throws(CompressionError) -> [UInt8] {
        var frame = [UInt8](repeating: 0, count: bound(source.count))
        var result: Result<Int, CompressionError> = .success(0)
        source.withUnsafeBytes { source in
            frame.withUnsafeMutableBytes { target in
                do throws(CompressionError) {
                    result = .success(try compress(source, into: target))
                } catch { result = .failure(error) }
            }
        }
        frame.removeLast(frame.count - (try result.get()))
        return frame
    }
}

extension CompressionError {
    /// The error of a status of the C layer; nil for success.
    init?(status: Int32) {
        switch status {
        case Int32(HF_ZSTD_OK): return nil
        case Int32(HF_ZSTD_NO_ROOM): self = .noRoom
        case Int32(HF_ZSTD_NO_MEMORY): self = .outOfMemory
        default: self = .damaged
        }
    }
}

/// Whether zstd would surely not shrink `bytes`, from a sample; false when in doubt, and always below 64 KiB.
///
/// Cost: reads about an eighth of the bytes. Misses at most about half a percent of possible gain.
package func looksIncompressible(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
    return hf_looks_incompressible(start, bytes.count)
}
