import Bytes
import ObjectStorage
import ResticFormat
import Synchronization
import Testing

import ResticRepository

@Suite struct HealthyCheckTests {
    @Test(arguments: [1, 2])
    func `a healthy repository has no findings, whatever is asked for`(version: Int) async throws {
        let small = try await SmallRepository.make(version: version)
        let amounts: [ReadDataAmount] = [
            .none, .all, .subset(group: 1, of: 2), .subset(group: 2, of: 2), .percentage(50), .size(bytes: 100),
        ]
        for amount in amounts {
            let result = try await small.check(nil, CheckRequest(readData: amount, checkUnused: true))
            #expect(result.findings.isEmpty, "\(amount): \(result.findings)")
            #expect(!result.hasErrors && result.errorCount == 0 && result.affected.isEmpty)
            #expect(!result.suggestPrune && !result.suggestRepairIndex && result.brokenPacks.isEmpty)
        }
    }

    @Test func `the stages are announced in restic's words, with progress to the end`() async throws {
        let small = try await SmallRepository.make()
        let observer = RecordingObserver()
        _ = try await small.check(nil, CheckRequest(readData: .all), observer: observer)
        #expect(
            observer.phases.withLock { $0 } == [
                "load indexes", "check all packs", "check snapshots, trees and blobs", "read all data",
            ]
        )
        let packs = try await small.store.list(.pack)
        let bytes = packs.reduce(0) { $0 + $1.size }
        #expect(
            observer.last.withLock { $0 }
                == CheckProgress(done: packs.count, total: packs.count, bytesDone: bytes, bytesTotal: bytes)
        )
    }

    @Test func `a check of one snapshot reads the packs that it needs alone`() async throws {
        let small = try await SmallRepository.make()
        let faulty = FaultyStorage(wrapping: small.store)
        let result = try await small.check(
            faulty,
            CheckRequest(readData: .all, snapshots: [ByteString(small.snapshots[0].id.hex)])
        )
        #expect(result.findings.isEmpty)
        let all = try await small.check(nil, CheckRequest(readData: .all))
        #expect(all.findings.isEmpty)

        let observer = RecordingObserver()
        _ = try await small.check(
            nil,
            CheckRequest(readData: .all, filter: SnapshotFilter(tags: [[""]])),
            observer: observer
        )
        let first = observer.last.withLock { $0.total }
        #expect(observer.phases.withLock { $0.last } == "read all filtered data")
        let packs = try await small.store.list(.pack).count
        #expect(first < packs, "the packs that the second snapshot added are not read")
    }

    @Test func `a snapshot that does not exist is an error, as for restic`() async throws {
        let small = try await SmallRepository.make()
        let result = try await small.check(nil, CheckRequest(snapshots: ["deadbeef"]))
        #expect(result.hasErrors && result.errorCount == 1)
        #expect(result.findings.first?.checkText == "error: no matching ID found for prefix \"deadbeef\"")
    }

    @Test func `numbers that make no sense are refused before anything is read`() async throws {
        let small = try await SmallRepository.make()
        let wrong: [ReadDataAmount] = [
            .subset(group: 0, of: 2), .subset(group: 3, of: 2), .subset(group: 1, of: 257), .percentage(0),
            .percentage(100.5), .size(bytes: 0),
        ]
        for amount in wrong {
            await #expect(throws: RepositoryFailure.self) {
                _ = try await small.check(nil, CheckRequest(readData: amount))
            }
        }
    }

    @Test func `each pack is in exactly one of n groups`() async throws {
        let small = try await SmallRepository.make()
        var total = 0
        for group in 1...3 {
            let observer = RecordingObserver()
            _ = try await small.check(nil, CheckRequest(readData: .subset(group: group, of: 3)), observer: observer)
            if observer.phases.withLock({ $0.last?.hasPrefix("read group") ?? false }) {
                total += observer.last.withLock { $0.bytesTotal > 0 ? $0.total : 0 }
            }
        }
        #expect(total == (try await small.store.list(.pack).count))
    }

    @Test func `an unused blob is told when asked for`() async throws {
        let small = try await SmallRepository.make()
        try await small.store.remove(ObjectName(.snapshot, small.snapshots[1].id.digest))
        let quiet = try await small.check()
        #expect(quiet.findings.isEmpty)
        let result = try await small.check(nil, CheckRequest(checkUnused: true))
        #expect(result.findings.contains { $0.checkText.hasPrefix("unused blob <tree/") })
        #expect(result.findings.contains { $0.checkText.hasPrefix("unused blob <data/") })
        #expect(!result.hasErrors)
    }

    @Test func `a check after which the index was loaded already is refused`() async throws {
        let small = try await SmallRepository.make()
        let repository = try await small.open()
        try await repository.loadIndex()
        await #expect(throws: RepositoryFailure.self) { _ = try await check(CheckRequest(), in: repository) }
    }
}
