import Bytes
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

/// Where full batches go.
protocol BatchSink {
    /// Whether another task is about to ask for work.
    var wantsBatch: Bool { get }
    /// Gives the batch to another task; false when none takes it, and nothing happened.
    func handOver(_ batch: ChunkBatch) -> Bool
    /// Saves the batch here.
    func save(_ batch: ChunkBatch) async throws
}

/// Reads files into a page, cuts them into chunks where they lie, and collects these in a batch, across files.
///
/// Nothing is copied but the start of a chunk whose page goes on without it. Memory: one page while a batch is open.
final class ChunkReader {
    /// Room for the longest chunk, and for a full batch with the start of the next chunk behind it; a batch ends early when that does
    /// not do.
    static let pageBytes = RabinChunker.maximum + 256 << 10
    private static let readBytes = 1 << 20
    /// Room below which a page counts as used up.
    private static let readBytesMin = 64 << 10
    private let pages: PagePool
    private var scanner: ChunkScanner
    private var batch: ChunkBatch?

    init(chunker: RabinChunker, pages: PagePool) {
        precondition(Self.pageBytes >= chunker.maximumBytes + Self.readBytesMin)
        scanner = ChunkScanner(chunker: chunker)
        self.pages = pages
    }

    /// Takes the open batch out, if there is one.
    func takeBatch() -> ChunkBatch? {
        defer { batch = nil }
        return batch
    }

    /// Reads `bytes` to the end, or to `limit` bytes, and adds the chunks of `file` to the batch; a full one goes to `sink`.
    ///
    /// Returns the bytes read and whether the end was reached. Cost: one `read` for each MiB, and one that finds the end unless
    /// fewer bytes came than asked for and `isEnd` confirms it.
    func read(
        _ bytes: FileBytes,
        of file: FileInProgress,
        limit: UInt64,
        isEnd: (UInt64) -> Bool,
        sink: some BatchSink
    ) async throws -> (count: UInt64, reachedEnd: Bool) {
        scanner.reset()
        var open = if let batch { batch } else { ChunkBatch(page: try await pages.take()) }
        batch = nil
        defer {
            open.dropRest()
            batch = open
        }
        var total: UInt64 = 0
        var atEnd = false
        while true {
            while let length = scanner.scan(open.rest, atEnd: atEnd) {
                open.add(length, of: file)
                if open.isFull { try await empty(&open, into: sink) }
            }
            if atEnd { return (total, true) }
            try Task.checkCancellation()
            if total >= limit {
                open.add(open.rest.count, of: file)
                return (total, false)
            }
            if open.page.block.available < Self.readBytesMin { try await empty(&open, into: sink) }
            let (count, wanted) = try await Self.read(bytes, into: open.page.block)
            total += UInt64(count)
            atEnd = count == 0 || (count < wanted && isEnd(total))
        }
    }

    private static func read(_ bytes: FileBytes, into block: Block) async throws -> (count: Int, wanted: Int) {
        let before = block.count
        let wanted = min(readBytes, block.available)
        try await block.fill { room in
            try await bytes.read(into: UnsafeMutableRawBufferPointer(rebasing: room[..<wanted]))
        }
        return (block.count - before, wanted)
    }

    /// Goes on with another page when a task takes this one, else with this one when its chunks are saved.
    private func empty(_ open: inout ChunkBatch, into sink: some BatchSink) async throws {
        if sink.wantsBatch, let spare = pages.tryTake() {
            spare.block.append(open.rest)
            if sink.handOver(open) {
                open = ChunkBatch(page: spare)
                return
            }
        }
        try await sink.save(open)
        open.removeAll()
    }
}
