import Bytes
import Chunking
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Copies between repositories with different keys, and everything that can go wrong on either side.
@Suite struct CopyTests {
    /// What a copy told.
    private final class Log: CopyObserver {
        let saved = Mutex<[SnapshotID]>([])
        let plans = Mutex<[CopyPlan]>([])
        let packs = Mutex(0)

        func began(_ snapshot: Snapshot) {}
        func planned(_ plan: CopyPlan) { plans.withLock { $0.append(plan) } }
        func copiedPack() { packs.withLock { $0 += 1 } }
        func finished(_ snapshot: Snapshot) {}
        func stored(snapshots: Int) {}
        func saved(_ copy: SnapshotID, of snapshot: Snapshot) { saved.withLock { $0.append(copy) } }
    }

    /// One thread, so that the same run makes the same calls in the same order.
    private static let pool = BackupBench.makePool(width: 1)

    private static func environment(seed: UInt64) -> RepositoryEnvironment {
        RepositoryEnvironment(
            time: BackupClock(),
            entropy: SeededEntropy(seed: seed),
            pool: pool,
            hostName: "host",
            userName: "user",
            userID: 1000,
            groupID: 1000,
            processID: 1,
            isAlive: { _ in true }
        )
    }

    /// An empty repository with its own master key, whose store is the result.
    private static func target(version: Int = 2) async throws -> MemoryStorage {
        let store = MemoryStorage()
        _ = try await Repository.create(
            store: store,
            version: version,
            password: Secret(Array(SmallRepository.password.utf8)),
            polynomial: .init(hex: "3da3358b4dc173"),
            scrypt: .cheapForTests,
            environment: environment(seed: 1234)
        )
        return store
    }

    private static func open(
        _ store: any ObjectStorage,
        seed: UInt64,
        options: RepositoryOptions = RepositoryOptions()
    ) async throws -> Repository {
        let repository = try await Repository.open(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: environment(seed: seed),
            options: options
        )
        try await repository.loadIndex()
        return repository
    }

    /// One run of the program: opens both, locks the target, copies what is missing.
    private static func run(
        from source: any ObjectStorage,
        to store: any ObjectStorage,
        seed: UInt64 = 50,
        options: RepositoryOptions = RepositoryOptions(),
        log: Log = Log()
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: pool) {
                let source = try await open(source, seed: seed)
                let target = try await open(store, seed: seed + 1, options: options)
                try await target.withLock(.shared) {
                    let present = CopiesPresent(try await target.loadSnapshots { throw $1 })
                    let all = try await source.loadSnapshots { throw $1 }
                    let missing = all.filter { present.copy(of: $0) == nil }
                    try await copySnapshots(missing, from: source, to: target, observer: log)
                }
            }
            try await group.waitForAll()
        }
    }

    private static func check(_ store: any ObjectStorage) async throws -> CheckResult {
        let repository = try await Repository.open(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: environment(seed: 77)
        )
        return try await ResticRepository.check(
            CheckRequest(readData: .all),
            in: repository,
            observer: SilentCheckObserver()
        )
    }

    @Test func `copies keep tree, fields and compressed form, and a second run copies nothing`() async throws {
        let source = try await SmallRepository.make()
        let store = try await Self.target()
        let log = Log()
        try await Self.run(from: source.store, to: store, log: log)
        let (left, right) = (try await Self.open(source.store, seed: 1), try await Self.open(store, seed: 2))
        let copies = try await right.loadSnapshots { throw $1 }
        #expect(copies.count == 2 && log.saved.withLock { $0.count } == 2)
        for copy in copies {
            let original = try #require(source.snapshots.first { $0.id == copy.document.original })
            var expected = original.document
            expected.original = original.id
            #expect(copy.document == expected)
        }
        #expect(left.index.blobCount == right.index.blobCount)
        for number in 0..<left.index.blobCount {
            let blob = left.index.location(ofEntry: number)
            let copy = try #require(right.index.location(blob.type, blob.id))
            #expect(copy.length == blob.length && copy.uncompressedLength == blob.uncompressedLength)
        }
        let second = FaultyStorage(wrapping: store)
        try await Self.run(from: source.store, to: second, seed: 60)
        #expect(second.count(.put, .pack) == 0 && second.count(.put, .snapshot) == 0)
        #expect(try await !Self.check(store).hasErrors)
        guard StockRestic.isInstalled else { return print("SKIP: no stock restic to judge a copy") }
        let folder = TestFolder()
        try folder.write(store)
        let judged = try StockRestic.run(["check", "--read-data"], repository: folder.path)
        #expect(judged.status == 0, "\(judged.errors)")
    }

    @Test(arguments: [(1, 2), (2, 1), (1, 1)])
    func `copies between format versions are what the target's version holds`(from: Int, to: Int) async throws {
        let source = try await SmallRepository.make(version: from)
        let store = try await Self.target(version: to)
        try await Self.run(from: source.store, to: store)
        let repository = try await Self.open(store, seed: 3)
        let lengths = (0..<repository.index.blobCount).map { repository.index.location(ofEntry: $0).uncompressedLength }
        #expect(lengths.contains { $0 != 0 } == (to == 2))
        #expect(try await !Self.check(store).hasErrors)
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-02 any store call of a copy's target may fail, lie or be the last one`() async throws {
        let source = try await SmallRepository.make()
        let empty = try await Self.target()
        let clean = FaultyStorage(wrapping: empty.copy())
        try await Self.run(from: source.store, to: clean)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            for fault in faults + (clean.calls[point].operation == .put ? lies : []) {
                let inner = empty.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                let log = Log()
                _ = try? await Self.run(from: source.store, to: store, log: log)
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let present = try await inner.list(.snapshot).map { SnapshotID($0.digest) }
                #expect(Set(present).isSuperset(of: log.saved.withLock { $0 }), label)
                #expect(try await !Self.check(inner).hasErrors, label)
                try await Self.run(from: source.store, to: inner, seed: 90)
                let kept = try await Self.open(inner, seed: 4).loadSnapshots { throw $1 }
                #expect(Set(kept.compactMap(\.document.original)) == Set(source.snapshots.map(\.id)), label)
                #expect(try await !Self.check(inner).hasErrors, label)
            }
        }
        print("copy: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 D-01 E-03 any store call of a copy's source may fail or lie, and nothing wrong is copied`() async throws {
        let source = try await SmallRepository.make()
        let clean = FaultyStorage(wrapping: source.store)
        try await Self.run(from: clean, to: try await Self.target())
        let faults: [StorageFault] = [
            .fail(.io), .fail(.notFound), .flipBit, .zeros, .misdirect, .shortRead(toBytes: 0), .shortRead(toBytes: 33),
        ]
        var failed = 0
        for point in clean.calls.indices {
            for fault in faults where clean.calls[point].operation == .get || fault == .fail(.io) {
                let store = try await Self.target()
                let rules = [StorageRule(fault, when: .overall(point))]
                do {
                    try await Self.run(from: FaultyStorage(wrapping: source.store, rules: rules), to: store)
                } catch {
                    failed += 1
                    #expect(error is any ReportableFailure, "\(fault) at \(clean.calls[point]): \(error)")
                }
                #expect(try await !Self.check(store).hasErrors, "\(fault) at \(clean.calls[point])")
            }
        }
        #expect(failed > 0, "otherwise nothing was proven")
    }

    @Test func `D-01 a blob that stays damaged stops the copy by name, and no snapshot without it appears`()
        async throws
    {
        let source = try await SmallRepository.make()
        let repository = try await Self.open(source.store, seed: 8)
        let lost = try #require(
            (0..<repository.index.blobCount).map { repository.index.location(ofEntry: $0) }
                .first { $0.type == .data && $0.length > 60_000 }
        )
        let rules = [StorageRule(.zeros, on: .get, name: ObjectName(.pack, lost.pack.digest))]
        let store = try await Self.target()
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await Self.run(from: FaultyStorage(wrapping: source.store, rules: rules), to: store)
        }
        #expect(
            failure?.code == .damaged && failure?.object.contains(lost.pack.short) == true,
            "\(String(describing: failure))"
        )
        #expect(try await store.list(.snapshot).isEmpty)
    }

    @Test func `L3 a blob that authenticates and has other content than its name stops the copy by name`() async throws
    {
        let source = try await ForgedRepository()
        let lost = BlobID(sha256(Array("what it should be".utf8)))
        let root = try await source.forge { forge in
            let node = try await forge.file("here", Array("stored".utf8))
            return try await forge.tree([node, forge.described(Node.file("lost", [lost]))])
        }
        _ = try await source.saveSnapshot(root)
        var options = RepositoryOptions()
        options.extraVerify = false
        // Memory that fails after a blob was named, where nothing looks again.
        options.spoil = { stage, bytes in
            guard stage == .hashed else { return }
            bytes.copyBytes(from: Array("what it shall not".utf8))
        }
        let repository = try await Self.open(source.store, seed: 7, options: options)
        try await repository.withBlobWriter { writer in
            _ = try await writer.save(.data, Array("what it should be".utf8), worker: repository.makeWorker())
        }
        let pack = try #require(repository.index.location(.data, lost)).pack
        let store = try await Self.target()
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await Self.run(from: source.store, to: store)
        }
        #expect(
            failure?.code == .damaged && failure?.object.contains(pack.short) == true,
            "\(String(describing: failure))"
        )
        #expect(try await store.list(.snapshot).isEmpty)
        #expect(try await !Self.check(store).hasErrors)
    }

    @Test(arguments: [BlobStage.hashed, .sealed])
    func `D-08 memory that fails while a copy seals stops it, though the source is right`(_ stage: BlobStage)
        async throws
    {
        let source = try await SmallRepository.make()
        for bad in 0..<4 {
            let spoiler = Spoiler(stage, number: bad)
            var options = RepositoryOptions()
            options.spoil = { spoiler.spoil($0, $1) }
            let store = try await Self.target()
            let failure = await #expect(throws: RepositoryFailure.self, "\(stage) \(bad)") {
                try await Self.run(from: source.store, to: store, options: options)
            }
            #expect(failure?.code == .verification, "\(stage) \(bad): \(String(describing: failure))")
            #expect(try await store.list(.snapshot).isEmpty)
            #expect(try await !Self.check(store).hasErrors)
        }
    }

    @Test func `D-03 a blob that no index of the source names stops the copy by name, and no snapshot appears`()
        async throws
    {
        let lost = BlobID(sha256(Array("never stored".utf8)))
        for type in [BlobType.data, .tree] {
            let source = try await ForgedRepository()
            let root = try await source.forge { forge in
                let node = type == .data ? Node.file("lost", [lost]) : Node.directory("lost", lost)
                return try await forge.tree([try await forge.file("here", Array("stored".utf8)), forge.described(node)])
            }
            _ = try await source.saveSnapshot(root)
            let store = try await Self.target()
            let failure = await #expect(throws: RepositoryFailure.self, "\(type)") {
                try await Self.run(from: source.store, to: store)
            }
            #expect(failure?.code == .missing && failure?.object.contains(lost.short) == true, "\(type)")
            #expect(try await store.list(.snapshot).isEmpty, "\(type)")
        }
    }
}
