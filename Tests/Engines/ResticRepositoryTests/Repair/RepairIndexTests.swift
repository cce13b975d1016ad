import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Index files that are gone, damaged or wrong, made anew from what the packs say.
@Suite struct RepairIndexTests {
    private final class Log: RepairObserver {
        let findings = Mutex<[String]>([])

        func began(_ stage: RepairStage) {}
        func progressed(_ done: Int, of total: Int) {}
        func finishedCounting() {}
        func found(_ finding: RepairFinding) {
            let word =
                switch finding {
                case .invalidIndex: "invalid index"
                case .unknownPack: "unknown pack"
                case .wrongSize: "wrong size"
                case .missingPack: "missing pack"
                case .unreadablePack: "unreadable pack"
                case .lostBlob, .incompleteIndex, .nothingKnown, .packNotRemoved: "of another repair"
                }
            findings.withLock { $0.append(word) }
        }
        func removed(_ index: IndexID, _ error: (any Error)?) {}
    }

    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        let contents: [SnapshotID: [String: [UInt8]]]
    }

    private static func scene() async throws -> Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 9)
        var contents: [SnapshotID: [String: [UInt8]]] = [:]
        for round in 0..<2 {
            for number in 0..<4 { try bench.source.write("sub/\(round)-\(number)", random.bytes(25_000)) }
            let result = try await bench.backUp(into: store, seed: UInt64(round) * 1_000 + 1)
            let snapshot = try #require(result.snapshot)
            contents[snapshot] = try await bench.contents(of: snapshot, in: store)
        }
        return Scene(bench: bench, store: store, contents: contents)
    }

    @discardableResult
    private static func run(
        _ scene: Scene,
        _ store: any ObjectStorage,
        readingAllPacks: Bool = false,
        process: Int32 = 1
    ) async throws -> [String] {
        let log = Log()
        try await scene.bench.onPool {
            let repository = try await scene.bench.open(store, process: process, seed: 5_000 + UInt64(process))
            try await repository.withLock(.exclusive) {
                try await repository.repairIndex(readingAllPacks: readingAllPacks, observer: log)
            }
        }
        return log.findings.withLock { $0 }
    }

    private static func judge(_ scene: Scene, _ store: MemoryStorage, _ label: Comment) async throws {
        for (snapshot, contents) in scene.contents {
            #expect(try await scene.bench.contents(of: snapshot, in: store) == contents, label)
        }
        let verdict = try await scene.bench.check(store)
        #expect(!verdict.hasErrors, "\(label): \(verdict.findings)")
    }

    @Test(arguments: [false, true])
    func `D-03 lost and damaged index files are made anew, and a second repair finds nothing`(
        readingAllPacks: Bool
    ) async throws {
        let scene = try await Self.scene()
        let files = try await scene.store.list(.index)
        #expect(files.count >= 2)
        for file in files {
            let name = ObjectName(.index, file.digest)
            for isLost in [true, false] {
                let store = scene.store.copy()
                let bytes = try #require(store.contents[name]).bytes
                try await store.remove(name)
                if !isLost { try await store.put(name, Block(Array(bytes.dropLast(7)))) }
                let found = try await Self.run(scene, store, readingAllPacks: readingAllPacks)
                #expect(found.contains("unknown pack"), "\(found)")
                #expect(found.contains("invalid index") == (!isLost && !readingAllPacks), "\(found)")
                try await Self.judge(scene, store, "lost \(isLost)")
                if !readingAllPacks { #expect(try await Self.run(scene, store).isEmpty) }
            }
        }
    }

    @Test func `a pack that is gone, and one that cannot be read, are named and forgotten`() async throws {
        let scene = try await Self.scene()
        let packs = try await scene.store.list(.pack)
        let (gone, short) = (ObjectName(.pack, packs[0].digest), ObjectName(.pack, packs[1].digest))
        try await scene.store.remove(gone)
        let bytes = try #require(scene.store.contents[short]).bytes
        try await scene.store.remove(short)
        try await scene.store.put(short, Block(Array(bytes.dropLast(20))))
        let found = try await Self.run(scene, scene.store)
        #expect(Set(found) == ["missing pack", "wrong size", "unreadable pack"], "\(found)")
        let repository = try await scene.bench.open(scene.store)
        try await repository.loadIndex()
        let known = Set((0..<repository.index.packCount).map { repository.index.packID($0).digest })
        #expect(!known.contains(packs[0].digest) && !known.contains(packs[1].digest) && known.count == packs.count - 2)
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-02 any store call of a repair of the index may fail, lie or be the last one`() async throws {
        let scene = try await Self.scene()
        let file = try #require(try await scene.store.list(.index).first)
        try await scene.store.remove(ObjectName(.index, file.digest))
        let clean = FaultyStorage(wrapping: scene.store.copy())
        try await Self.run(scene, clean)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            for fault in faults + (clean.calls[point].operation == .put ? lies : []) {
                let inner = scene.store.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                _ = try? await Self.run(scene, store)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                let other = try await scene.bench.open(inner, process: 2)
                _ = try await other.unlock(removeAll: false)
                try await Self.run(scene, inner, process: 2)
                try await Self.judge(scene, inner, label)
            }
        }
        print("repair index: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }
}
