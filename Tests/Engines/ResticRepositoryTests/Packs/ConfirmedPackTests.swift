import Bytes
import ObjectStorage
import Outcome
import Testing

import ResticRepository

/// Packs in a store behind a network are asked for together, before an index file names them.
@Suite struct ConfirmedPackTests {
    /// A source of about nine packs.
    private static func bench() async throws -> (BackupBench, MemoryStorage) {
        let bench = BackupBench()
        var random = SplitMix64(seed: 5)
        for number in 0..<18 { try bench.source.write("/file\(number)", random.bytes(30_000)) }
        let store = MemoryStorage()
        try await bench.create(store)
        return (bench, store)
    }

    @Test func `many packs cost one listing, and no question each`() async throws {
        let (bench, inner) = try await Self.bench()
        let store = FaultyStorage(wrapping: inner)
        _ = try await bench.backUp(into: store)
        let packs = store.count(.put, .pack)
        #expect(packs > 3)
        #expect(store.count(.size, .pack) == 0 && store.count(.list, .pack) == 1)
        let calls = store.calls
        let listed = try #require(calls.firstIndex { $0.operation == .list && $0.kind == .pack })
        let named = try #require(calls.firstIndex { $0.operation == .put && $0.kind == .index })
        let lastPut = try #require(calls.lastIndex { $0.operation == .put && $0.kind == .pack })
        #expect(lastPut < listed && listed < named, "L2")
    }

    @Test func `on a disk of the machine each pack is asked for at once`() async throws {
        let (bench, inner) = try await Self.bench()
        let store = FaultyStorage(wrapping: inner, isLocalDisk: true)
        _ = try await bench.backUp(into: store)
        #expect(store.count(.size, .pack) == store.count(.put, .pack) && store.count(.list, .pack) == 0)
    }

    @Test(arguments: [StorageFault.ghostPut, .truncatePut(toBytes: 9000)])
    func `E-03 a pack that the store took and lost is found before anything names it`(fault: StorageFault) async throws
    {
        let (bench, inner) = try await Self.bench()
        let store = FaultyStorage(
            wrapping: inner,
            rules: [StorageRule(fault, on: .put, kind: .pack, when: .calls([2]))]
        )
        let failure = await #expect(throws: RepositoryFailure.self) { _ = try await bench.backUp(into: store) }
        #expect(failure?.code == .verification && failure?.what.contains("taken by the store") == true)
        let left = try await inner.list(.index) + inner.list(.snapshot)
        #expect(left.isEmpty)
        // What is there is used by the next one, once an index names it, and nothing else is missing.
        #expect(try await bench.backUp(into: inner).errorCount == 0)
        #expect(try await !bench.check(inner).hasErrors)
    }

    @Test func `E-05 a listing that lacks a pack is not believed before the pack itself was asked for`() async throws {
        let (bench, inner) = try await Self.bench()
        let store = FaultyStorage(wrapping: inner, rules: [StorageRule(.staleList, on: .list, kind: .pack)])
        _ = try await bench.backUp(into: store)
        #expect(store.count(.size, .pack) == store.count(.put, .pack))
        #expect(try await !bench.check(inner).hasErrors)
    }

    @Test(arguments: [StorageFault.ghostPut, .truncatePut(toBytes: 20)])
    func `E-03 a lock that the store took and lost holds nobody off, and is told`(fault: StorageFault) async throws {
        let (bench, inner) = try await Self.bench()
        let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, on: .put, kind: .lock)])
        let failure = await #expect(throws: RepositoryFailure.self) { _ = try await bench.backUp(into: store) }
        #expect(failure?.code == .verification)
        let left = try await inner.list(.pack) + inner.list(.lock)
        #expect(left.isEmpty)
    }
}
