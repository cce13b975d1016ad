import Bytes
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Recoveries of trees that no snapshot names, and everything that can go wrong on the way.
@Suite struct RecoverTests {
    private final class Log: RecoverObserver {
        let lines = Mutex<[String]>([])

        func say(_ line: String) { lines.withLock { $0.append(line) } }
        func began(_ phase: RecoverPhase) {}
        func unreadable(index: IndexID, _ error: any Error) { say("index") }
        func incomplete(pack: PackID, bytes: UInt64, indexedBytes: UInt64?) { say("add \(pack.short)") }
        func unreadable(pack: PackID, _ error: any Error) { say("pack") }
        func missing(pack: PackID) { say("missing \(pack.short)") }
        func readPack() {}
        func unreadable(tree: BlobID, _ error: any Error) { say("tree \(tree.short)") }
        func loadedTrees(_ count: Int) {}
        func unreadable(snapshot: SnapshotID, _ error: any Error) { say("snapshot") }
    }

    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        /// What each snapshot that is gone held, by its tree.
        let lost: [BlobID: [String: [UInt8]]]
        let kept: (id: SnapshotID, contents: [String: [UInt8]])
    }

    /// Four backups of a changing folder, of which three snapshots are gone.
    private static func scene() async throws -> Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 3)
        var lost: [BlobID: [String: [UInt8]]] = [:]
        var last: SnapshotID?
        for number in 0..<4 {
            try bench.source.write("sub/file\(number)", random.bytes(1_000 + number))
            let id = try #require(try await bench.backUp(into: store, seed: UInt64(500 * number + 1)).snapshot)
            last = id
            guard number < 3 else { break }
            let tree = try #require(try await bench.open(store).loadSnapshot(id).document.tree)
            lost[tree] = try await bench.contents(of: id, in: store)
        }
        let kept = try #require(last)
        for entry in try await store.list(.snapshot) where entry.digest != kept.digest {
            try await store.remove(ObjectName(.snapshot, entry.digest))
        }
        let contents = try await bench.contents(of: kept, in: store)
        return Scene(bench: bench, store: store, lost: lost, kept: (kept, contents))
    }

    private static func run(
        _ bench: BackupBench,
        _ store: any ObjectStorage,
        seed: UInt64 = 5_000,
        process: Int32 = 1,
        log: Log = Log()
    ) async throws -> RecoverResult {
        try await bench.onPool {
            let repository = try await bench.open(store, process: process, seed: seed)
            return try await repository.withLock(.exclusive) { try await repository.recoverTrees(observer: log) }
        }
    }

    /// Every lost tree is below some snapshot, whole, and the snapshot that was there still is.
    private static func judge(_ scene: Scene, _ store: MemoryStorage, _ label: Comment) async throws {
        var found: [String: [UInt8]] = [:]
        for entry in try await store.list(.snapshot) where entry.digest != scene.kept.id.digest {
            found.merge(try await scene.bench.contents(of: SnapshotID(entry.digest), in: store)) { $1 }
        }
        for (tree, contents) in scene.lost {
            // What a recovery that broke off has left is a lost root itself, with those that it found inside.
            var below: [String: [UInt8]] = [:]
            for (path, content) in found {
                guard let folder = path.range(of: "/\(tree.short)/") else { continue }
                below["/" + path[folder.upperBound...]] = content
            }
            below["/"] = nil
            #expect(below.keys.sorted() == contents.keys.sorted() && below == contents, label)
        }
        #expect(try await scene.bench.contents(of: scene.kept.id, in: store) == scene.kept.contents, label)
        let verdict = try await scene.bench.check(store)
        #expect(!verdict.hasErrors, "\(label): \(verdict.findings)")
    }

    @Test func `several lost snapshots come back in one, and a second run finds nothing`() async throws {
        let scene = try await Self.scene()
        let before = scene.store.contents
        let result = try await Self.run(scene.bench, scene.store)
        #expect(Set(result.roots) == Set(scene.lost.keys) && result.roots == result.roots.sorted())
        let document = try await scene.bench.open(scene.store).loadSnapshot(try #require(result.snapshot)).document
        #expect(document.paths == ["/recover"] && document.tags == ["recovered"] && document.hostname == "host")
        try await Self.judge(scene, scene.store, "after a recovery")
        #expect(before.allSatisfy { scene.store.contents[$0.key]?.bytes == $0.value.bytes })
        let again = try await Self.run(scene.bench, scene.store, seed: 6_000)
        #expect(again.roots.isEmpty && again.snapshot == nil)
        guard StockRestic.isInstalled else { return print("SKIP: no stock restic to judge a recovery") }
        let folder = TestFolder()
        try folder.write(scene.store)
        let judged = try StockRestic.run(["check", "--read-data"], repository: folder.path)
        #expect(judged.status == 0, "\(judged.errors)")
        let stock = try StockRestic.run(["recover"], repository: folder.path)
        #expect(stock.output.contains("found 0 unreferenced roots"), "\(stock)")
    }

    @Test func `A-09 packs that no index names are found, named by a new index, and nothing goes`() async throws {
        let scene = try await Self.scene()
        for entry in try await scene.store.list(.index) {
            try await scene.store.remove(ObjectName(.index, entry.digest))
        }
        let log = Log()
        let result = try await Self.run(scene.bench, scene.store, log: log)
        #expect(result.indexFiles == 1 && result.roots.count == 3)
        #expect(log.lines.withLock { $0.count } == (try await scene.store.list(.pack).count) - 1)
        try await Self.judge(scene, scene.store, "after all index files were lost")
        #expect(try await Self.run(scene.bench, scene.store, seed: 6_000).indexFiles == 0)
    }

    @Test func `D-01 an index file, a snapshot and a tree that cannot be read are told, and the rest is recovered`()
        async throws
    {
        let scene = try await Self.scene()
        let index = try #require(try await scene.store.list(.index).first)
        scene.store.overwrite(ObjectName(.index, index.digest), Block([1, 2, 3]))
        scene.store.overwrite(ObjectName(.snapshot, Digest(a: 1, b: 2, c: 3, d: 4)), Block([1, 2, 3]))
        let log = Log()
        let result = try await Self.run(scene.bench, scene.store, log: log)
        #expect(result.roots.count == 3)
        let lines = log.lines.withLock { $0 }
        #expect(lines.contains("index") && lines.contains("snapshot") && lines.contains { $0.hasPrefix("add ") })
        #expect(scene.store.contents[ObjectName(.index, index.digest)]?.bytes == [1, 2, 3])
    }

    @Test func `a damaged tree is no root, and what it named comes out as roots of its own`() async throws {
        let forged = try await ForgedRepository()
        let inner = try await forged.forge { try await $0.tree([try await $0.file("leaf", [1])]) }
        let top = try await forged.forge { try await $0.tree([.directory("a", inner)]) }
        let location = try #require(try await forged.open().locations(.tree, top).first)
        let name = ObjectName(.pack, location.pack.digest)
        var bytes = try await forged.store.get(name).bytes
        bytes[Int(location.offset) + 20] ^= 1
        forged.store.overwrite(name, Block(bytes))
        let repository = try await Repository.open(
            store: forged.store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: SmallRepository.environment(seed: 77)
        )
        let log = Log()
        let result = try await repository.recoverTrees(observer: log)
        #expect(result.roots == [inner])
        #expect(log.lines.withLock { $0 } == ["tree \(top.short)"])
    }

    @Test func `roots whose IDs begin alike get their whole IDs for names`() async throws {
        let forged = try await ForgedRepository()
        let twins = try await forged.forge { forge in
            let (first, second) = Self.twins()
            return [try await forge.tree([first]), try await forge.tree([second])].sorted()
        }
        #expect(twins[0].short == twins[1].short && twins[0] != twins[1])
        let repository = try await forged.open()
        let fresh = try await Repository.open(
            store: forged.store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: SmallRepository.environment(seed: 77)
        )
        let result = try await fresh.recoverTrees(observer: Log())
        let made = try #require(result.snapshot)
        let tree = try #require(try await repository.loadSnapshot(made).document.tree)
        var reader = TreeReader(try await fresh.loadTree(tree, worker: fresh.makeWorker()))
        var names: [String] = []
        while let node = try reader.next() { names.append(node.name.display) }
        #expect(names == twins.map(\.hex))
    }

    /// Two entries whose directories' IDs share their first eight digits: some hundred thousand tries.
    private static func twins() -> (Node, Node) {
        var seen: [UInt32: Int] = [:]
        for number in 0..<2_000_000 {
            var tree = TreeWriter()
            let node = Node(name: ByteString("f\(number)"), type: .fifo)
            do { try tree.append(node) } catch { continue }
            let digest = tree.finish().withUnsafeBytes { SHA256Context.hash($0) }
            let key = UInt32(truncatingIfNeeded: digest.bytes.prefix(4).reduce(0) { UInt64($0) << 8 | UInt64($1) })
            if let other = seen[key] { return (Node(name: ByteString("f\(other)"), type: .fifo), node) }
            seen[key] = number
        }
        preconditionFailure("no two hashes begin alike")
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-02 any store call of a recovery may fail, lie or be the last one`() async throws {
        let scene = try await Self.scene()
        // One pack without an index, so that the index is part of it.
        let index = try #require(try await scene.store.list(.index).first)
        try await scene.store.remove(ObjectName(.index, index.digest))
        let clean = FaultyStorage(wrapping: scene.store.copy())
        _ = try await Self.run(scene.bench, clean)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        let views: [StorageFault] = [.flipBit, .zeros, .misdirect, .shortRead(toBytes: 33)]
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            let operation = clean.calls[point].operation
            for fault in faults + (operation == .put ? lies : operation == .get ? views : []) {
                let inner = scene.store.copy()
                let before = inner.contents
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                _ = try? await Self.run(scene.bench, store)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                #expect(before.allSatisfy { inner.contents[$0.key]?.bytes == $0.value.bytes }, label)
                _ = try await scene.bench.open(inner, process: 2).unlock(removeAll: false)
                _ = try await Self.run(scene.bench, inner, seed: 7_000, process: 2)
                try await Self.judge(scene, inner, label)
            }
        }
        print("recover: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }
}
