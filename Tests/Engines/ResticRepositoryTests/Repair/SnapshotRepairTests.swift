import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Snapshots that lack something, stored again without it.
@Suite struct SnapshotRepairTests {
    private final class Log: SnapshotRepairObserver {
        let damage = Mutex<Set<SnapshotDamage>>([])
        let stored = Mutex<[SnapshotID]>([])
        let gone = Mutex<[SnapshotID]>([])
        let emptied = Mutex<[Bool]>([])

        func found(_ damage: SnapshotDamage) { self.damage.withLock { _ = $0.insert(damage) } }
        func emptied(_ id: SnapshotID, isRemoved: Bool) { emptied.withLock { $0.append(isRemoved) } }
        func decided(_ changed: SnapshotDocument) {}
        func saved(_ id: SnapshotID) { stored.withLock { $0.append(id) } }
        func removed(_ id: SnapshotID) { gone.withLock { $0.append(id) } }
    }

    /// Two directories with a file each, and one file beside them.
    private struct Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        let snapshot: SnapshotID
        let contents: [String: [UInt8]]

        init() async throws {
            try await bench.create(store)
            var random = SplitMix64(seed: 33)
            for name in ["a/one", "b/two", "three"] { try bench.source.write(name, random.bytes(9_000)) }
            snapshot = try #require(try await bench.backUp(into: store, seed: 1).snapshot)
            contents = try await bench.contents(of: snapshot, in: store)
        }

        /// A store whose index does not know these blobs.
        func losing(_ lost: Set<BlobID>) async throws -> MemoryStorage {
            let copy = store.copy()
            let repository = try await bench.open(copy)
            try await repository.loadIndex()
            let index = repository.index
            var writer = IndexWriter()
            for number in 0..<index.packCount {
                let blobs = index.blobs(ofPack: number).filter { !lost.contains($0.id) }
                if !blobs.isEmpty { writer.append(pack: index.packID(number), blobs: blobs) }
            }
            for file in try await copy.list(.index) { try await copy.remove(ObjectName(.index, file.digest)) }
            _ = try await repository.saveUnpacked(.index, writer.finish())
            return copy
        }

        /// The root, and the trees and contents below it by the end of their paths.
        func blobs() async throws -> (root: BlobID, byName: [String: BlobID]) {
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            let worker = repository.makeWorker()
            let root = try #require(try await repository.loadSnapshot(snapshot).document.tree)
            var byName: [String: BlobID] = [:]
            var waiting = [root]
            while let tree = waiting.popLast() {
                var reader = TreeReader(try await repository.loadTree(tree, worker: worker))
                while let node = try reader.next() {
                    if let subtree = node.subtree {
                        byName[node.name.display] = subtree
                        waiting.append(subtree)
                    } else if let content = node.content?.first {
                        byName[node.name.display] = content
                    }
                }
            }
            return (root, byName)
        }
    }

    @discardableResult
    private static func run(
        _ scene: Scene,
        _ store: any ObjectStorage,
        forgetting: Bool,
        process: Int32 = 1
    ) async throws -> Log {
        let log = Log()
        try await scene.bench.onPool {
            let repository = try await scene.bench.open(store, process: process, seed: 7_000 + UInt64(process))
            try await repository.withLock(.exclusive) {
                try await repository.loadIndex()
                var repair = SnapshotRepair(repository, removesOriginals: forgetting, observer: log)
                for snapshot in try await repository.loadSnapshots(filter: SnapshotFilter(), unreadable: { throw $1 }) {
                    _ = try await repair.repair(snapshot)
                }
            }
        }
        return log
    }

    private static func snapshots(_ store: MemoryStorage) async throws -> Set<SnapshotID> {
        Set(try await store.list(.snapshot).map { SnapshotID($0.digest) })
    }

    @Test func `a file whose content is lost keeps its name, and everything else stays`() async throws {
        let scene = try await Scene()
        let lost = try #require(try await scene.blobs().byName["two"])
        for forgetting in [false, true] {
            let store = try await scene.losing([lost])
            let log = try await Self.run(scene, store, forgetting: forgetting)
            let repaired = try #require(log.stored.withLock { $0.first })
            #expect(log.damage.withLock { $0.count } == 1)
            #expect(try await Self.snapshots(store) == (forgetting ? [repaired] : [repaired, scene.snapshot]))
            var wanted = scene.contents
            let path = try #require(wanted.keys.first { $0.hasSuffix("b/two") })
            wanted[path] = []
            #expect(try await scene.bench.contents(of: repaired, in: store) == wanted)
            let document = try await scene.bench.open(store).loadSnapshot(repaired).document
            #expect(document.original == scene.snapshot)
            #expect(document.tags == (forgetting ? [] : ["repaired"]))
            // What was repaired is whole: a second repair changes nothing in it.
            let again = try await Self.run(scene, store, forgetting: true)
            #expect(again.stored.withLock { $0.count } == (forgetting ? 0 : 1))
        }
    }

    @Test func `a directory that is lost becomes an empty one`() async throws {
        let scene = try await Scene()
        let lost = try #require(try await scene.blobs().byName["a"])
        let store = try await scene.losing([lost])
        let log = try await Self.run(scene, store, forgetting: true)
        let repaired = try #require(log.stored.withLock { $0.first })
        let contents = try await scene.bench.contents(of: repaired, in: store)
        #expect(contents == scene.contents.filter { !$0.key.hasSuffix("a/one") })
    }

    @Test func `a snapshot of which nothing is left goes only when that is asked`() async throws {
        let scene = try await Scene()
        let root = try await scene.blobs().root
        for forgetting in [false, true] {
            let store = try await scene.losing([root])
            let log = try await Self.run(scene, store, forgetting: forgetting)
            #expect(log.damage.withLock { $0 } == [.lostRoot])
            #expect(log.emptied.withLock { $0 } == [forgetting])
            #expect(try await Self.snapshots(store) == (forgetting ? [] : [scene.snapshot]))
        }
    }

    @Test(arguments: [StorageCode.io, .timeout, .permission])
    func `E-04 a store that does not answer makes no directory empty`(code: StorageCode) async throws {
        let scene = try await Scene()
        let inner = scene.store.copy()
        let before = try await Self.snapshots(inner)
        let rules = [StorageRule(.fail(code), on: .get, kind: .pack, when: .from(0))]
        await #expect(throws: (any Error).self) {
            try await Self.run(scene, FaultyStorage(wrapping: inner, rules: rules), forgetting: true)
        }
        #expect(try await Self.snapshots(inner) == before)
    }

    @Test func `D-01 a tree whose bytes are wrong counts as lost`() async throws {
        let scene = try await Scene()
        let lost = try #require(try await scene.blobs().byName["a"])
        let repository = try await scene.bench.open(scene.store)
        try await repository.loadIndex()
        let place = try #require(repository.index.location(.tree, lost))
        let store = scene.store.copy()
        let name = ObjectName(.pack, place.pack.digest)
        var bytes = try #require(store.contents[name]).bytes
        bytes[Int(place.offset) + 20] ^= 1
        try await store.remove(name)
        try await store.put(name, Block(bytes))
        let log = try await Self.run(scene, store, forgetting: true)
        let found = log.damage.withLock { $0 }
        #expect(found.count == 1)
        if case .lostDirectory(let path)? = found.first {
            #expect(path.display.hasSuffix("/a"))
        } else {
            #expect(Bool(false), "\(found)")
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-02 any store call of a repair of snapshots may fail, lie or be the last one`() async throws {
        let scene = try await Scene()
        let lost = try #require(try await scene.blobs().byName["two"])
        let start = try await scene.losing([lost])
        let clean = FaultyStorage(wrapping: start.copy())
        try await Self.run(scene, clean, forgetting: true)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        var wanted = scene.contents
        let path = try #require(wanted.keys.first { $0.hasSuffix("b/two") })
        wanted[path] = []
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            for fault in faults + (clean.calls[point].operation == .put ? lies : []) {
                let inner = start.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                _ = try? await Self.run(scene, store, forgetting: true)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                let other = try await scene.bench.open(inner, process: 2)
                _ = try await other.unlock(removeAll: false)
                try await Self.run(scene, inner, forgetting: true, process: 2)
                let left = try await Self.snapshots(inner)
                #expect(!left.contains(scene.snapshot) && !left.isEmpty, label)
                for snapshot in left {
                    #expect(try await scene.bench.contents(of: snapshot, in: inner) == wanted, label)
                }
            }
        }
        print("repair snapshots: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }
}
