import Bytes

/// Chunks of one file or of several in one page of memory, saved together: their hashes are computed side by side.
struct ChunkBatch: Sendable {
    struct Chunk: Sendable {
        var file: FileInProgress
        /// Place among the chunks of its file.
        var position: Int
        /// Bytes of the page.
        var range: Range<Int>
    }

    /// Holds the chunks.
    let page: Page
    private(set) var chunks: [Chunk] = []
    /// Where the first byte behind the last chunk lies.
    private(set) var end = 0

    init(page: Page) { self.page = page }

    /// Enough to fill the lanes, or as many bytes as a batch may have.
    var isFull: Bool { end >= Limits.batchBytes || chunks.count >= Limits.batchBlobs }

    /// Bytes of the page behind the last chunk: the next one, as far as it was read.
    var rest: UnsafeRawBufferPointer {
        page.block.withBytes { UnsafeRawBufferPointer(rebasing: $0[end...]) }
    }

    /// Where the chunks lie, as long as the page is held.
    var plaintexts: [UnsafeRawBufferPointer] {
        page.block.withBytes { bytes in chunks.map { UnsafeRawBufferPointer(rebasing: bytes[$0.range]) } }
    }

    /// Adds the next `bytes` of the page as a chunk of that file.
    mutating func add(_ bytes: Int, of file: FileInProgress) {
        chunks.append(Chunk(file: file, position: file.reserve(bytes: bytes), range: end..<end + bytes))
        end += bytes
    }

    /// Forgets a chunk that was begun.
    mutating func dropRest() { page.block.removeLast(page.block.count - end) }

    /// Forgets the chunks, which are saved; what follows them in the page moves to its start.
    mutating func removeAll() {
        page.block.removeFirst(end)
        chunks.removeAll(keepingCapacity: true)
        end = 0
    }
}
