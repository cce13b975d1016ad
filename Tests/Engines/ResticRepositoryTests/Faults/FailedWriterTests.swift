import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// What a run that failed leaves in memory, for the next one through the same handle.
@Suite struct FailedWriterTests {
    private static func write(_ bench: BackupBench) throws -> [String: [UInt8]] {
        var random = SplitMix64(seed: 5)
        var files: [String: [UInt8]] = [:]
        for number in 0..<6 { files["/file\(number)"] = random.bytes(30_000) }
        for (path, bytes) in files { try bench.source.write(path, bytes) }
        return files
    }

    @Test func `A-02 a backup after a failed one through the same handle stores what that one did not`() async throws {
        let bench = BackupBench()
        let empty = MemoryStorage()
        try await bench.create(empty)
        let files = try Self.write(bench)
        var points = 0
        for kind in [ObjectKind.pack, .index, .snapshot] {
            for number in 0..<8 {
                let inner = empty.copy()
                let store = FaultyStorage(
                    wrapping: inner,
                    rules: [StorageRule(.fail(.io), on: .put, kind: kind, when: .calls([number]))]
                )
                let repository = try await bench.open(store)
                guard (try? await bench.onPool { try await bench.backUp(to: repository) }) == nil else { break }
                let result = try await bench.onPool { try await bench.backUp(to: repository) }
                let label = Comment(rawValue: "\(kind) \(number)")
                let contents = try? await bench.contents(of: try #require(result.snapshot), in: inner)
                #expect(contents == files, label)
                let verdict = try await bench.check(inner)
                #expect(!verdict.hasErrors, label)
                points += 1
            }
        }
        print("call-points \(points)/\(points) of a second backup through one handle")
        #expect(points > 5)
    }

    @Test(arguments: [ObjectKind.pack, .index])
    func `L2 a writer after a failed one, under the same lock, names its packs as well`(kind: ObjectKind) async throws {
        for number in 0..<(kind == .pack ? 4 : 1) {
            let bench = BackupBench()
            let inner = MemoryStorage()
            try await bench.create(inner)
            let files = try Self.write(bench)
            let store = FaultyStorage(
                wrapping: inner,
                rules: [StorageRule(.fail(.io), on: .put, kind: kind, when: .calls([number]))]
            )
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            let save: @Sendable () async throws -> BackupResult = {
                try await backup(bench.request(), to: repository, observer: ItemLog())
            }
            let label = Comment(rawValue: "\(kind) \(number)")
            await #expect(throws: StorageFailure.self, label) { _ = try await bench.onPool(save) }
            let result = try await bench.onPool(save)
            let contents = try? await bench.contents(of: try #require(result.snapshot), in: inner)
            #expect(contents == files, label)
            let verdict = try await bench.check(inner)
            #expect(!verdict.hasErrors, label)
        }
    }

    @Test func `L2 a pack on its way is in no index, and after it failed nothing relies on it`() async throws {
        let bench = BackupBench()
        let inner = MemoryStorage()
        try await bench.create(inner)
        let (lost, other) = (Array("what fails".utf8), Array("what comes after it".utf8))
        let opened = Mutex<Repository?>(nil)
        let looks = Mutex(0)
        let store = WatchedStore(inner) { _, operation, name, _ in
            guard operation == .put, let name, name.kind == .pack, let repository = opened.withLock({ $0 }) else {
                return
            }
            let named = (0..<repository.index.packCount).map { repository.index.packID($0).digest }
            #expect(!named.contains(name.digest), "the index names a pack that is not stored")
            let turn = looks.withLock { looks in
                looks += 1
                return looks
            }
            guard turn == 1 else { return }
            await Self.expectUnknown(lost, in: repository)
            throw StorageFailure(.io, retry: .later, operation: "write", object: "pack", what: "fails", next: "again")
        }
        let repository = try await bench.open(store)
        opened.withLock { $0 = repository }
        let worker = repository.makeWorker()
        await #expect(throws: StorageFailure.self) {
            try await repository.withBlobWriter { _ = try await $0.save(.data, lost, worker: worker) }
        }
        await Self.expectUnknown(lost, in: repository)

        // What is written now stands without it.
        let later = try await repository.withBlobWriter { try await $0.save(.data, other, worker: worker) }
        let fresh = try await bench.open(inner)
        try await fresh.loadIndex()
        #expect(fresh.index.contains(.data, later) && fresh.index.blobCount == 1)
        let stored = Set(try await inner.list(.pack).map(\.digest))
        #expect(stored == [fresh.index.packID(0).digest])

        // The same content again is stored, by the one task that claims it.
        let saved = try await repository.withBlobWriter { writer in
            let block = Block(lost)
            return [
                try await writer.save(.data, block.withBytes { $0 }, worker: worker),
                try await writer.save(.data, block.withBytes { $0 }, worker: worker),
            ]
        }
        #expect(saved.map(\.isNew) == [true, false])
        #expect(try await repository.loadBlob(.data, saved[0].id, worker: worker) == lost)
        #expect(looks.withLock { $0 } == 3)
    }

    private static func expectUnknown(_ content: [UInt8], in repository: Repository) async {
        let id = BlobID(sha256(content))
        #expect(!repository.index.contains(.data, id) && repository.index.locations(.data, id).isEmpty)
        let failure = await #expect(throws: RepositoryFailure.self) {
            _ = try await repository.loadBlob(.data, id, worker: repository.makeWorker())
        }
        #expect(failure?.code == .missing)
    }

    @Test func `L-08 a second writer through one handle is refused, and the first goes on`() async throws {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        let repository = try await bench.open(store)
        try await repository.withBlobWriter { _ in
            let failure = await #expect(throws: RepositoryFailure.self) {
                try await repository.withBlobWriter { _ in }
            }
            #expect(failure?.code == .invalidRequest)
        }
        try await repository.withBlobWriter { _ in }
    }
}
