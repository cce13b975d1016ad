import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Rewrites of whole snapshots, and everything that can go wrong on the way.
@Suite struct SnapshotRewriteTests {
    private final class Log: RewriteObserver {
        let lines = Mutex<[String]>([])

        func say(_ line: String) { lines.withLock { $0.append(line) } }
        func excluded(_ path: ByteString) { say("excluded \(path.display)") }
        func included(_ path: ByteString) { say("included \(path.display)") }
        func includedEmptyDirectory(_ path: ByteString) { say("empty \(path.display)") }
        func decided(_ changed: SnapshotDocument) { say("decided") }
        func saved(_ id: SnapshotID) { say("saved") }
        func removed(_ id: SnapshotID) { say("removed") }
    }

    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        let contents: [SnapshotID: [String: [UInt8]]]
    }

    /// Two backups of a small folder, of which `sub/secret` is to go.
    private static func scene() async throws -> Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 3)
        try bench.source.write("sub/secret", random.bytes(3_000))
        try bench.source.write("sub/stays", random.bytes(2_000))
        try bench.source.write("text", Array("text".utf8))
        let first = try #require(try await bench.backUp(into: store).snapshot)
        try bench.source.write("more/of it", Array("more".utf8))
        let second = try #require(try await bench.backUp(into: store, seed: 500).snapshot)
        var contents: [SnapshotID: [String: [UInt8]]] = [:]
        for snapshot in [first, second] { contents[snapshot] = try await bench.contents(of: snapshot, in: store) }
        return Scene(bench: bench, store: store, contents: contents)
    }

    private static func request(_ change: (inout RewriteRequest) -> Void = { _ in }) -> RewriteRequest {
        var request = RewriteRequest()
        request.selection = .without([PatternList(["secret"])])
        change(&request)
        return request
    }

    /// One run of the program over all snapshots; answers how many changed.
    @discardableResult
    private static func run(
        _ scene: Scene,
        _ store: any ObjectStorage,
        _ request: RewriteRequest,
        seed: UInt64 = 5_000,
        process: Int32 = 1,
        isDryRun: Bool = false,
        log: Log = Log()
    ) async throws -> Int {
        try await scene.bench.onPool {
            let repository = try await scene.bench.open(store, process: process, seed: seed) { $0.isDryRun = isDryRun }
            return try await repository.withLock(isDryRun ? .none : request.removesOriginal ? .exclusive : .shared) {
                try await repository.loadIndex()
                var changed = 0
                for snapshot in try await repository.loadSnapshots(unreadable: { throw $1 })
                where try await repository.rewriteSnapshot(snapshot, request, observer: log) { changed += 1 }
                return changed
            }
        }
    }

    private static func without(_ contents: [String: [UInt8]]) -> [String: [UInt8]] {
        contents.filter { !$0.key.hasSuffix("secret") }
    }

    private static func documents(_ scene: Scene, _ store: any ObjectStorage) async throws -> [Snapshot] {
        try await scene.bench.open(store).loadSnapshots { throw $1 }
    }

    @Test func `a rewrite leaves out what is matched, counts anew, and names its original`() async throws {
        let scene = try await Self.scene()
        let log = Log()
        #expect(try await Self.run(scene, scene.store, Self.request(), log: log) == 2)
        let all = try await Self.documents(scene, scene.store)
        let new = all.filter { scene.contents[$0.id] == nil }
        #expect(all.count == 4 && new.count == 2)
        for snapshot in new {
            let id = try #require(snapshot.document.original)
            let old = try #require(all.first { $0.id == id })
            let expected = Self.without(try #require(scene.contents[id]))
            #expect(try await scene.bench.contents(of: snapshot.id, in: scene.store) == expected)
            #expect(snapshot.document.tags == ["rewrite"] && snapshot.document.parent == old.document.parent)
            let files = expected.filter { !$0.key.hasSuffix("/") }
            #expect(snapshot.document.summary?.totalFilesProcessed == UInt64(files.count))
            #expect(snapshot.document.summary?.totalBytesProcessed == files.reduce(0) { $0 + UInt64($1.value.count) })
            #expect(snapshot.document.summary?.filesNew == old.document.summary?.filesNew)
        }
        #expect(log.lines.withLock { $0.filter { $0 == "excluded /sub/secret" }.count } == 2)
        // The second run changes the old ones again and the new ones not.
        #expect(try await Self.run(scene, scene.store, Self.request(), seed: 6_000) == 2)
        #expect(try await !scene.bench.check(scene.store).hasErrors)
    }

    @Test func `with forget the old ones go, and a second run finds nothing to do`() async throws {
        let scene = try await Self.scene()
        let request = Self.request { $0.removesOriginal = true }
        #expect(try await Self.run(scene, scene.store, request) == 2)
        let all = try await Self.documents(scene, scene.store)
        #expect(Set(all.compactMap(\.document.original)) == Set(scene.contents.keys) && all.count == 2)
        #expect(all.allSatisfy { $0.document.tags.isEmpty })
        let again = FaultyStorage(wrapping: scene.store)
        #expect(try await Self.run(scene, again, request, seed: 6_000) == 0)
        #expect(
            again.count(.put, .pack) == 0 && again.count(.put, .snapshot) == 0 && again.count(.remove, .snapshot) == 0
        )
    }

    @Test func `a dry run stores nothing and says what a run would`() async throws {
        let scene = try await Self.scene()
        let store = FaultyStorage(wrapping: scene.store)
        let log = Log()
        let request = Self.request { $0.removesOriginal = true }
        #expect(try await Self.run(scene, store, request, isDryRun: true, log: log) == 2)
        #expect(store.count(.put) == 0 && store.count(.remove) == 0)
        #expect(log.lines.withLock { $0 } == ["excluded /sub/secret", "decided", "excluded /sub/secret", "decided"])
    }

    @Test func `includes keep what they match and the way there, and nothing of it leaves a snapshot alone`()
        async throws
    {
        let scene = try await Self.scene()
        let log = Log()
        let request = Self.request { $0.selection = .only([PatternList(["more"])]) }
        #expect(try await Self.run(scene, scene.store, request, log: log) == 1)
        let new = try await Self.documents(scene, scene.store).filter { scene.contents[$0.id] == nil }
        let contents = try await scene.bench.contents(of: try #require(new.first).id, in: scene.store)
        #expect(contents == ["/more/": [], "/more/of it": Array("more".utf8)])
        #expect(log.lines.withLock { $0 } == ["included /more/of it", "decided", "saved"])
    }

    @Test func `new host and time alone open no tree, and a summary is made where none was`() async throws {
        let scene = try await Self.scene()
        let store = FaultyStorage(wrapping: scene.store)
        let request = Self.request {
            $0.selection = .everything
            $0.newHost = "other"
            $0.newTime = ZonedTime(Timestamp(seconds: 1_000_000_000), offsetSeconds: 3600)
        }
        #expect(try await Self.run(scene, store, request) == 2)
        #expect(store.count(.get, .pack) == 0 && store.count(.put, .pack) == 0)
        let new = try await Self.documents(scene, scene.store).filter { scene.contents[$0.id] == nil }
        #expect(new.allSatisfy { $0.document.hostname == "other" && $0.document.time == request.newTime })

        let forged = try await ForgedRepository()
        let tree = try await forged.save([.file("/a", [1, 2], [3])])
        let id = try await forged.saveSnapshot(tree)
        let repository = try await forged.open()
        var counting = RewriteRequest()
        counting.makesSummary = true
        let old = try await repository.loadSnapshot(id)
        #expect(try await repository.rewriteSnapshot(old, counting, observer: Log()))
        let made = try await repository.loadSnapshots { throw $1 }.first { $0.document.original == id }
        #expect(made?.document.tree == tree && made?.document.summary?.totalBytesProcessed == 3)
        #expect(try await !repository.rewriteSnapshot(try #require(made), counting, observer: Log()))
    }

    @Test func `L7 a new snapshot that cannot be read back keeps the old one`() async throws {
        let scene = try await Self.scene()
        let store = FaultyStorage(
            wrapping: scene.store,
            rules: [StorageRule(.flipBit, on: .get, kind: .snapshot, when: .from(scene.contents.count))]
        )
        let request = Self.request { $0.removesOriginal = true }
        let failure = await #expect(throws: RepositoryFailure.self) { try await Self.run(scene, store, request) }
        #expect(failure?.code == .verification && failure?.state.contains("still there") == true)
        for (snapshot, contents) in scene.contents {
            #expect(try await scene.bench.contents(of: snapshot, in: scene.store) == contents)
        }
    }

    @Test func `L-03 a rewrite whose lock was taken away removes no snapshot`() async throws {
        let scene = try await Self.scene()
        let store = WatchedStore(scene.store) { _, operation, name, _ in
            guard operation == .put, name?.kind == .pack else { return }
            for lock in try await scene.store.list(.lock) {
                try await scene.store.remove(ObjectName(.lock, lock.digest))
            }
        }
        let request = Self.request { $0.removesOriginal = true }
        let failure = await #expect(throws: RepositoryFailure.self) { try await Self.run(scene, store, request) }
        #expect(failure?.code == .lockLost)
        #expect(Set(try await scene.store.list(.snapshot).map { SnapshotID($0.digest) }) == Set(scene.contents.keys))
        try await Self.judge(scene, scene.store, "after a lost lock")
    }

    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func `2.3 A-02 any store call of a rewrite may fail, lie or be the last one`(isForgetting: Bool) async throws {
        let scene = try await Self.scene()
        let request = Self.request { $0.removesOriginal = isForgetting }
        let clean = FaultyStorage(wrapping: scene.store.copy())
        try await Self.run(scene, clean, request)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        let views: [StorageFault] = [.flipBit, .zeros, .misdirect, .shortRead(toBytes: 33)]
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            let operation = clean.calls[point].operation
            for fault in faults + (operation == .put ? lies : operation == .get ? views : []) {
                let inner = scene.store.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                _ = try? await Self.run(scene, store, request)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                try await Self.judge(scene, inner, label)
                _ = try await scene.bench.open(inner, process: 2).unlock(removeAll: false)
                try await Self.run(scene, inner, request, seed: 7_000, process: 2)
                try await Self.judge(scene, inner, label)
                let left = try await Self.documents(scene, inner)
                #expect(left.contains { scene.contents[$0.id] != nil } == !isForgetting, label)
            }
        }
        print("rewrite: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }

    /// Of each old snapshot it is there, or what it became is; whatever is there is whole.
    private static func judge(_ scene: Scene, _ store: MemoryStorage, _ label: Comment) async throws {
        let present = try await documents(scene, store)
        for snapshot in present {
            let original = snapshot.document.original ?? snapshot.id
            let whole = try #require(scene.contents[original], label)
            let expected = scene.contents[snapshot.id] == nil ? without(whole) : whole
            #expect(try await scene.bench.contents(of: snapshot.id, in: store) == expected, label)
        }
        let alive = Set(present.map { $0.document.original ?? $0.id })
        #expect(alive == Set(scene.contents.keys), label)
        let verdict = try await scene.bench.check(store)
        #expect(!verdict.hasErrors, "\(label): \(verdict.findings)")
    }
}
