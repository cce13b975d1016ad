import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Testing

import ResticRepository

/// Blobs that lie in two packs, and packs that read wrong once or always.
@Suite struct BlobReadingTests {
    private let bench = BackupBench()
    private static let contents: [[UInt8]] = {
        var random = SplitMix64(seed: 17)
        return (0..<6).map { _ in random.bytes(4_000) }
    }()

    private enum Way: CaseIterable { case alone, many }

    /// A store with every blob in as many packs as there were writers, none of which knew of the others.
    private func store(copies: Int) async throws -> MemoryStorage {
        let store = MemoryStorage()
        try await bench.create(store)
        var repositories: [Repository] = []
        for _ in 0..<copies { repositories.append(try await bench.open(store)) }
        for repository in repositories {
            let worker = repository.makeWorker()
            try await repository.withBlobWriter { writer in
                for bytes in Self.contents { _ = try await writer.save(.data, bytes, worker: worker) }
            }
        }
        return store
    }

    /// Reads all blobs of the pack that the index names first, one by one or together; nil for those that failed as damaged.
    private func read(_ way: Way, from store: any ObjectStorage) async throws -> [[UInt8]?] {
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        var found: [BlobID: [UInt8]] = [:]
        let ids = Self.contents.map { BlobID(sha256($0)) }
        switch way {
        case .alone:
            for id in ids {
                do { found[id] = try await repository.loadBlob(.data, id, worker: worker) } catch {
                    #expect((error as? RepositoryFailure)?.code == .damaged)
                }
            }
        case .many:
            let blobs = ids.compactMap { repository.index.location(.data, $0) }
            try await repository.readBlobs(
                pack: try #require(blobs.first).pack,
                blobs,
                worker: worker,
                deliver: { found[$0.location.id] = Array($0.plaintext) },
                failed: { #expect(($1 as? RepositoryFailure)?.code == .damaged) }
            )
        }
        return ids.map { found[$0] }
    }

    /// The pack whose copy of the blobs is tried first.
    private func firstPack(_ store: MemoryStorage) async throws -> ObjectName {
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let location = try #require(repository.index.location(.data, BlobID(sha256(Self.contents[0]))))
        return ObjectName(.pack, location.pack.digest)
    }

    private static let faults: [StorageFault] = [
        .flipBit, .zeros, .shortRead(toBytes: 0), .shortRead(toBytes: 1_000), .fail(.io), .fail(.notFound),
    ]

    @Test func `D-01 where one copy of a blob is damaged or gone, another one is read`() async throws {
        let store = try await store(copies: 2)
        let pack = try await firstPack(store)
        for way in Way.allCases {
            for fault in Self.faults where fault != .flipBit {
                let faulty = FaultyStorage(wrapping: store, rules: [StorageRule(fault, on: .get, name: pack)])
                #expect(try await read(way, from: faulty) == Self.contents, "\(way), \(fault)")
            }
            // On the disk, in a place that every blob's MAC guards.
            let damaged = store.copy()
            var bytes = damaged.contents[pack]?.bytes ?? []
            for place in stride(from: 5, to: bytes.count, by: 900) { bytes[place] ^= 1 }
            damaged.overwrite(pack, Block(bytes))
            #expect(try await read(way, from: damaged) == Self.contents, "\(way)")
            try await damaged.remove(pack)
            #expect(try await read(way, from: damaged) == Self.contents, "\(way)")
        }
    }

    @Test func `D-10 a blob that reads wrong once is read again before it is called damaged`() async throws {
        let store = try await store(copies: 1)
        for fault in Self.faults {
            let once = { FaultyStorage(wrapping: store, rules: [StorageRule(fault, on: .get, kind: .pack, when: $0)]) }
            // Alone: the first reading is wrong, the second one right. Together: the span, and then one reading of the first blob.
            #expect(try await read(.alone, from: once(.calls([0]))) == Self.contents, "\(fault)")
            #expect(try await read(.many, from: once(.calls([0, 1]))) == Self.contents, "\(fault)")
        }
    }

    @Test func `D-01 a blob of which no copy opens fails, and the others are read`() async throws {
        for copies in [1, 2] {
            let store = try await store(copies: copies)
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            let bad = repository.index.locations(.data, BlobID(sha256(Self.contents[2])))
            #expect(bad.count == copies)
            for location in bad {
                let name = ObjectName(.pack, location.pack.digest)
                var bytes = store.contents[name]?.bytes ?? []
                bytes[Int(location.end) - 1] ^= 0x80
                store.overwrite(name, Block(bytes))
            }
            for way in Way.allCases {
                let found = try await read(way, from: store)
                let expected = Self.contents.enumerated().map { $0 == 2 ? nil : $1 }
                #expect(found == expected, "\(way), \(copies) copies")
            }
        }
    }
}
