import Bytes
import Chunking
import HostSystem
import Outcome
import ResticFormat
import Synchronization

/// A file to be read, as the walk found it.
struct FileJob: Sendable {
    var directory: Directory
    /// Name in the source directory.
    var sourceName: ByteString
    /// Name in the snapshot.
    var name: ByteString
    var status: FileStatus
    var tree: OpenTree
    var slot: Int
    var previous: Node?
    var startedNanoseconds: UInt64
}

/// A chunk that was handed to a task without work.
struct ChunkJob: Sendable {
    var file: FileInProgress
    var position: Int
    var block: Block
}

/// A file whose chunks are being saved, by one task or several.
///
/// The reader holds one part of `outstanding`; whoever lets go of the last part finishes the file.
final class FileInProgress: Sendable {
    struct Outcome {
        var content: [BlobID]
        var statistics: ItemStatistics
        var failure: (any Error)?
    }

    private struct State {
        var content: [BlobID] = []
        var statistics = ItemStatistics()
        var outstanding = 1
        var failure: (any Error)?
    }

    let job: FileJob
    let node: Node
    private let state = Mutex(State())
    private let size = Atomic<UInt64>(0)

    init(job: FileJob, node: Node) {
        self.job = job
        self.node = node
    }

    var bytesRead: UInt64 { size.load(ordering: .relaxed) }

    /// Announces the next chunk; returns its place in the file.
    func reserve(bytes: Int) -> Int {
        size.add(UInt64(bytes), ordering: .relaxed)
        return state.withLock { state in
            state.content.append(BlobID(.zero))
            state.outstanding += 1
            return state.content.count - 1
        }
    }

    /// Records a saved chunk; non-nil when the file is complete and the caller has to finish it.
    func saved(_ blob: SavedBlob, at position: Int, bytes: Int) -> Outcome? {
        state.withLock { state in
            state.content[position] = blob.id
            if blob.isNew {
                state.statistics.dataBlobs += 1
                state.statistics.dataSize += UInt64(bytes)
                state.statistics.dataSizeInRepository += UInt64(blob.storedBytes)
            }
            return Self.settle(&state)
        }
    }

    /// The reader is done, or failed.
    func readingEnded(_ failure: (any Error)?) -> Outcome? {
        state.withLock { state in
            state.failure = failure
            return Self.settle(&state)
        }
    }

    private static func settle(_ state: inout State) -> Outcome? {
        state.outstanding -= 1
        guard state.outstanding == 0 else { return nil }
        return Outcome(content: state.content, statistics: state.statistics, failure: state.failure)
    }
}

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
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ChunkReader.capacity, alignment: 4096)
    private var scanner: ChunkScanner

    init(chunker: RabinChunker) { scanner = ChunkScanner(chunker: chunker) }

    deinit { buffer.deallocate() }

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
                scanner.reset()
                if start == end { break }
            }
            if atEnd { return (total, true) }
            try Task.checkCancellation()
            if total >= limit {
                if start < end { try await body(UnsafeRawBufferPointer(rebasing: buffer[start..<end])) }
                return (total, false)
            }
            if start == end { (start, end) = (0, 0) }
            if buffer.count - end < 64 << 10 {
                buffer.baseAddress?.copyMemory(from: UnsafeRawPointer(buffer.baseAddress! + start), byteCount: end - start)
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
