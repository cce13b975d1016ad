import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Makes lock files as other processes and machines leave them.
struct LockPlanter {
    let bench: BackupBench

    init(_ bench: BackupBench) { self.bench = bench }

    /// A lock file of that process, written `age` seconds ago, negative for the future.
    func plant(
        _ mode: LockMode,
        host: ByteString = "host",
        process: Int32,
        age: Int64 = 0,
        in source: MemoryStorage? = nil
    ) async throws -> (name: ObjectName, bytes: Block) {
        let scene = source?.copy() ?? MemoryStorage()
        for (name, _) in scene.contents where name.kind == .lock { try await scene.remove(name) }
        if source == nil { try await bench.create(scene) }
        let clock = BackupClock()
        clock.suspend(seconds: bench.clock.now().seconds - clock.now().seconds - age)
        var environment = bench.environment(process: process)
        environment.time = clock
        environment.hostName = host
        let repository = try await Repository.open(
            store: scene,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: environment
        )
        return try await repository.withLock(mode) {
            guard let lock = scene.contents.first(where: { $0.key.kind == .lock }) else { throw BenchProblem.noLock }
            return (lock.key, lock.value)
        }
    }
}

/// Locks that a backup finds when it starts (L-02, L-04).
@Suite struct FoundLockTests {
    private static func scene() async throws -> (BackupBench, MemoryStorage) {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        try bench.source.write("file", [1, 2, 3])
        return (bench, store)
    }

    @Test func `L-04 an empty lock file is a crash of somebody and in nobody's way`() async throws {
        let (bench, store) = try await Self.scene()
        store.overwrite(ObjectName(.lock, Digest(a: 1, b: 2, c: 3, d: 4)), Block([UInt8]()))
        #expect(try await bench.backUp(into: store).snapshot != nil)
    }

    @Test func `L-04 a lock that cannot be read counts as held, and is named with the way out`() async throws {
        let (bench, store) = try await Self.scene()
        let garbage: [[UInt8]] = [[0], Array(repeating: 0xAA, count: 200), SplitMix64Bytes.some(5_000)]
        for bytes in garbage {
            let inner = store.copy()
            let name = ObjectName(.lock, Digest(a: 0xABCD << 48, b: 2, c: 3, d: 4))
            inner.overwrite(name, Block(bytes))
            let failure = await #expect(throws: RepositoryFailure.self) { _ = try await bench.backUp(into: inner) }
            #expect(failure?.code == .lockInvalid && failure?.object.contains(name.digest.short) == true)
            #expect(failure?.next.contains("unlock --remove-all") == true)
            #expect(try await inner.list(.snapshot).isEmpty)
            #expect(try await bench.open(inner).unlock(removeAll: true) == 1)
            #expect(try await bench.backUp(into: inner).snapshot != nil)
        }
    }

    @Test func `L-02 L-04 which foreign locks stop a backup`() async throws {
        let (bench, store) = try await Self.scene()
        struct Case {
            var mode: LockMode
            var host: ByteString
            var process: Int32
            var age: Int64
            var stops: Bool
            var isStale: Bool
        }
        let cases: [Case] = [
            Case(mode: .shared, host: "elsewhere", process: 9, age: 10, stops: false, isStale: false),
            Case(mode: .shared, host: "elsewhere", process: 9, age: 90_000, stops: false, isStale: true),
            Case(mode: .shared, host: "elsewhere", process: 9, age: -90_000, stops: false, isStale: false),
            Case(mode: .exclusive, host: "elsewhere", process: 9, age: 10, stops: true, isStale: false),
            // A clock elsewhere may be wrong by days: nobody's lock goes because it looks old (F-03).
            Case(mode: .exclusive, host: "elsewhere", process: 9, age: 90_000, stops: true, isStale: true),
            Case(mode: .exclusive, host: "elsewhere", process: 9, age: -90_000, stops: true, isStale: false),
            // Our own name is no proof: a container may have it, too. Its age is, with the process gone.
            Case(mode: .exclusive, host: "host", process: 9, age: 10, stops: true, isStale: true),
            Case(mode: .exclusive, host: "host", process: 9, age: 1_900, stops: false, isStale: true),
            Case(mode: .exclusive, host: "host", process: 1, age: 1_900, stops: true, isStale: true),
            Case(mode: .exclusive, host: "host", process: 1, age: 10, stops: true, isStale: false),
        ]
        for each in cases {
            let inner = store.copy()
            let lock = try await LockPlanter(bench).plant(
                each.mode,
                host: each.host,
                process: each.process,
                age: each.age,
                in: store
            )
            inner.overwrite(lock.name, lock.bytes)
            let unlocked = inner.copy()
            let label = Comment(rawValue: "\(each)")
            if each.stops {
                let failure = await #expect(throws: RepositoryFailure.self, label) {
                    _ = try await bench.backUp(into: inner)
                }
                #expect(failure?.code == .locked && failure?.exitStatus.rawValue == 11, label)
                #expect(failure?.what.contains("PID \(each.process) on \(each.host)") == true, label)
                #expect(try await inner.list(.lock).count == 1, label)
            } else {
                #expect(try await bench.backUp(into: inner).snapshot != nil, label)
            }
            #expect(try await bench.open(unlocked).unlock(removeAll: false) == (each.isStale ? 1 : 0), label)
        }
    }

    /// What a lock says of its process, and what follows from it.
    private struct MarkCase: Sendable {
        var what: String
        var mark: ProcessMark
        var isGone: Bool
    }

    private static let here = ProcessMark(boot: "now", namespace: "pid:[1]", startTicks: 50)

    private static let markCases = [
        MarkCase(what: "the process lives", mark: here, isGone: false),
        MarkCase(
            what: "a later process has its number",
            mark: ProcessMark(boot: "now", namespace: "pid:[1]", startTicks: 49),
            isGone: true
        ),
        MarkCase(
            what: "the machine was started anew",
            mark: ProcessMark(boot: "before", namespace: "pid:[1]", startTicks: 50),
            isGone: true
        ),
        MarkCase(
            what: "a container whose processes we cannot see",
            mark: ProcessMark(boot: "now", namespace: "pid:[2]", startTicks: 49),
            isGone: false
        ),
    ]

    /// A repository as a process sees it that lives at the same time, with one exclusive lock of that mark and age.
    private static func locked(by each: MarkCase, age: Int64, _ bench: BackupBench, _ store: MemoryStorage) async throws
        -> Repository
    {
        var environment = bench.environment(process: 2)
        environment.processMark = { _ in here }
        environment.isAlive = { _ in true }
        var lock = LockDocument(
            time: environment.zoned(Timestamp(seconds: bench.clock.now().seconds - age)),
            exclusive: true,
            hostname: "host",
            username: "user",
            pid: 1,
            uid: 0,
            gid: 0
        )
        lock.processMark = each.mark.text
        let password = Secret(Array(SmallRepository.password.utf8))
        let repository = try await Repository.open(store: store.copy(), password: password, environment: environment)
        _ = try await repository.saveUnpacked(.lock, lock.encode())
        return repository
    }

    @Test func `L-02 F-02 a lock is judged by boot, namespace and start of its process, not by its number`()
        async throws
    {
        let (bench, store) = try await Self.scene()
        for each in Self.markCases {
            for (age, isOld) in [(10, false), (1_900, true)] as [(Int64, Bool)] {
                let label = Comment(rawValue: "\(each.what), \(age) s")
                let repository = try await Self.locked(by: each, age: age, bench, store)
                let isCleared = try await bench.onPool {
                    do {
                        try await repository.withLock(.shared) {}
                        return true
                    } catch let failure as RepositoryFailure where failure.code == .locked {
                        return false
                    }
                }
                // A mark of this boot and namespace proves the death alone; without one, the name of a host is no proof.
                let isProven = each.mark.boot == Self.here.boot && each.mark.namespace == Self.here.namespace
                #expect(isCleared == (each.isGone && (isOld || isProven)), label)
                let other = try await Self.locked(by: each, age: age, bench, store)
                // Age alone says nothing of a process that is seen to run: a clock may be ahead (F-02).
                let isStale = each.isGone || isOld && each.mark != Self.here
                #expect(try await other.unlock(removeAll: false) == (isStale ? 1 : 0), label)
            }
        }
    }

    @Test func `L-04 two thousand locks of dead runs are cleaned away and not read again`() async throws {
        let (bench, store) = try await Self.scene()
        let planter = LockPlanter(bench)
        for number in 0..<2_000 as Range<Int32> {
            let lock = try await planter.plant(.shared, process: 100 + number, age: 2_000, in: store.bare)
            store.overwrite(lock.name, lock.bytes)
        }
        let start = SystemTime().monotonicNanoseconds()
        #expect(try await bench.backUp(into: store).snapshot != nil)
        #expect(Double(SystemTime().monotonicNanoseconds() - start) < 5e9)
        #expect(try await store.list(.lock).isEmpty)
    }

    @Test(arguments: [LockMode.shared, .exclusive], [LockMode.shared, .exclusive])
    func `L-01 a lock that appears while ours is being taken makes us give way`(ours: LockMode, theirs: LockMode)
        async throws
    {
        let (bench, base) = try await Self.scene()
        let other = try await LockPlanter(bench).plant(theirs, host: "elsewhere", process: 9, in: base)
        let clean = FaultyStorage(wrapping: base.copy())
        try await bench.onPool { try await bench.open(clean).withLock(ours) {} }
        let looks = clean.calls.filter { $0.operation == .list && $0.kind == .lock }.map(\.number)
        #expect(looks.count >= 2, "we looked before and after writing our own")
        for point in looks[0] + 1...looks[1] {
            let inner = base.copy()
            let hasRun = Mutex(false)
            let store = WatchedStore(inner) { number, _, _, _ in
                if number == point { inner.overwrite(other.name, other.bytes) }
            }
            let label = Comment(rawValue: "\(ours) beside \(theirs) before call \(point)")
            var failure: RepositoryFailure?
            do {
                try await bench.onPool {
                    try await bench.open(store).withLock(ours) { hasRun.withLock { $0 = true } }
                }
            } catch let error as RepositoryFailure {
                failure = error
            }
            let fit = ours == .shared && theirs == .shared
            #expect(hasRun.withLock { $0 } == fit && (failure?.code == .locked) == !fit, label)
            #expect(try await inner.list(.lock).map(\.digest) == [other.name.digest], label)
        }
    }

    /// How far the runs came.
    private final class Counts: Sendable {
        let writing = Mutex(0)
        let inside = Mutex(0)
    }

    @Test func `L-01 of two runs that write their locks at the same moment, at most one goes on`() async throws {
        let (bench, inner) = try await Self.scene()
        let counts = Counts()
        await withTaskGroup(of: Void.self) { group in
            for process in [1, 2] as [Int32] {
                group.addTask(executorPreference: bench.pool) {
                    let store = WatchedStore(inner) { _, operation, name, _ in
                        // Both have looked, and found nothing.
                        guard operation == .put, name?.kind == .lock else { return }
                        counts.writing.withLock { $0 += 1 }
                        while counts.writing.withLock({ $0 }) < 2 { await Task.yield() }
                    }
                    try? await bench.open(store, process: process).withLock(.exclusive) {
                        counts.inside.withLock { $0 += 1 }
                    }
                }
            }
        }
        #expect(counts.writing.withLock { $0 } == 2, "both were about to take the lock")
        #expect(counts.inside.withLock { $0 } <= 1)
        #expect(try await inner.list(.lock).isEmpty)
    }

    @Test func `L-01 locks that cannot be listed or read count as held`() async throws {
        let (bench, store) = try await Self.scene()
        let lock = try await LockPlanter(bench).plant(.shared, host: "elsewhere", process: 9, in: store)
        store.overwrite(lock.name, lock.bytes)
        for operation in [StorageOperation.list, .get] {
            let faulty = FaultyStorage(
                wrapping: store,
                rules: [StorageRule(.fail(.io), on: operation, kind: .lock)]
            )
            await #expect(throws: (any Error).self) { _ = try await bench.backUp(into: faulty) }
            #expect(try await store.list(.snapshot).isEmpty)
        }
    }
}

extension MemoryStorage {
    /// A copy with config and keys alone.
    fileprivate var bare: MemoryStorage {
        let copy = MemoryStorage()
        for (name, block) in contents where name.kind == .config || name.kind == .key { copy.overwrite(name, block) }
        return copy
    }
}

/// Bytes without a meaning.
enum SplitMix64Bytes {
    static func some(_ count: Int) -> [UInt8] {
        var random = SplitMix64(seed: 77)
        return random.bytes(count)
    }
}
