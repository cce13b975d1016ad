import Chunking
import HostSystem

/// The bytes of a file, as they come: from a descriptor or a stream.
enum FileBytes {
    case file(FileDescriptor)
    case stream(StreamSource)

    func read(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int {
        switch self {
        case .file(let descriptor): try descriptor.read(into: buffer)
        case .stream(let source): try await source.read(buffer)
        }
    }
}

/// Cuts bytes into chunks in a buffer that is reused from file to file.
///
/// Memory: 9 MiB, touched as far as files are large. Nothing is copied but the start of a chunk that does not fit any more.
final class ChunkReader {
    private static let capacity = RabinChunker.maximum + (1 << 20)
    private let base = UnsafeMutableRawPointer.allocate(byteCount: ChunkReader.capacity, alignment: 4096)
    private var scanner: ChunkScanner

    private var buffer: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: Self.capacity)
    }

    init(chunker: RabinChunker) { scanner = ChunkScanner(chunker: chunker) }

    deinit { base.deallocate() }

    /// Reads to the end, or to `limit` bytes, and lends each chunk to `body` in order.
    ///
    /// Returns the bytes read and whether the end was reached. Cost: one `read` for each MiB, and one that finds the end unless
    /// `expected` bytes came and `isEnd` confirms it.
    func read(
        _ bytes: FileBytes,
        limit: UInt64,
        isEnd: (UInt64) -> Bool,
        _ body: (UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> (count: UInt64, reachedEnd: Bool) {
        scanner.reset()
        var start = 0
        var end = 0
        var total: UInt64 = 0
        var atEnd = false
        while true {
            while let length = scanner.scan(UnsafeRawBufferPointer(rebasing: buffer[start..<end]), atEnd: atEnd) {
                try await body(UnsafeRawBufferPointer(rebasing: buffer[start..<start + length]))
                start += length
            }
            if atEnd { return (total, true) }
            try Task.checkCancellation()
            if total >= limit {
                if start < end { try await body(UnsafeRawBufferPointer(rebasing: buffer[start..<end])) }
                return (total, false)
            }
            if start == end { (start, end) = (0, 0) }
            if buffer.count - end < 64 << 10 {
                base.copyMemory(from: base + start, byteCount: end - start)
                (start, end) = (0, end - start)
            }
            let wanted = min(1 << 20, buffer.count - end)
            let count = try await bytes.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end..<end + wanted]))
            total += UInt64(count)
            end += count
            atEnd = count == 0 || (count < wanted && isEnd(total))
        }
    }
}
