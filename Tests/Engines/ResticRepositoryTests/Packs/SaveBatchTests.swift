import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Blobs that are saved together, beside the same ones saved one by one.
@Suite struct SaveBatchTests {
    private let bench = BackupBench(pool: BackupBench.makePool(width: 1))

    /// Contents of all sizes, compressible and not, some of them several times.
    private static func contents(_ count: Int, _ random: inout SplitMix64) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for number in 0..<count {
            if number > 0, random.next() % 4 == 0 {
                contents.append(contents[Int.random(in: 0..<number, using: &random)])
                continue
            }
            let largest = [40, 4_000, 90_000].randomElement(using: &random) ?? 40
            let size = Int.random(in: 0...largest, using: &random)
            contents.append(
                random.next() % 2 == 0
                    ? random.bytes(size) : Array(repeating: UInt8(truncatingIfNeeded: random.next()), count: size)
            )
        }
        return contents
    }

    private static func save(
        _ batch: [[UInt8]],
        _ type: BlobType,
        _ writer: BlobWriter,
        _ worker: BlobWorker
    ) async throws -> [SavedBlob] {
        let blocks = batch.map { Block($0) }
        defer { withExtendedLifetime(blocks) {} }
        return try await writer.save(type, blocks.map { $0.withBytes { $0 } }, worker: worker)
    }

    /// Saves the batches in a store of its own; returns what was said, and the store.
    private func save(
        _ batches: [[[UInt8]]],
        _ type: BlobType,
        packSizeBytes: Int,
        into empty: MemoryStorage
    ) async throws -> (said: [SavedBlob], store: MemoryStorage) {
        let store = empty.copy()
        let said = try await bench.onPool {
            let repository = try await bench.open(store, packSizeBytes: packSizeBytes, seed: 7)
            let worker = repository.makeWorker()
            return try await repository.withBlobWriter { writer in
                var said: [SavedBlob] = []
                for batch in batches { said += try await Self.save(batch, type, writer, worker) }
                return said
            }
        }
        return (said, store)
    }

    /// Every content once in the store, and nothing else.
    private func judge(_ store: MemoryStorage, _ type: BlobType, _ contents: Set<[UInt8]>, _ label: Comment)
        async throws
    {
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        #expect(repository.index.blobCount == contents.count, label)
        let worker = repository.makeWorker()
        for bytes in contents {
            let loaded = try? await repository.loadBlob(type, BlobID(sha256(bytes)), worker: worker)
            #expect(loaded == bytes, label)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [BlobType.data, .tree])
    func `a batch stores what its blobs would have stored one by one, duplicates once`(type: BlobType) async throws {
        let seed = TestSeed.value
        print("save batch: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let empty = MemoryStorage()
        try await bench.create(empty)
        for round in 0..<12 {
            let contents = Self.contents(Int.random(in: 1...150, using: &random), &random)
            var rest = contents[...]
            var batches: [[[UInt8]]] = []
            while !rest.isEmpty {
                let count = Int.random(in: 1...Limits.batchBlobs, using: &random)
                batches.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let packSize = [5_000, 100_000, 1 << 20].randomElement(using: &random) ?? 0
            let together = try await save(batches, type, packSizeBytes: packSize, into: empty)
            let alone = try await save(contents.map { [$0] }, type, packSizeBytes: packSize, into: empty)
            let label = Comment(rawValue: "round \(round) of seed \(seed)")
            #expect(together.said == alone.said, label)
            // The model: the first of each content is new, and has the name of its content.
            var seen: Set<[UInt8]> = []
            #expect(together.said.map(\.isNew) == contents.map { seen.insert($0).inserted }, label)
            #expect(together.said.map(\.id) == contents.map { BlobID(sha256($0)) }, label)
            #expect(together.said.allSatisfy { $0.isNew == ($0.storedBytes > 0) }, label)
            try await judge(together.store, type, seen, label)
            try await judge(alone.store, type, seen, label)
        }
    }

    @Test func `a batch that is sealed in several groups keeps its order, blobs above a group's limit included`()
        async throws
    {
        var random = SplitMix64(seed: 21)
        let empty = MemoryStorage()
        try await bench.create(empty)
        let half = Limits.sealBatchBytes / 2
        let sizes = [half, half, 1, half + 1, half, Limits.sealBatchBytes + 1, 0, 5, Limits.sealBatchBytes, 9]
        let batch = sizes.map { random.bytes($0) }
        let together = try await save([batch], .data, packSizeBytes: 16 << 20, into: empty)
        #expect(together.said.map(\.id) == batch.map { BlobID(sha256($0)) })
        // Random bytes are stored raw: the seal, and the entry of the header.
        #expect(together.said.map(\.storedBytes) == sizes.map { $0 + 32 + 37 })
        try await judge(together.store, .data, Set(batch), "groups")
    }

    @Test func `what the repository has is not stored again, and what a batch stored is known to the next`()
        async throws
    {
        var random = SplitMix64(seed: 22)
        let store = MemoryStorage()
        try await bench.create(store)
        let batch = (0..<20).map { _ in random.bytes(3_000) }
        for (turn, repository) in [try await bench.open(store), try await bench.open(store)].enumerated() {
            try await repository.loadIndex()
            let worker = repository.makeWorker()
            let said = try await repository.withBlobWriter { writer in
                let first = try await Self.save(batch, .data, writer, worker)
                return first + (try await Self.save(batch + [[1, 2, 3]], .data, writer, worker))
            }
            let isNew = turn == 0
            #expect(
                said.map(\.isNew) == batch.map { _ in isNew } + batch.map { _ in false } + [isNew],
                "turn \(turn)"
            )
        }
        try await judge(store, .data, Set(batch + [[1, 2, 3]]), "twice")
    }

    @Test(.timeLimit(.minutes(10)))
    func `of tasks that bring the same contents in batches of their own, one stores each`() async throws {
        let seed = TestSeed.value
        print("shared batches: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let wide = BackupBench(pool: BackupBench.wide, seed: seed)
        let store = MemoryStorage()
        try await wide.create(store)
        let contents = Self.contents(400, &random)
        let orders = (0..<6).map { _ in contents.shuffled(using: &random) }
        let said = try await wide.onPool {
            let repository = try await wide.open(store)
            return try await repository.withBlobWriter { writer in
                try await withThrowingTaskGroup(of: [SavedBlob].self) { group in
                    for order in orders {
                        group.addTask(executorPreference: wide.pool) {
                            let worker = repository.makeWorker()
                            var (said, rest): ([SavedBlob], ArraySlice<[UInt8]>) = ([], order[...])
                            while !rest.isEmpty {
                                said += try await Self.save(Array(rest.prefix(30)), .data, writer, worker)
                                rest = rest.dropFirst(30)
                            }
                            return said
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
            }
        }
        let distinct = Set(contents)
        let new = said.filter(\.isNew).map(\.id)
        #expect(new.count == distinct.count && Set(new) == Set(distinct.map { BlobID(sha256($0)) }), "seed \(seed)")
        try await judge(store, .data, distinct, "seed \(seed)")
    }

    @Test func `D-08 a batch with a blob that was spoiled fails whole, and gives back all of its claims`() async throws
    {
        var random = SplitMix64(seed: 23)
        let empty = MemoryStorage()
        try await bench.create(empty)
        let batch = (0..<12).map { _ in random.bytes(Limits.sealBatchBytes / 5) }
        for bad in [0, 4, 5, 11] {
            let store = empty.copy()
            let sealed = Mutex(0)
            let repository = try await bench.open(store, packSizeBytes: 64 << 20) { options in
                options.spoil = { stage, bytes in
                    guard stage == .sealed else { return }
                    let turn = sealed.withLock { turn in
                        defer { turn += 1 }
                        return turn
                    }
                    if turn == bad { bytes[bytes.count / 2] ^= 1 }
                }
            }
            let worker = repository.makeWorker()
            try await repository.withBlobWriter { writer in
                let failure = await #expect(throws: RepositoryFailure.self, "blob \(bad)") {
                    _ = try await Self.save(batch, .data, writer, worker)
                }
                #expect(failure?.code == .verification && failure?.object.hasPrefix("blob") == true)
                #expect(batch.allSatisfy { !repository.index.contains(.data, BlobID(sha256($0))) })
                let again = try await Self.save(batch, .data, writer, worker)
                #expect(again.allSatisfy { $0.isNew }, "blob \(bad)")
            }
            let verdict = try await bench.check(store)
            #expect(!verdict.hasErrors, "blob \(bad)")
            for bytes in batch {
                let loaded = try await repository.loadBlob(.data, BlobID(sha256(bytes)), worker: worker)
                #expect(loaded == bytes, "blob \(bad)")
            }
        }
    }
}
