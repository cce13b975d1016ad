import Bytes
import ObjectStorage
import Outcome
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

    @Test func `L2 a writer after a failed one, under the same lock, names its packs as well`() async throws {
        let bench = BackupBench()
        let inner = MemoryStorage()
        try await bench.create(inner)
        let files = try Self.write(bench)
        let store = FaultyStorage(
            wrapping: inner,
            rules: [StorageRule(.fail(.io), on: .put, kind: .index, when: .calls([0]))]
        )
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let save: @Sendable () async throws -> BackupResult = {
            try await backup(bench.request(), to: repository, observer: ItemLog())
        }
        await #expect(throws: StorageFailure.self) { _ = try await bench.onPool(save) }
        let result = try await bench.onPool(save)
        #expect(try await bench.contents(of: try #require(result.snapshot), in: inner) == files)
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
