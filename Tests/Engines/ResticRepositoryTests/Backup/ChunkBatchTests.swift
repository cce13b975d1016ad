import Bytes
import Chunking
import ObjectStorage
import ResticFormat
import Sealing
import Testing

import ResticRepository

/// Chunks of many files that are saved together, beside each file cut and hashed alone.
@Suite struct ChunkBatchTests {
    /// Small files by the hundred, files around the sizes at which chunks, pages and batches end, and some contents twice.
    private static func write(_ bench: BackupBench, _ random: inout SplitMix64) throws -> [String: [UInt8]] {
        let edges = [
            0, 1, RabinChunker.minimum - 1, RabinChunker.minimum, RabinChunker.minimum + 1, Limits.batchBytes,
            Limits.batchBytes + 1, RabinChunker.maximum + 1,
        ]
        var sizes = (0..<200).map { _ in Int.random(in: 0...4_000, using: &random) }
        sizes += (0..<10).map { _ in Int.random(in: 100_000...2_500_000, using: &random) } + edges
        sizes.shuffle(using: &random)
        // Side by side at the end, each longer than two batches: while every task reads one, none takes over a batch of another.
        sizes += (0..<6).map { _ in Int.random(in: 13_000_000...16_000_000, using: &random) }
        var files: [String: [UInt8]] = [:]
        var last: [UInt8] = []
        for (number, size) in sizes.enumerated() {
            switch random.next() % 6 {
            case 0: break
            case 1: last = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
            default: last = random.bytes(size)
            }
            let path = number < sizes.count - 6 ? "\(number % 5)/file\(number)" : "large/file\(number)"
            try bench.source.write(path, last)
            files["/" + path] = last
        }
        return files
    }

    /// The names of a file's chunks, from the chunker and the hash alone.
    private static func chunks(of bytes: [UInt8], _ chunker: RabinChunker) -> [BlobID] {
        var start = 0
        return bytes.withUnsafeBytes { whole in
            chunker.lengths(of: whole).map { length in
                defer { start += length }
                return BlobID(SHA256Context.hash(UnsafeRawBufferPointer(rebasing: whole[start..<start + length])))
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [2, 4])
    func `files saved in batches have the chunks that each has alone, in order, and every content is stored once`(
        tasks: Int
    ) async throws {
        let seed = TestSeed.value
        print("chunk batches: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let bench = BackupBench(pool: BackupBench.makePool(width: tasks), seed: seed)
        let store = MemoryStorage()
        try await bench.create(store)
        let files = try Self.write(bench, &random)
        let chunker = RabinChunker(polynomial: try #require(Polynomial(hex: "3da3358b4dc173")))
        let result = try await bench.onPool {
            try await bench.backUp(to: try await bench.open(store, packSizeBytes: 4 << 20)) { request in
                request.readConcurrency = tasks
            }
        }
        var expected: Set<BlobID> = []
        var count = 0
        try await bench.entries(of: try #require(result.snapshot), in: store) { path, node, content in
            guard node.type == .file else { return }
            let bytes = try #require(files[path])
            let wanted = Self.chunks(of: bytes, chunker)
            #expect(node.content == wanted, "\(path), \(bytes.count) bytes, seed \(seed)")
            #expect(content == bytes && node.size == UInt64(bytes.count), "\(path) of seed \(seed)")
            expected.formUnion(wanted)
            count += 1
        }
        #expect(count == files.count && result.errorCount == 0)
        #expect(result.summary.dataBlobs == expected.count, "seed \(seed)")
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let stored = (0..<repository.index.blobCount).map { repository.index.location(ofEntry: $0) }
        let data = stored.filter { $0.type == .data }.map(\.id)
        #expect(data.count == expected.count && Set(data) == expected, "seed \(seed)")
    }
}
