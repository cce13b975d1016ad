import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import Testing

import ResticRepository

/// L2 as the store sees it: what points is stored after what it points to.
@Suite struct OrderTests {
    private static func write(_ bench: BackupBench, files: Int, bytes: Int, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for number in 0..<files { try bench.source.write("\(number % 7)/file\(number)", random.bytes(bytes)) }
    }

    /// Packs that an index of this store names and that are not in it.
    private static func danglingPacks(_ bench: BackupBench, _ store: MemoryStorage) async throws -> Int {
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let present = Set(try await store.list(.pack).map(\.digest))
        return (0..<repository.index.packCount).count { !present.contains(repository.index.packID($0).digest) }
    }

    @Test func `A-02 L2 packs are stored before the index that names them, and both before the snapshot`() async throws
    {
        let bench = BackupBench()
        let inner = MemoryStorage()
        try await bench.create(inner)
        try Self.write(bench, files: 20, bytes: 20_000, seed: 3)
        let clock = bench.clock
        let recorded = FaultyStorage(wrapping: inner.copy())
        let observer = ItemLog { _ in clock.advance(seconds: 61) }
        _ = try await bench.backUp(into: recorded, observer: observer)
        let puts = recorded.calls.filter { $0.operation == .put && $0.kind != .lock }.compactMap(\.kind)
        #expect(puts.last == .snapshot && puts.dropLast().last == .index && puts.count { $0 == .index } > 1)
        #expect(puts.count { $0 == .snapshot } == 1 && puts.count { $0 == .pack } > 5)

        // The same as a reader would find it at the moment before each index and snapshot appears.
        let watched = WatchedStore(inner) { _, operation, name, bytes in
            guard operation == .put, let name, let bytes, name.kind == .index || name.kind == .snapshot else { return }
            let moment = inner.copy()
            moment.overwrite(name, bytes)
            let dangling = try? await Self.danglingPacks(bench, moment)
            #expect(dangling == 0)
            guard name.kind == .snapshot else { return }
            let contents = try? await bench.contents(of: SnapshotID(name.digest), in: moment)
            #expect(contents?.count == 27)
        }
        _ = try await bench.backUp(into: watched, observer: ItemLog { _ in clock.advance(seconds: 61) })
    }

    @Test(.timeLimit(.minutes(10)))
    func `A-08 killed among sixteen uploads in any order, no index names a pack that is not there`() async throws {
        let seed = TestSeed.value
        print("A-08 seed \(seed)")
        var random = SplitMix64(seed: seed)
        let bench = BackupBench(pool: BackupBench.wide, seed: seed)
        let empty = MemoryStorage(connections: 16)
        try await bench.create(empty)
        try Self.write(bench, files: 70, bytes: 12_000, seed: seed)
        var killed = 0
        var indexes = 0
        for round in 0..<40 {
            let inner = empty.copy()
            var rules = [
                StorageRule(
                    Bool.random(using: &random) ? .crashBefore : .crashAfter,
                    on: .put,
                    when: .calls([Int.random(in: 1..<90, using: &random)])
                )
            ]
            for _ in 0..<6 {
                let delay = UInt64.random(in: 20_000...3_000_000, using: &random)
                rules.append(StorageRule(.delay(nanoseconds: delay), on: .put, when: .probability(0.3)))
            }
            let store = FaultyStorage(wrapping: inner, rules: rules, seed: random.next())
            let clock = bench.clock
            let repository = try await bench.open(store, packSizeBytes: 10_000)
            do {
                // Index files fall due all the time, between uploads that have not ended.
                let observer = ItemLog { _ in clock.advance(seconds: 101) }
                _ = try await bench.onPool { try await bench.backUp(to: repository, observer: observer) }
            } catch {
                killed += 1
            }
            let label = Comment(rawValue: "round \(round) of seed \(seed)")
            #expect(try await Self.danglingPacks(bench, inner) == 0, label)
            for snapshot in try await inner.list(.snapshot) {
                let contents = try? await bench.contents(of: SnapshotID(snapshot.digest), in: inner)
                #expect(contents?.count == 77, label)
            }
            indexes += try await inner.list(.index).count
        }
        print("A-08 kills \(killed), \(indexes) indexes looked at")
        #expect(killed > 5 && indexes > 10, "the kills struck too early to prove anything")
    }
}

/// The seed of tests that draw lots: printed by each, repeated by `TEST_SEED`.
enum TestSeed {
    static let value: UInt64 = {
        if let text = ProcessInfo.processInfo.environment["TEST_SEED"], let seed = UInt64(text) { return seed }
        return SystemTime().monotonicNanoseconds() % 1_000_000
    }()
}
