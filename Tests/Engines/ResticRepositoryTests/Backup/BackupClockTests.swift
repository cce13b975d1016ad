import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Testing

import ResticRepository

/// A clock that is set back by so many seconds each time that somebody looks at it.
private struct FallingTime: TimeSource {
    let clock: BackupClock
    let seconds: Int64

    func now() -> Timestamp {
        clock.suspend(seconds: -seconds)
        return clock.now()
    }
    func monotonicNanoseconds() -> UInt64 { clock.monotonicNanoseconds() }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
    func sleep(nanoseconds: UInt64) async throws { try await clock.sleep(nanoseconds: nanoseconds) }
}

/// Clocks that are set back before and during backups (F-01).
@Suite struct BackupClockTests {
    @Test(arguments: [1, 3600, 86_400, 315_360_000] as [Int64])
    func `F-01 a clock that is set back again and again: every snapshot is there, and no time is negative`(
        seconds: Int64
    ) async throws {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var ids: Set<SnapshotID> = []
        for number in 0..<3 {
            try bench.source.write("file \(number)", [UInt8(number)])
            let result = try await bench.onPool {
                var environment = bench.environment()
                environment.time = FallingTime(clock: bench.clock, seconds: seconds)
                let repository = try await Repository.open(
                    store: store,
                    password: Secret(Array(SmallRepository.password.utf8)),
                    environment: environment
                )
                return try await bench.backUp(to: repository)
            }
            #expect(result.duration >= 0 && result.errorCount == 0)
            #expect(!(result.summary.backupEnd.moment < result.summary.backupStart.moment))
            ids.insert(try #require(result.snapshot))
            let contents = try await bench.contents(of: try #require(result.snapshot), in: store)
            #expect(contents.keys.count { $0.hasPrefix("/file ") } == number + 1)
        }
        let repository = try await bench.open(store)
        let listed = try await repository.loadSnapshots { throw $1 }
        #expect(Set(listed.map(\.id)) == ids && ids.count == 3)
        #expect(listed.map(\.document.time.moment) == listed.map(\.document.time.moment).sorted())
        #expect(try await bench.check(store).findings.isEmpty)
    }
}
