import Bytes
import ObjectStorage
import Outcome
import Synchronization
import Testing

import ResticRepository

/// A lock that is lost, late or in doubt while a backup runs.
@Suite struct LostLockTests {
    private static func scene() async throws -> (BackupBench, MemoryStorage) {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 4)
        for number in 0..<6 { try bench.source.write("file\(number)", random.bytes(40_000)) }
        return (bench, store)
    }

    /// A handle of a process that knows which locks it left.
    private static func open(
        _ store: any ObjectStorage,
        _ bench: BackupBench,
        _ left: LeftLocks
    ) async throws -> Repository {
        var environment = bench.environment()
        environment.leftLocks = left
        return try await Repository.open(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: environment
        )
    }

    /// Somebody else's `unlock --remove-all`.
    private static func removeLocks(_ store: MemoryStorage) async throws {
        for lock in try await store.list(.lock) { try await store.remove(ObjectName(.lock, lock.digest)) }
    }

    @Test func `L-03 a backup whose lock was taken away stops before it makes anything true`() async throws {
        let (bench, base) = try await Self.scene()
        let clean = FaultyStorage(wrapping: base.copy())
        _ = try await bench.backUp(into: clean)
        let locked = try #require(clean.calls.firstIndex { $0.operation == .put && $0.kind == .lock })
        let committed = try #require(clean.calls.firstIndex { $0.operation == .put && $0.kind == .snapshot })
        // From the second look at the locks, which ends the taking, to the last before the snapshot.
        let first = try #require(clean.calls[locked...].firstIndex { $0.operation == .list && $0.kind == .lock }) + 1
        let last = try #require(clean.calls[..<committed].lastIndex { $0.operation == .list && $0.kind == .lock })
        for point in first...last {
            let inner = base.copy()
            let late = Mutex<[ObjectKind]>([])
            let store = WatchedStore(inner) { number, operation, name, _ in
                if number == point { try await Self.removeLocks(inner) }
                if number > point, operation == .put, let name { late.withLock { $0.append(name.kind) } }
            }
            let failure = await #expect(throws: RepositoryFailure.self, "call \(point)") {
                _ = try await bench.backUp(into: store)
            }
            #expect(failure?.code == .lockLost && failure?.code.rawValue == "E-LOCK-LOST", "call \(point)")
            #expect(failure?.state.contains("nothing visible") == true && failure?.next.isEmpty == false)
            #expect(try await inner.list(.snapshot).isEmpty, "call \(point)")
            #expect(try await inner.list(.lock).isEmpty, "call \(point)")
            #expect(late.withLock { !$0.contains(.snapshot) }, "call \(point)")
        }
        print("L-03 lock lost at \(last - first + 1)/\(last - first + 1) calls, lost 0")
    }

    @Test func `L-03 a machine that slept while others unlocked and pruned writes no snapshot`() async throws {
        let (bench, inner) = try await Self.scene()
        let store = WatchedStore(inner) { _, operation, name, _ in
            guard operation == .put, name?.kind == .index else { return }
            bench.clock.suspend(seconds: 7_200)
            try await Self.removeLocks(inner)
            for pack in try await inner.list(.pack) { try await inner.remove(ObjectName(.pack, pack.digest)) }
        }
        let failure = await #expect(throws: RepositoryFailure.self) { _ = try await bench.backUp(into: store) }
        #expect(failure?.code == .lockLost)
        #expect(try await inner.list(.snapshot).isEmpty)
    }

    @Test func `F-07 a machine that slept and lost nothing renews its lock before it commits`() async throws {
        let (bench, inner) = try await Self.scene()
        let puts = Mutex<[ObjectKind]>([])
        let store = WatchedStore(inner) { _, operation, name, _ in
            guard operation == .put, let name else { return }
            let isFirstPack = puts.withLock { puts in
                puts.append(name.kind)
                return name.kind == .pack && puts.count { $0 == .pack } == 1
            }
            if isFirstPack { bench.clock.suspend(seconds: 7_200) }
        }
        let result = try await bench.backUp(into: store)
        #expect(result.snapshot != nil)
        let order = puts.withLock { $0 }
        let renewed = try #require(order.lastIndex(of: .lock))
        let committed = try #require(order.firstIndex(of: .index))
        #expect(renewed > 0 && renewed < committed)
        #expect(try await inner.list(.lock).isEmpty)
    }

    @Test func `L-02 a lock that cannot be renewed in time stops the commit; one late renewal does not`() async throws {
        for failures in [1, 99] {
            let (bench, inner) = try await Self.scene()
            let rule = StorageRule(
                .fail(.timeout),
                on: .put,
                kind: .lock,
                when: .calls(Set(1...failures))
            )
            let store = FaultyStorage(wrapping: inner, rules: [rule])
            let clock = bench.clock
            let items = Mutex(0)
            // Small files are completed a batch at a time: between them no renewal can run, so that few may take their time.
            let observer = ItemLog { _ in
                let number = items.withLock { count in
                    count += 1
                    return count
                }
                if failures > 1 || number <= 2 { clock.advance(seconds: 301) }
            }
            let result = try? await bench.backUp(into: store, observer: observer)
            #expect((result?.snapshot != nil) == (failures == 1))
            #expect(try await inner.list(.snapshot).count == (failures == 1 ? 1 : 0))
            #expect(try await inner.list(.lock).isEmpty)
        }
    }

    @Test func `L-02 a late lock beside an exclusive one gives way`() async throws {
        let (bench, inner) = try await Self.scene()
        let other = try await LockPlanter(bench).plant(.exclusive, host: "elsewhere", process: 9, in: inner)
        let store = WatchedStore(inner) { _, operation, name, _ in
            guard operation == .put, name?.kind == .pack, try await inner.list(.lock).count == 1 else { return }
            inner.overwrite(other.name, other.bytes)
            bench.clock.suspend(seconds: 1_500)
        }
        let failure = await #expect(throws: RepositoryFailure.self) { _ = try await bench.backUp(into: store) }
        #expect(failure?.code == .locked)
        #expect(try await inner.list(.snapshot).isEmpty)
        #expect(try await inner.list(.lock).map(\.digest) == [other.name.digest])
    }

    @Test func `L-02 a renewal that is under way when the backup ends leaves no lock behind`() async throws {
        let (bench, base) = try await Self.scene()
        for operation in [StorageOperation.list, .put, .size, .remove] {
            let inner = base.copy()
            let renewing = Mutex(false)
            let store = WatchedStore(inner) { _, called, name, _ in
                if called == .get, name?.kind == .index { return }
                if called == .put, name?.kind == .pack {
                    let isFirst = renewing.withLock { renewing in
                        defer { renewing = true }
                        return !renewing
                    }
                    if isFirst { bench.clock.advance(seconds: 301) }
                }
                guard renewing.withLock({ $0 }), name?.kind == .lock, called == operation else { return }
                // The renewal is slow, and everything else goes on meanwhile.
                for _ in 0..<200 { await Task.yield() }
            }
            _ = try await bench.backUp(into: store)
            #expect(try await inner.list(.lock).isEmpty, "slow at \(operation)")
        }
    }

    @Test func `B-05 a lock left on a disk that was pulled is removed by the same process when the disk is back`()
        async throws
    {
        let (bench, inner) = try await Self.scene()
        let gone = StorageRule(.fail(.io), on: .remove, kind: .lock)
        let left = LeftLocks()
        let repository = try await Self.open(FaultyStorage(wrapping: inner, rules: [gone]), bench, left)
        try await bench.onPool { try await repository.withLock(.shared) {} }
        #expect(try await inner.list(.lock).count == 1)
        // Who prunes next is the same process, with a handle of its own.
        let next = try await Self.open(inner, bench, left)
        try await bench.onPool { try await next.withLock(.exclusive) {} }
        #expect(try await inner.list(.lock).isEmpty)
    }

    @Test func `B-05 a lock that this process holds still is not taken for one that it left`() async throws {
        let (bench, inner) = try await Self.scene()
        let left = LeftLocks()
        let (first, second) = (try await Self.open(inner, bench, left), try await Self.open(inner, bench, left))
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await bench.onPool {
                try await first.withLock(.shared) { try await second.withLock(.exclusive) {} }
            }
        }
        #expect(failure?.code == .locked)
        #expect(try await inner.list(.lock).isEmpty)
    }
}
