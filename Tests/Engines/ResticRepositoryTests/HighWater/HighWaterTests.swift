import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// A repository in memory, and a machine that remembers what it saw there.
private final class Machine: Sendable {
    /// No two things are sealed alike, as in real runs.
    private static let seeds = Atomic<UInt64>(0)

    let memory = TestFolder()
    private let warnings = Mutex<[String]>([])

    /// What was said since it was asked last.
    func takeWarnings() -> [String] {
        warnings.withLock { warnings in
            defer { warnings = [] }
            return warnings
        }
    }

    func open(_ store: any ObjectStorage) async throws -> Repository {
        var options = RepositoryOptions()
        options.recordDirectory = memory.bytes
        options.warn = { [self] warning in warnings.withLock { $0.append(warning) } }
        var environment = SmallRepository.environment(seed: 5000 + Self.seeds.add(1, ordering: .relaxed).newValue)
        environment.time = BackupClock()
        return try await Repository.open(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: environment,
            options: options
        )
    }

    /// One run that lists what is there and says what does not fit, as a backup does, or as a check with `isComplete`.
    func look(_ store: MemoryStorage, isComplete: Bool = false) async throws -> [String] {
        let repository = try await open(store)
        try await repository.loadIndex()
        _ = try await repository.loadSnapshots { throw $1 }
        return await repository.surprises(isComplete ? .everything : .unexplained).map(\.code)
    }

    var recordPath: String {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: memory.path).filter { $0.count == 64 }
            return "\(try #require(names.first))/high-water"
        }
    }
}

/// what happens to a store behind a machine's back is noticed by that machine, and nothing else is.
@Suite struct HighWaterTests {
    private let machine = Machine()

    /// Saves a snapshot with data of its own.
    @discardableResult
    private func save(
        _ number: UInt64,
        in store: MemoryStorage,
        host: ByteString = "host",
        by machine: Machine? = nil
    ) async throws -> SnapshotID {
        let repository = try await (machine ?? self.machine).open(store)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        let tree = try await repository.withBlobWriter { writer in
            let blob = try await writer.save(.data, Array("contents \(number)".utf8), worker: worker)
            return try await writer.saveTree([.file("file", [blob])], worker: worker)
        }
        let time = ZonedTime(Timestamp(seconds: 1_760_000_000 + Int64(number)))
        var document = SnapshotDocument(time: time, tree: tree, paths: ["/data"])
        document.hostname = host
        return try await repository.saveSnapshot(document)
    }

    private func forget(_ ids: [SnapshotID], in store: MemoryStorage, by machine: Machine? = nil) async throws {
        let repository = try await (machine ?? self.machine).open(store)
        try await repository.withLock(.exclusive) { try await repository.removeSnapshots(ids) { _, _ in } }
    }

    private func tag(_ id: SnapshotID, _ tag: ByteString, in store: MemoryStorage) async throws -> SnapshotID {
        let repository = try await machine.open(store)
        let snapshot = try await repository.loadSnapshot(id)
        var document = snapshot.document
        document.tags.append(tag)
        return try await repository.withLock(.exclusive) {
            try await repository.replaceSnapshot(snapshot, by: document)
        }
    }

    private func prune(_ store: MemoryStorage) async throws {
        let repository = try await machine.open(store)
        try await repository.loadIndex()
        try await repository.withLock(.exclusive) {
            let plan = try await repository.planPrune(PruneRequest(), observer: SilentUpkeep())
            try await repository.execute(plan, observer: SilentUpkeep())
        }
    }

    private func newStore() async throws -> MemoryStorage { try await SmallRepository.make().store }

    @Test func `R-09 a store that was set back to last week is noticed, once`() async throws {
        let store = try await newStore()
        for number in 0..<3 { try await save(UInt64(number), in: store) }
        let lastWeek = store.copy()
        for number in 3..<6 { try await save(UInt64(number), in: store) }
        #expect(try await machine.look(store) == [])
        #expect(try await machine.look(lastWeek) == ["snapshot-gone"])
        #expect(try await machine.look(lastWeek) == [], "it is told once")
        let isInDoubt = await (try await machine.open(lastWeek)).takeDoubt()
        #expect(isInDoubt, "a prune stops, whoever told it")
        let isAgain = await (try await machine.open(lastWeek)).takeDoubt()
        #expect(!isAgain)
    }

    @Test func `R-09 a store set back over a prune shows what was removed`() async throws {
        let store = try await newStore()
        let ids = try await [save(0, in: store), save(1, in: store), save(2, in: store)]
        let lastWeek = store.copy()
        try await forget([ids[0]], in: store)
        try await prune(store)
        #expect(try await machine.look(store) == [])
        let codes = try await machine.look(lastWeek)
        #expect(codes == ["store-set-back", "store-set-back"])
        #expect(try await machine.look(lastWeek) == [], "all of it is told at once")
    }

    @Test func `R-09 one lost snapshot: the newest always, any other by a check`() async throws {
        let store = try await newStore()
        let (old, newest) = try await (save(0, in: store), save(1, in: store))
        #expect(try await machine.look(store) == [])
        try await store.remove(ObjectName(.snapshot, old.digest))
        #expect(try await machine.look(store) == [], "another machine's retention may have removed it")
        #expect(try await machine.look(store, isComplete: true) == ["snapshot-gone"])
        let isInDoubt = await (try await machine.open(store)).takeDoubt()
        #expect(!isInDoubt, "a question stops no prune")
        try await store.remove(ObjectName(.snapshot, newest.digest))
        #expect(try await machine.look(store) == ["snapshot-gone"])
    }

    @Test func `R-09 where nobody else removes them, each lost snapshot of this host is noticed, and its return`()
        async throws
    {
        let store = try await newStore()
        let (old, _) = try await (save(0, in: store), save(1, in: store))
        #expect(try await machine.look(store) == [])
        let file = try #require(store.contents[ObjectName(.snapshot, old.digest)])
        try await store.remove(ObjectName(.snapshot, old.digest))
        func own() async throws -> [String] {
            let repository = try await machine.open(store)
            _ = try await repository.loadSnapshots { _, _ in }
            try await repository.loadIndex()
            return try await repository.ownSurprises().map(\.code)
        }
        #expect(try await own() == ["snapshot-gone"])
        let isInDoubt = await (try await machine.open(store)).takeDoubt()
        #expect(isInDoubt)
        #expect(try await own() == [], "it is told once")
        store.overwrite(ObjectName(.snapshot, old.digest), file)
        #expect(try await own() == ["store-set-back"])
    }

    @Test func `R-09 one lost index file is noticed, also that of the last run`() async throws {
        let store = try await newStore()
        let known = Set(store.contents.keys)
        try await save(0, in: store)
        for name in store.contents.keys where name.kind == .index && !known.contains(name) {
            try await store.remove(name)
        }
        #expect(try await machine.look(store) == [], "a prune elsewhere may have found it useless")
        try await save(1, in: store)
        #expect(try await machine.look(store, isComplete: true) == ["index-gone"])
        #expect(try await machine.look(store, isComplete: true) == [])
    }

    @Test func `R-09 an old snapshot that was put back is noticed`() async throws {
        let store = try await newStore()
        let id = try await save(0, in: store)
        try await save(1, in: store)
        let file = try #require(store.contents[ObjectName(.snapshot, id.digest)])
        try await forget([id], in: store)
        #expect(try await machine.look(store) == [])
        store.overwrite(ObjectName(.snapshot, id.digest), file)
        #expect(try await machine.look(store) == ["store-set-back"])
        #expect(try await machine.look(store) == [])
        try await forget([id], in: store)
        store.overwrite(ObjectName(.snapshot, id.digest), file)
        #expect(try await machine.look(store) == ["store-set-back"], "and each time again")
    }

    @Test func `another program on this host may save newer ones, and then remove ours`() async throws {
        let store = try await newStore()
        let other = Machine()
        let mine = try await save(0, in: store)
        #expect(try await machine.look(store) == [])
        try await save(1, in: store, by: other)
        try await forget([mine], in: store, by: other)
        #expect(try await machine.look(store) == [])
        #expect(try await machine.look(store, isComplete: true) == ["snapshot-gone"])
    }

    @Test func `another machine's backups, tags and retention are no alarm`() async throws {
        let store = try await newStore()
        let other = Machine()
        let mine = try await save(0, in: store)
        var theirs: [SnapshotID] = []
        for number in 1..<4 { theirs.append(try await save(UInt64(number), in: store, host: "other", by: other)) }
        #expect(try await machine.look(store) == [])
        try await forget(Array(theirs.dropLast()), in: store, by: other)
        #expect(try await machine.look(store) == [])
        let repository = try await other.open(store)
        var document = try await repository.loadSnapshot(mine).document
        document.original = mine
        document.tags = ["new"]
        _ = try await repository.saveSnapshot(document)
        try await forget([mine], in: store, by: other)
        #expect(try await machine.look(store) == [], "its successor names it")
    }

    @Test func `a run killed between a removal and its note leaves no riddle`() async throws {
        let store = try await newStore()
        try await save(0, in: store)
        let newest = try await save(1, in: store)
        #expect(try await machine.look(store) == [])
        // The removal is done, its answer is lost, and nothing works any more.
        let dying = FaultyStorage(
            wrapping: store,
            rules: [StorageRule(.crashAfter, on: .remove, kind: .snapshot)],
            seed: 1
        )
        let repository = try await machine.open(dying)
        try? await repository.withLock(.exclusive) { try await repository.removeSnapshots([newest]) { _, _ in } }
        #expect(store.contents[ObjectName(.snapshot, newest.digest)] == nil)
        #expect(try await machine.look(store, isComplete: true) == [])
        let record = try #require(machine.memory.read(try machine.recordPath).flatMap { HighWaterRecord(decoding: $0) })
        #expect(record.snapshots.removed.contains(newest.digest) && record.snapshots.removing.isEmpty)
    }

    @Test func `a removal by a run beside this one explains itself, before and after the listing`() async throws {
        let store = try await newStore()
        let (first, second) = try await (save(0, in: store), save(1, in: store))
        let early = try await machine.open(store)
        try await forget([second], in: store)
        _ = try await early.loadSnapshots { throw $1 }
        #expect(await early.surprises(.everything).isEmpty, "listed after the removal")
        let late = try await machine.open(store)
        _ = try await late.loadSnapshots { throw $1 }
        try await forget([first], in: store)
        #expect(await late.surprises(.everything).isEmpty, "listed before the removal")
        #expect(try await machine.look(store, isComplete: true) == [])
    }
}

extension HighWaterTests {
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `whatever this machine does, it is never surprised by itself`(seed: UInt64) async throws {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let store = try await newStore()
        var ids: [SnapshotID] = []
        for step in 0..<25 {
            switch random.next() % 6 {
            case 0, 1:
                ids.append(
                    try await save(seed << 32 | UInt64(step), in: store, host: random.next() % 2 == 0 ? "a" : "b")
                )
            case 2 where !ids.isEmpty:
                try await forget([ids.remove(at: Int(random.next() % UInt64(ids.count)))], in: store)
            case 4 where !ids.isEmpty:
                let place = Int(random.next() % UInt64(ids.count))
                ids[place] = try await tag(ids[place], ByteString("\(step)"), in: store)
            case 3: try await prune(store)
            default:
                #expect(
                    try await machine.look(store, isComplete: random.next() % 2 == 0) == [],
                    "seed \(seed) step \(step)"
                )
            }
        }
        #expect(try await machine.look(store, isComplete: true) == [], "seed \(seed) at the end")
    }

    @Test func `C-05 no place for the record, a full disk or a damaged one never fails a run`() async throws {
        let store = try await newStore()
        try await save(0, in: store)
        for damage in [[], Array("holdfast high-water record 1\nseen snapshot 12\nend\n".utf8), [0xFF, 0x0A]] {
            try machine.memory.write(try machine.recordPath, damage)
            #expect(try await machine.look(store) == [])
            #expect(machine.memory.read(try machine.recordPath) != damage, "it begins anew")
            let told = machine.takeWarnings()
            #expect(told.count == 1 && told.allSatisfy { $0.contains("damaged, and begins anew") }, "\(told)")
        }
        try machine.memory.remove(try machine.recordPath)
        try FileManager.default.createDirectory(
            atPath: "\(machine.memory.path)/\(try machine.recordPath)",
            withIntermediateDirectories: true
        )
        #expect(try await machine.look(store) == [])
        #expect(machine.takeWarnings().count == 1, "told once a run")
        try await save(1, in: store)
        #expect(machine.takeWarnings().count == 1)
    }
}

/// The record's text.
@Suite struct HighWaterTextTests {
    @Test func `records survive their text, and no part of one is taken for a whole`() throws {
        let seed: UInt64 = 11
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        func digest() -> Digest { Digest(a: random.next(), b: random.next(), c: random.next(), d: random.next()) }
        for round in 0..<50 {
            var record = HighWaterRecord()
            record.isInDoubt = round % 2 == 0
            for kind in HighWaterRecord.kinds {
                for _ in 0..<(random.next() % 6) { record[kind].seen.insert(digest()) }
                for _ in 0..<(random.next() % 3) { record[kind].removing.insert(digest()) }
                for _ in 0..<(random.next() % 4) { record[kind].removed.append(digest()) }
            }
            for _ in 0..<(random.next() % 3) {
                let time = Timestamp(seconds: Int64(bitPattern: random.next()) >> 8, nanoseconds: 999_999_999)
                record.saved[random.next()] = HighWaterRecord.Saved(id: digest(), time: time)
            }
            let text = record.encode()
            #expect(HighWaterRecord(decoding: text) == record)
            for length in 0..<text.count { #expect(HighWaterRecord(decoding: Array(text[..<length])) == nil) }
        }
    }

    @Test func `names of removed objects are bounded, the oldest go first`() {
        var record = HighWaterRecord()
        for number in 0..<3 {
            let names = (0..<(Limits.removedNamesKept / 2)).map { Digest(a: UInt64(number), b: UInt64($0), c: 0, d: 0) }
            record.endRemoving(.index, names)
        }
        #expect(record.indexes.removed.count == Limits.removedNamesKept)
        #expect(record.indexes.removed.first?.a == 1 && record.indexes.removed.last?.a == 2)
    }

    @Test func `groups are bounded, those saved longest ago go first`() {
        var record = HighWaterRecord()
        for number in 0..<(Limits.savedGroupsKept + 5) {
            let time = ZonedTime(Timestamp(seconds: Int64(number)))
            let document = SnapshotDocument(time: time, tree: nil, paths: [ByteString("/\(number)")])
            record.save(Digest(a: UInt64(number), b: 0, c: 0, d: 0), document)
        }
        #expect(record.saved.count == Limits.savedGroupsKept)
        #expect(record.saved.values.map(\.id.a).min() == 5)
    }
}
