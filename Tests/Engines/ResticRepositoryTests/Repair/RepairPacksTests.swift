import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Damaged packs: what opens is stored again before they go.
@Suite struct RepairPacksTests {
    private final class Log: RepairObserver {
        let lost = Mutex<Set<BlobID>>([])
        let others = Mutex<[String]>([])

        func began(_ stage: RepairStage) {}
        func progressed(_ done: Int, of total: Int) {}
        func finishedCounting() {}
        func found(_ finding: RepairFinding) {
            switch finding {
            case .lostBlob(let id, _): lost.withLock { _ = $0.insert(id) }
            case .incompleteIndex: others.withLock { $0.append("incomplete index") }
            case .nothingKnown: others.withLock { $0.append("nothing known") }
            case .packNotRemoved: others.withLock { $0.append("not removed") }
            default: others.withLock { $0.append("other") }
            }
        }
        func removed(_ index: IndexID, _ error: (any Error)?) {}
    }

    private struct Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        let snapshot: SnapshotID
        let contents: [String: [UInt8]]
        /// The largest pack of data, and what it holds.
        let pack: PackID
        let blobs: [PackedBlob]

        init() async throws {
            try await bench.create(store)
            var random = SplitMix64(seed: 21)
            for number in 0..<6 { try bench.source.write("sub/\(number)", random.bytes(20_000)) }
            snapshot = try #require(try await bench.backUp(into: store, seed: 1).snapshot)
            contents = try await bench.contents(of: snapshot, in: store)
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            let index = repository.index
            let number = try #require(
                (0..<index.packCount).filter { index.blobs(ofPack: $0).allSatisfy { $0.type == .data } }
                    .max { index.blobs(ofPack: $0).count < index.blobs(ofPack: $1).count }
            )
            pack = index.packID(number)
            blobs = index.blobs(ofPack: number).sorted { $0.offset < $1.offset }
        }

        var packName: ObjectName { ObjectName(.pack, pack.digest) }

        func damaged(_ change: (inout [UInt8]) -> Void) async throws -> MemoryStorage {
            let copy = store.copy()
            var bytes = try #require(copy.contents[packName]).bytes
            change(&bytes)
            try await copy.remove(packName)
            try await copy.put(packName, Block(bytes))
            return copy
        }

        /// Data blobs that no index names any more.
        func missing(in store: any ObjectStorage) async throws -> Set<BlobID> {
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            return Set(blobs.map(\.id).filter { !repository.index.contains(.data, $0) })
        }
    }

    @discardableResult
    private static func run(
        _ scene: Scene,
        _ store: any ObjectStorage,
        process: Int32 = 1,
        keepCopy: @escaping @Sendable (PackID, Block) throws -> Void = { _, _ in }
    ) async throws -> Log {
        let log = Log()
        try await scene.bench.onPool {
            let repository = try await scene.bench.open(store, process: process, seed: 6_000 + UInt64(process))
            try await repository.withLock(.exclusive) {
                try await repository.loadIndex()
                try await repository.repairPacks([scene.pack], keepCopy: keepCopy, observer: log)
            }
        }
        return log
    }

    @Test func `D-01 of a damaged pack all but the damaged blob is kept, and the pack goes`() async throws {
        let scene = try await Scene()
        for blob in scene.blobs {
            let store = try await scene.damaged { $0[Int(blob.offset) + 5] ^= 1 }
            let copies = Mutex<[PackID: Block]>([:])
            let bytes = try #require(store.contents[scene.packName])
            let log = try await Self.run(scene, store) { pack, block in copies.withLock { $0[pack] = block } }
            #expect(log.lost.withLock { $0 } == [blob.id])
            #expect(copies.withLock { $0[scene.pack]?.bytes } == bytes.bytes)
            #expect(try await scene.missing(in: store) == [blob.id])
            #expect(store.contents[scene.packName] == nil)
            // A second run has nothing to work on, and says so.
            await #expect(throws: RepositoryFailure.self) { try await Self.run(scene, store) }
        }
    }

    @Test func `D-02 a pack that ends early keeps what lies before the end`() async throws {
        let scene = try await Scene()
        for blob in scene.blobs {
            let store = try await scene.damaged { $0.removeLast($0.count - Int(blob.offset) - 7) }
            let log = try await Self.run(scene, store)
            let lost = Set(scene.blobs.filter { $0.offset >= blob.offset }.map(\.id))
            #expect(log.lost.withLock { $0 } == lost)
            #expect(try await scene.missing(in: store) == lost)
        }
    }

    @Test func `a sound pack is only moved, and blobs that the index forgot come back`() async throws {
        let scene = try await Scene()
        let store = scene.store.copy()
        #expect(try await Self.run(scene, store).lost.withLock(\.isEmpty))
        #expect(try await scene.bench.contents(of: scene.snapshot, in: store) == scene.contents)
        let verdict = try await scene.bench.check(store)
        #expect(!verdict.hasErrors, "\(verdict.findings)")

        let forgetful = scene.store.copy()
        for file in try await forgetful.list(.index) { try await forgetful.remove(ObjectName(.index, file.digest)) }
        let log = try await Self.run(scene, forgetful)
        #expect(log.others.withLock { $0 } == ["incomplete index"])
        #expect(try await scene.missing(in: forgetful).isEmpty)
    }

    @Test func `E-04 a store that does not answer is no proof of damage: the pack stays`() async throws {
        let scene = try await Scene()
        let store = try await scene.damaged { $0[5] ^= 1 }
        for code in [StorageCode.io, .timeout, .permission] {
            // The whole pack comes, as the copy that is kept; what is read of it afterwards does not.
            let rule = StorageRule(.fail(code), on: .get, kind: .pack, when: .from(2))
            let inner = store.copy()
            let faulty = FaultyStorage(wrapping: inner, rules: [rule])
            await #expect(throws: (any Error).self) { try await Self.run(scene, faulty) }
            #expect(inner.contents[scene.packName] != nil)
            #expect(faulty.calls.contains { $0.fault != nil })
            let repository = try await scene.bench.open(inner)
            try await repository.loadIndex()
            #expect(repository.index.contains(.data, scene.blobs[0].id))
        }
    }

    @Test func `nothing changes when the copy cannot be kept`() async throws {
        struct NoRoom: Error {}
        let scene = try await Scene()
        let store = try await scene.damaged { $0[5] ^= 1 }
        let before = store.contents.filter { $0.key.kind != .lock }.keys
        await #expect(throws: NoRoom.self) { try await Self.run(scene, store) { _, _ in throw NoRoom() } }
        #expect(store.contents.filter { $0.key.kind != .lock }.keys == before)
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-02 any store call of a repair of packs may fail, lie or be the last one`() async throws {
        let scene = try await Scene()
        let damagedBlob = scene.blobs[0]
        let start = try await scene.damaged { $0[Int(damagedBlob.offset) + 5] ^= 1 }
        let clean = FaultyStorage(wrapping: start.copy())
        try await Self.run(scene, clean)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            for fault in faults + (clean.calls[point].operation == .put ? lies : []) {
                let inner = start.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                _ = try? await Self.run(scene, store)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                let other = try await scene.bench.open(inner, process: 2)
                _ = try await other.unlock(removeAll: false)
                if inner.contents[scene.packName] != nil { try await Self.run(scene, inner, process: 2) }
                let missing = try await scene.missing(in: inner)
                #expect(missing == [damagedBlob.id], label)
            }
        }
        print("repair packs: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }
}
