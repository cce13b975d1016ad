import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// Reads that go wrong on the way and are right on the disk.
@Suite struct FlakyCheckTests {
    @Test func `D-10 a flip on the way is told as transient and is no damage`() async throws {
        let small = try await SmallRepository.make()
        let pack = try #require(try await small.store.list(.pack).max { $0.size < $1.size })
        let name = ObjectName(.pack, pack.digest)
        let flaky = FaultyStorage(
            wrapping: small.store,
            rules: [StorageRule(.flipBit, on: .get, name: name, when: .calls([0]))],
            seed: 3
        )
        let result = try await small.check(flaky)
        #expect(!result.hasErrors && result.errorCount == 0)
        #expect(result.transientReads == 1)
        let line = try #require(result.findings.first?.checkText)
        #expect(line.hasPrefix("check successful on second attempt, original error pack \(pack.digest.hex) contains "))
        #expect(result.brokenPacks.isEmpty && result.affected.isEmpty)
    }

    @Test func `D-10 a read that fails once is tried again`() async throws {
        let small = try await SmallRepository.make()
        for kind in [ObjectKind.pack, .key] {
            let rule = StorageRule(.fail(.io), on: .get, kind: kind, when: .calls([kind == .key ? 1 : 0]))
            let result = try await small.check(FaultyStorage(wrapping: small.store, rules: [rule]))
            #expect(!result.hasErrors, "\(kind): \(result.findings)")
        }
    }

    @Test func `D-11 a healthy repository under flaky reads is called healthy`() async throws {
        let small = try await SmallRepository.make()
        var alarms: [UInt64] = []
        var transient = 0
        for seed in 1...200 as ClosedRange<UInt64> {
            let rules = [
                StorageRule(.flipBit, on: .get, kind: .pack, when: .probability(0.01)),
                StorageRule(.flipBit, on: .get, kind: .index, when: .probability(0.001)),
                StorageRule(.flipBit, on: .get, kind: .snapshot, when: .probability(0.001)),
            ]
            let result = try await small.check(FaultyStorage(wrapping: small.store, rules: rules, seed: seed))
            if result.hasErrors { alarms.append(seed) }
            transient += result.transientReads
        }
        print("D-11 seeds 1...200: \(transient) transient reads told, false alarms at \(alarms)")
        #expect(alarms.isEmpty)
        #expect(transient > 0, "otherwise nothing was proven")
    }

    @Test func `a pack that never reads the same is damage`() async throws {
        let small = try await SmallRepository.make()
        let pack = try #require(try await small.store.list(.pack).max { $0.size < $1.size })
        for fault in [StorageFault.flipBit, .zeros, .misdirect, .shortRead(toBytes: 10), .fail(.io)] {
            let rule = StorageRule(fault, on: .get, name: ObjectName(.pack, pack.digest))
            let result = try await small.check(FaultyStorage(wrapping: small.store, rules: [rule]))
            #expect(result.hasErrors, "\(fault)")
            #expect(result.findings.contains { $0.object == "pack \(pack.digest.hex)" }, "\(fault)")
        }
    }

    @Test func `a store that cannot be listed ends the check with a failure`() async throws {
        let small = try await SmallRepository.make()
        for kind in [ObjectKind.snapshot, .index, .pack] {
            let store = FaultyStorage(wrapping: small.store, rules: [StorageRule(.fail(.io), on: .list, kind: kind)])
            await #expect(throws: StorageFailure.self) { _ = try await small.check(store) }
        }
    }

    @Test func `a cancelled check ends`() async throws {
        let small = try await SmallRepository.make()
        let hanging = FaultyStorage(wrapping: small.store, rules: [StorageRule(.hang, on: .get, kind: .pack)])
        let repository = try await small.open(hanging)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await check(CheckRequest(readData: .all), in: repository) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
