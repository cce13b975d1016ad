import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Stores that are too full for a lock file (C-06).
@Suite struct FullStoreTests {
    private static func full(_ code: StorageCode) async throws -> (BackupBench, MemoryStorage, FaultyStorage) {
        let bench = BackupBench()
        let memory = MemoryStorage()
        try await bench.create(memory)
        let rules = [StorageRule(.fail(code), on: .put, kind: .lock)]
        return (bench, memory, FaultyStorage(wrapping: memory, rules: rules, seed: 1))
    }

    @Test(arguments: [StorageCode.noSpace, .noInodes, .quota])
    func `C-06 without room for a lock nothing is done, and it is said what can be`(code: StorageCode) async throws {
        let (bench, _, store) = try await Self.full(code)
        let repository = try await bench.open(store)
        let isRun = Mutex(false)
        let failure = await #expect(throws: StorageFailure.self) {
            try await repository.withLock(.exclusive) { isRun.withLock { $0 = true } }
        }
        #expect(failure?.next.contains("--unsafe-recover-no-free-space \(repository.config.id.hex)") == true)
        #expect(!isRun.withLock { $0 })
    }

    @Test(arguments: [StorageCode.noSpace, .noInodes, .quota])
    func `C-06 who must go on without room goes on without a lock, and says so`(code: StorageCode) async throws {
        let (bench, _, store) = try await Self.full(code)
        let warnings = Mutex<[String]>([])
        let repository = try await bench.open(store) { options in
            options.warn = { text in warnings.withLock { $0.append(text) } }
        }
        let done = try await repository.withLock(.exclusive, goesOnWithoutRoom: true) { true }
        #expect(done && warnings.withLock { $0.count } == 1)
        #expect(try await store.list(.lock).isEmpty)
    }

    @Test func `C-06 a lock of somebody else stops it all the same, and so does any other failure`() async throws {
        let (bench, memory, store) = try await Self.full(.noSpace)
        let lock = try await LockPlanter(bench).plant(.exclusive, host: "elsewhere", process: 9, in: memory)
        memory.overwrite(lock.name, lock.bytes)
        let repository = try await bench.open(store)
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await repository.withLock(.exclusive, goesOnWithoutRoom: true) {}
        }
        #expect(failure?.code == .locked)
        let (other, _, forbidding) = try await Self.full(.permission)
        let forbidden = try await other.open(forbidding)
        await #expect(throws: StorageFailure.self) {
            try await forbidden.withLock(.exclusive, goesOnWithoutRoom: true) {}
        }
    }
}
