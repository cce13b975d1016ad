import Bytes
import HostSystem
import ObjectStorage
import Outcome
import Testing

@Suite struct FaultyStorageTests {
    private func store(_ rules: [StorageRule], seed: UInt64 = 1) async throws -> FaultyStorage {
        let memory = MemoryStorage()
        try await memory.prepare()
        try await memory.put(name(.pack, 1), block("the content of pack one"))
        try await memory.put(name(.pack, 2), block("and the content of pack two"))
        return FaultyStorage(wrapping: memory, rules: rules, seed: seed)
    }

    @Test func `the n-th call of a kind fails before or after its effect`() async throws {
        let store = try await store([
            StorageRule(.fail(.noSpace), on: .put, kind: .index, when: .calls([1])),
            StorageRule(.failAfter(.timeout), on: .put, kind: .index, when: .calls([2])),
        ])
        try await store.put(name(.index, 1), block("a"))
        try await store.put(name(.snapshot, 1), block("a"))
        #expect(await code { try await store.put(name(.index, 2), block("b")) } == .noSpace)
        #expect(await code { try await store.put(name(.index, 3), block("c")) } == .timeout)
        #expect(Set(try await store.list(.index).map(\.digest)) == [name(.index, 1).digest, name(.index, 3).digest])
        #expect(store.count(.put) == 4)
        #expect(store.count(.put, .index) == 3)
    }

    @Test func `lies of a store look like success`() async throws {
        let store = try await store([
            StorageRule(.ghostPut, on: .put, when: .calls([0])),
            StorageRule(.truncatePut(toBytes: 3), on: .put, when: .calls([1])),
        ])
        try await store.put(name(.index, 1), block("ghost"))
        try await store.put(name(.index, 2), block("truncated"))
        #expect(try await !store.has(name(.index, 1)))
        #expect(try await store.get(name(.index, 2)).bytes == Array("tru".utf8))
    }

    @Test func `D-10 flipped bits follow from the seed and differ by one bit`() async throws {
        let rule = StorageRule(.flipBit, on: .get, when: .probability(0.3))
        func reads(_ seed: UInt64) async throws -> [[UInt8]] {
            let store = try await store([rule], seed: seed)
            var all: [[UInt8]] = []
            for _ in 0..<200 { all.append(try await store.get(name(.pack, 1)).bytes) }
            return all
        }
        let right = Array("the content of pack one".utf8)
        let first = try await reads(7)
        #expect(try await reads(7) == first)
        #expect(try await reads(8) != first)
        let wrong = first.filter { $0 != right }
        #expect((30...90).contains(wrong.count), "\(wrong.count) of 200")
        for bytes in wrong { #expect(zip(bytes, right).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount } == 1) }
    }

    @Test func `B-13 zeros, bytes of another object and short reads`() async throws {
        let store = try await store([
            StorageRule(.zeros, on: .get, when: .calls([0])), StorageRule(.misdirect, on: .get, when: .calls([1])),
            StorageRule(.shortRead(toBytes: 4), on: .get, when: .calls([2])),
        ])
        #expect(try await store.get(name(.pack, 1)).bytes.allSatisfy { $0 == 0 })
        #expect(try await store.get(name(.pack, 1)).bytes == Array("and the content of pack".utf8))
        #expect(try await store.get(name(.pack, 1)).bytes == Array("the ".utf8))
        #expect(try await store.get(name(.pack, 1)).bytes == Array("the content of pack one".utf8))
    }

    @Test func `a stale list is the one of the time before`() async throws {
        let store = try await store([StorageRule(.staleList, on: .list, kind: .pack, when: .calls([0, 2]))])
        #expect(try await store.list(.pack).isEmpty)
        #expect(try await store.list(.pack).count == 2)
        try await store.put(name(.pack, 3), block("new"))
        #expect(try await store.list(.pack).count == 2)
        #expect(try await store.list(.pack).count == 3)
    }

    @Test func `after a crash nothing answers and the effects stand as they were`() async throws {
        let store = try await store([StorageRule(.crashAfter, when: .overall(1))])
        try await store.put(name(.index, 1), block("a"))
        #expect(await code { try await store.put(name(.index, 2), block("b")) } == .diskGone)
        #expect(await code { try await store.put(name(.index, 3), block("c")) } == .diskGone)
        #expect(await code { _ = try await store.list(.index) } == .diskGone)
        store.setRules([])
        #expect(try await store.list(.index).count == 2)
    }

    @Test func `Q-06 a store that hangs ends with the task and a slow one waits on the clock it was given`()
        async throws
    {
        let store = try await store([
            StorageRule(.hang, on: .get, when: .calls([0])), StorageRule(.delay(nanoseconds: 5_000_000_000), on: .size),
        ])
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await store.get(name(.pack, 1)) }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
        let clock = StoppedClock()
        let slow = FaultyStorage(wrapping: MemoryStorage(), rules: [StorageRule(.delay(nanoseconds: 9))], time: clock)
        try await slow.prepare()
        #expect(clock.slept.next() == 2)
    }

    @Test func `every call is recorded with what struck it`() async throws {
        let store = try await store([StorageRule(.fail(.busy), on: .remove)])
        _ = try await store.get(name(.pack, 1), range: 0..<4)
        _ = await code { try await store.remove(name(.pack, 1)) }
        let calls = store.calls
        #expect(calls.map(\.operation) == [.get, .remove])
        #expect(calls.map(\.number) == [0, 1])
        #expect(calls[0].range == 0..<4)
        #expect(calls[1].fault == .fail(.busy))
        store.forgetCalls()
        #expect(store.calls.isEmpty)
    }

    @Test func `every code has a retry class and an exit status, and no two share a name`() {
        #expect(Set(StorageCode.allCases.map(\.rawValue)).count == StorageCode.allCases.count)
        #expect(StorageCode.allCases.allSatisfy { $0.exitStatus == ($0 == .noBucket ? .noRepository : .failed) })
        for kind in ErrnoKind.allCases { #expect((StorageCode(kind) == .notFound) == (kind == .missing)) }
    }
}

/// A clock on which nothing takes time.
private struct StoppedClock: TimeSource {
    let slept = Counter()

    func now() -> Timestamp { Timestamp(seconds: 0) }
    func monotonicNanoseconds() -> UInt64 { 0 }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
    func sleep(nanoseconds: UInt64) async throws { _ = slept.next() }
}
