import CKernels

/// How hard to compress, in restic's words (`--compression`).
package enum CompressionMode: String, Sendable, Hashable, CaseIterable {
    case auto, off, max, fastest, better

    /// Settings that land where restic's encoder lands, or below.
    ///
    /// `auto` lies between libzstd's levels 2 and 3: the two tables of level 3 at a quarter of the size, which stay in the cache.
    /// Measured on 160 MiB of text and 160 MiB of programs: sizes of -0.4 % and +0.1 % against restic's `auto`, a tenth slower
    /// than level 2 (+1.7 %, +2.1 %), a third faster than level 3. `off` equals it: trees and unpacked files are compressed anyway.
    package var settings: ZstdSettings {
        switch self {
        case .auto, .off:
            ZstdSettings(level: 3, strategy: 2, windowLog: 20, hashLog: 15, chainLog: 14, minMatch: 5)
        case .fastest: ZstdSettings(level: 1)
        case .better: ZstdSettings(level: 5)
        case .max: ZstdSettings(level: 16, windowLog: 23)
        }
    }
}

/// Settings of libzstd, each but the level left to the level when it is 0; windows never exceed the blob.
package struct ZstdSettings: Sendable, Hashable {
    /// -7…22.
    package var level: Int32
    /// 1 fast, 2 double fast, up to 9.
    package var strategy: Int32
    /// Binary logarithm of the window in bytes.
    package var windowLog: Int32
    /// Binary logarithms of the entries of the two tables.
    package var hashLog: Int32
    package var chainLog: Int32
    /// Shortest match in bytes.
    package var minMatch: Int32

    package init(
        level: Int32,
        strategy: Int32 = 0,
        windowLog: Int32 = 0,
        hashLog: Int32 = 0,
        chainLog: Int32 = 0,
        minMatch: Int32 = 0
    ) {
        self.level = level
        self.strategy = strategy
        self.windowLog = windowLog
        self.hashLog = hashLog
        self.chainLog = chainLog
        self.minMatch = minMatch
    }
}

/// Makes zstd frames that restic reads: content size recorded, no checksum, no dictionary; for one task at a time.
package final class Compressor {
    private let handle: OpaquePointer

    package convenience init(mode: CompressionMode) { self.init(settings: mode.settings) }

    /// Other settings than a mode's, for measuring; traps when libzstd does not know them.
    package init(settings: ZstdSettings) {
        handle = hf_compressor_new(
            hf_zstd_settings(
                level: settings.level,
                strategy: settings.strategy,
                window_log: settings.windowLog,
                hash_log: settings.hashLog,
                chain_log: settings.chainLog,
                min_match: settings.minMatch
            )
        )
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
