import Bytes
import HostSystem
import ObjectStorage
import Outcome
import Testing

import ResticRepository

/// A backup that is cancelled at every call of the store, while the call goes on or never answers.
@Suite struct CancelTests {
    private struct Ending {
        var seconds: Double
        var operation: StorageOperation
        var kind: ObjectKind?
        var result: Result<BackupResult, any Error>?
    }

    /// Its own thread: what is measured is how long the end takes, not the queue of other tests.
    private static let pool = BackupBench.makePool(width: 1)

    private static func scene() async throws -> (BackupBench, MemoryStorage) {
        let bench = BackupBench(pool: Self.pool)
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 2)
        for number in 0..<4 { try bench.source.write("sub/file\(number)", random.bytes(40_000)) }
        _ = try await bench.backUp(into: store)
        for number in 2..<6 { try bench.source.write("sub/file\(number)", random.bytes(40_001)) }
        return (bench, store)
    }

    /// Cancels when call `point` has begun; the call then goes on, or hangs for ever.
    private static func run(
        _ bench: BackupBench,
        _ inner: MemoryStorage,
        cancelledAt point: Int,
        isHanging: Bool
    ) async -> Ending {
        let (reached, signal) = AsyncStream.makeStream(of: (StorageOperation, ObjectKind?).self)
        let store = WatchedStore(inner) { number, operation, name, _ in
            guard number == point else { return }
            signal.yield((operation, name?.kind))
            if isHanging { while true { try await Task.sleep(nanoseconds: 3_600_000_000_000) } }
            while !Task.isCancelled { await Task.yield() }
        }
        return await withTaskGroup(of: (Result<BackupResult, any Error>, endedAt: UInt64).self) { group in
            group.addTask(executorPreference: bench.pool) {
                defer { signal.finish() }
                let result: Result<BackupResult, any Error>
                do {
                    result = .success(try await bench.backUp(into: store, seed: 1_000_000))
                } catch {
                    result = .failure(error)
                }
                // Taken here, since the threads that the test itself comes back to belong to all tests.
                return (result, SystemTime().monotonicNanoseconds())
            }
            var struck: (StorageOperation, ObjectKind?)?
            for await call in reached {
                struck = call
                break
            }
            let start = SystemTime().monotonicNanoseconds()
            group.cancelAll()
            let end = await group.next()
            let seconds = Double((end?.endedAt ?? .max) - start) / 1e9
            return Ending(seconds: seconds, operation: struck?.0 ?? .prepare, kind: struck?.1, result: end?.0)
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: [true, false])
    func `A-04 Q-06 a backup that is cancelled at any call ends at once and takes its lock with it`(
        isHanging: Bool
    ) async throws {
        let (bench, base) = try await Self.scene()
        let clean = FaultyStorage(wrapping: base.copy())
        _ = try await bench.backUp(into: clean, seed: 1_000_000)
        let points = clean.calls.count
        var (hangs, slowest) = (0, 0.0)
        for point in 0..<points {
            let inner = base.copy()
            let ending = await Self.run(bench, inner, cancelledAt: point, isHanging: isHanging)
            let kind = ending.kind
            let label = Comment(rawValue: "call \(point), \(ending.operation) \(kind?.rawValue ?? "")")
            #expect(ending.operation == clean.calls[point].operation, label)
            slowest = max(slowest, ending.seconds)
            // The promise is 2 s; a machine that runs all tests at once gets more before it counts as hanging.
            if ending.seconds >= 20 { hangs += 1 }
            #expect(ending.seconds < 20, label)
            let isRelease = ending.operation == .remove && kind == .lock
            if !(isHanging && isRelease) { #expect(try await inner.list(.lock).isEmpty, label) }
            let snapshots = try await inner.list(.snapshot).count
            switch ending.result {
            case .success: #expect(snapshots == 2 && (kind == .snapshot || isRelease), label)
            case .failure(let error):
                #expect(error is CancellationError, "\(label): \(error)")
                #expect(snapshots == 1 || (kind == .snapshot && ending.operation == .size), label)
            case nil: Issue.record(label)
            }
            guard point % 5 == 0 else { continue }
            let next = try await bench.backUp(into: inner, process: 2)
            #expect(next.errorCount == 0, label)
            let verdict = try await bench.check(inner)
            #expect(!verdict.hasErrors, label)
        }
        print(
            "Q-06 A-04 cancelled, \(isHanging ? "hanging" : "going on"): hangs \(hangs)/\(points), slowest \(Int(slowest * 1000)) ms"
        )
    }
}
