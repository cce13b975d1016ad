import Bytes
import ObjectStorage
import Synchronization
import Testing

/// Budgets of bytes a second, on a clock that moves only when somebody waits.
@Suite struct LimitedStorageTests {
    /// Jumps to the end of each wait.
    private final class JumpingClock: TimeSource {
        private let moment = Mutex<UInt64>(5_000_000_000)

        func now() -> Timestamp { Timestamp(seconds: 0) }
        func monotonicNanoseconds() -> UInt64 { moment.withLock { $0 } }
        func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
        func advance(_ nanoseconds: UInt64) { moment.withLock { $0 += nanoseconds } }

        func sleep(nanoseconds: UInt64) async throws {
            try Task.checkCancellation()
            advance(nanoseconds)
        }
    }

    private let clock = JumpingClock()
    private let memory = MemoryStorage()

    private func store(upload: UInt64, download: UInt64) async throws -> LimitedStorage {
        try await memory.prepare()
        return LimitedStorage(memory, uploadBytesPerSecond: upload, downloadBytesPerSecond: download, time: clock)
    }

    private func milliseconds(_ body: () async throws -> Void) async rethrows -> UInt64 {
        let begun = clock.monotonicNanoseconds()
        try await body()
        return (clock.monotonicNanoseconds() - begun) / 1_000_000
    }

    private func bytes(_ count: Int) -> Block { block(String(repeating: "x", count: count)) }

    @Test func `writes and reads take the time of their bytes, each by its own rate`() async throws {
        let store = try await store(upload: 1000, download: 4000)
        let written = try await milliseconds {
            try await store.put(name(.pack, 1), bytes(3000))
            try await store.put(name(.index, 2), bytes(1000))
        }
        #expect(written == 4000)
        let read = try await milliseconds {
            _ = try await store.get(name(.pack, 1))
            _ = try await store.get(name(.pack, 1), range: 0..<1000)
        }
        #expect(read == 1000)
    }

    @Test func `time in which nothing moved is not saved up`() async throws {
        let store = try await store(upload: 1000, download: 0)
        try await store.put(name(.pack, 1), bytes(1000))
        clock.advance(60_000_000_000)
        #expect(try await milliseconds { try await store.put(name(.pack, 2), bytes(2000)) } == 2000)
    }

    @Test func `the rate of the hour counts, and who waits when the bound ends goes on within a minute`() async throws {
        try await memory.prepare()
        let (start, clock) = (clock.monotonicNanoseconds(), clock)
        // Slow for ten seconds, faster until two minutes are over, then without a bound.
        let store = LimitedStorage(
            memory,
            upload: {
                switch (clock.monotonicNanoseconds() - start) / 1_000_000_000 {
                case ..<10: 100
                case ..<120: 1000
                default: nil
                }
            },
            download: nil,
            time: clock
        )
        let slow = try await milliseconds { try await store.put(name(.pack, 1), bytes(1000)) }
        #expect(slow == 10_000)
        let faster = try await milliseconds { try await store.put(name(.pack, 2), bytes(10_000)) }
        #expect(faster == 10_000)
        let cut = try await milliseconds { try await store.put(name(.pack, 3), bytes(900_000)) }
        #expect(cut == 120_000)
        let unbounded = try await milliseconds { try await store.put(name(.pack, 4), bytes(900_000)) }
        #expect(unbounded == 0)
    }

    @Test func `a direction without a rate, locks, listings and removals wait for nothing`() async throws {
        let store = try await store(upload: 1, download: 0)
        let spent = try await milliseconds {
            try await store.put(name(.lock, 1), bytes(100))
            try await store.put(.config, bytes(100))
            try await memory.put(name(.pack, 1), bytes(100))
            _ = try await store.get(name(.pack, 1))
            _ = try await store.list(.pack)
            _ = try await store.size(name(.pack, 1))
            try await store.remove(name(.pack, 1))
        }
        #expect(spent == 0)
    }

    @Test func `A-04 a write that waits for its turn hears a cancellation, and stores nothing`() async throws {
        let store = try await store(upload: 1, download: 0)
        let object = bytes(100)
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask { try await store.put(name(.pack, 1), object) }
                try await group.waitForAll()
            }
        }
        #expect(try await memory.list(.pack).isEmpty)
    }

    @Test func `the slowest rate and the largest objects do not overflow`() async throws {
        let store = try await store(upload: 1, download: 0)
        clock.advance(UInt64.max - 6_000_000_000)
        try await store.put(name(.pack, 1), bytes(100))
        try await store.put(name(.pack, 2), bytes(100))
        #expect(clock.monotonicNanoseconds() == .max)
    }
}
