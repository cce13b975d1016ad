import Bytes
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Prunes of repositories in memory, and everything that can go wrong on the way.
@Suite struct PruneTests {
    /// What a prune told.
    private final class Log: PruneObserver {
        let stages = Mutex<[PruneStage]>([])
        let failures = Mutex(0)

        func began(_ stage: PruneStage) { stages.withLock { $0.append(stage) } }
        func progressed(_ done: Int, of total: Int) {}
        func finishedCounting() {}
        func unreferenced(_ pack: PackID) {}
        func forgetsMissing(_ packs: [PackID]) {}
        func removed(_ pack: PackID, _ error: (any Error)?) { if error != nil { failures.withLock { $0 += 1 } } }
        func removed(_ index: IndexID, _ error: (any Error)?) {}
    }

    /// A store with several packs, partly used, unused and unreferenced, and the snapshots that stay.
    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        let contents: [SnapshotID: [String: [UInt8]]]
    }

    /// Three backups of changing files in small packs; the first and the second snapshot are gone, and one pack is nobody's.
    private static func scene() async throws -> Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 5)
        for number in 0..<6 { try bench.source.write("sub/file\(number)", random.bytes(25_000)) }
        try bench.source.write("text", Array(repeating: UInt8(ascii: "x"), count: 40_000))
        let first = try #require(try await bench.backUp(into: store).snapshot)
        for number in 2..<4 { try bench.source.write("sub/file\(number)", random.bytes(25_001)) }
        let second = try #require(try await bench.backUp(into: store, seed: 1_000).snapshot)
        for number in 3..<5 { try bench.source.write("sub/file\(number)", random.bytes(25_002)) }
        let third = try #require(try await bench.backUp(into: store, seed: 2_000).snapshot)
        for snapshot in [first, second] { try await store.remove(ObjectName(.snapshot, snapshot.digest)) }
        let stray = Block(random.bytes(3_000))
        try await store.put(ObjectName(.pack, sha256(stray.bytes)), stray)
        return Scene(bench: bench, store: store, contents: [third: try await bench.contents(of: third, in: store)])
    }

    private static func run(
        _ scene: Scene,
        _ store: any ObjectStorage,
        seed: UInt64 = 5_000,
        process: Int32 = 1,
        _ change: @Sendable (inout PruneRequest) -> Void = { $0.maxUnused = .bytes(0) }
    ) async throws -> PruneStatistics {
        var request = PruneRequest()
        change(&request)
        let asked = request
        return try await scene.bench.onPool {
            let repository = try await scene.bench.open(store, process: process, seed: seed)
            return try await repository.withLock(.exclusive) {
                try await repository.loadIndex()
                let log = Log()
                let plan = try await repository.planPrune(asked, observer: log)
                try await repository.execute(plan, observer: log)
                return plan.statistics
            }
        }
    }

    /// Every snapshot that should be there is, and is right; a check that reads everything finds nothing wrong.
    private static func judge(_ scene: Scene, _ store: MemoryStorage, _ label: Comment) async throws {
        for (snapshot, contents) in scene.contents {
            let found = try? await scene.bench.contents(of: snapshot, in: store)
            #expect(found == contents, label)
        }
        let verdict = try await scene.bench.check(store)
        #expect(!verdict.hasErrors, "\(label): \(verdict.findings)")
    }

    @Test func `a prune leaves what is used, in packs that are full of it, and nothing else`() async throws {
        let scene = try await Self.scene()
        let before = try await scene.store.list(.pack)
        let told = try await Self.run(scene, scene.store)
        #expect(told.packs.unreferenced == 1 && told.packs.repacked + told.packs.removed > 0)
        #expect(told.sizes.remainingUnused == 0)
        let after = try await scene.store.list(.pack)
        #expect(after.reduce(0) { $0 + $1.size } < before.reduce(0) { $0 + $1.size })
        try await Self.judge(scene, scene.store, "after a prune")
        let again = FaultyStorage(wrapping: scene.store)
        let second = try await Self.run(scene, again, seed: 6_000)
        #expect(second.packs.repacked == 0 && second.packs.removedInAll == 0 && second.blobs.unused == 0)
        #expect(again.count(.put, .pack) == 0 && again.count(.remove, .pack) == 0)
        guard StockRestic.isInstalled else { return print("SKIP: no stock restic to judge a prune") }
        let folder = TestFolder()
        try folder.write(scene.store)
        let judged = try StockRestic.run(["check", "--read-data"], repository: folder.path)
        #expect(judged.status == 0, "\(judged.errors)")
        let stock = try StockRestic.run(["prune", "--max-unused", "0", "-v"], repository: folder.path)
        #expect(stock.status == 0 && stock.output.contains("to repack:             0 blobs"), "\(stock)")
    }

    @Test func `L-06 after a prune the index says of every pack what its header says, and of no other`() async throws {
        for unused: PruneRequest.UnusedLimit in [.bytes(0), .unlimited, .percent(5)] {
            let scene = try await Self.scene()
            _ = try await Self.run(scene, scene.store) { $0.maxUnused = unused }
            let repository = try await scene.bench.open(scene.store)
            try await repository.loadIndex()
            let index = repository.index
            let packs = try await scene.store.list(.pack)
            #expect(Set(packs.map(\.digest)) == Set((0..<index.packCount).map { index.packID($0).digest }))
            let worker = repository.makeWorker()
            for pack in packs {
                let header = try await repository.packHeader(PackID(pack.digest), size: pack.size, worker: worker)
                let number = try #require((0..<index.packCount).first { index.packID($0).digest == pack.digest })
                let known = index.blobs(ofPack: number).sorted { $0.offset < $1.offset }
                #expect(known.map(\.id) == header.entries.map(\.id))
                #expect(known.map(\.length) == header.entries.map(\.length))
                #expect(known.map(\.uncompressedLength) == header.entries.map(\.uncompressedLength))
            }
        }
    }

    @Test func `what is written again is hardly more than what stays of the packs that go`() async throws {
        let scene = try await Self.scene()
        let store = FaultyStorage(wrapping: scene.store)
        let told = try await Self.run(scene, store)
        let names = Set(store.calls.filter { $0.operation == .put && $0.kind == .pack }.compactMap(\.name))
        let packs = try await scene.store.list(.pack)
        let written = packs.filter { names.contains(ObjectName(.pack, $0.digest)) }.reduce(0) { $0 + $1.size }
        let kept = told.sizes.repacked - told.sizes.removedByRepacking
        #expect(told.packs.repacked > 0 && Double(written) <= 1.1 * Double(kept), "\(written) of \(kept)")
    }

    @Test func `a dry run changes nothing and tells what a run does`() async throws {
        let scene = try await Self.scene()
        let store = FaultyStorage(wrapping: scene.store.copy())
        let told = try await Self.run(scene, store) {
            $0.maxUnused = .bytes(0)
            $0.isDryRun = true
        }
        #expect(store.count(.put, .pack) == 0 && store.count(.remove, .pack) == 0 && store.count(.remove, .index) == 0)
        #expect(try await Self.run(scene, scene.store) == told)
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-02 A-06 L-07 any store call of a prune may fail, lie or be the last one`() async throws {
        let scene = try await Self.scene()
        let clean = FaultyStorage(wrapping: scene.store.copy())
        _ = try await Self.run(scene, clean)
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40)]
        let views: [StorageFault] = [.flipBit, .zeros, .misdirect, .shortRead(toBytes: 33)]
        var covered: Set<Int> = []
        for point in clean.calls.indices {
            let operation = clean.calls[point].operation
            for fault in faults + (operation == .put ? lies : operation == .get ? views : []) {
                let inner = scene.store.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                _ = try? await Self.run(scene, store)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                try await Self.judge(scene, inner, label)
                // A crash leaves the exclusive lock of a dead process, which `unlock` removes as in restic.
                let other = try await scene.bench.open(inner, process: 2)
                _ = try await other.unlock(removeAll: false)
                let next = try await Self.run(scene, inner, seed: 7_000, process: 2)
                #expect(next.sizes.remainingUnused == 0, label)
                try await Self.judge(scene, inner, label)
            }
        }
        print("prune: call-points \(covered.count)/\(clean.calls.count)")
        #expect(covered.count == clean.calls.count)
    }

    @Test func `E-05 a store that forgets to list something that is needed stops the prune before it removes`()
        async throws
    {
        let scene = try await Self.scene()
        for kind in [ObjectKind.index, .pack] {
            for entry in try await scene.store.list(kind) {
                let inner = scene.store.copy()
                try await inner.remove(ObjectName(kind, entry.digest))
                let before = inner.contents
                let isNeeded = try await Self.isNeeded(scene, inner)
                do {
                    _ = try await Self.run(scene, inner)
                    #expect(!isNeeded, "\(kind.rawValue) \(entry.digest.short)")
                } catch let failure as RepositoryFailure {
                    #expect(isNeeded && failure.state == "nothing was removed", "\(failure)")
                    #expect(Set(inner.contents.keys) == Set(before.keys), "\(failure)")
                }
            }
        }
    }

    @Test func `D-02 a pack of another size than the index says stops the prune when it is needed, and else it goes`()
        async throws
    {
        let scene = try await Self.scene()
        var refused = 0
        for entry in try await scene.store.list(.pack) {
            for change in [-40, 40] {
                let inner = scene.store.copy()
                let name = ObjectName(.pack, entry.digest)
                let bytes = inner.contents[name]?.bytes ?? []
                let changed = change < 0 ? bytes.dropLast(-change) : bytes + [UInt8](repeating: 7, count: change)
                inner.overwrite(name, Block(Array(changed)))
                let before = inner.contents.mapValues(\.bytes)
                do {
                    _ = try await Self.run(scene, inner)
                    #expect(inner.contents[name] == nil, "\(name.short) stays with \(change) bytes")
                    try await Self.judge(scene, inner, "\(name.short), \(change) bytes")
                } catch let failure as RepositoryFailure {
                    let refusal = failure.cause as? PruneRefusal
                    let found = UInt64(bytes.count + change)
                    #expect(refusal == .sizeMismatch(PackID(entry.digest), expected: entry.size, found: found))
                    #expect(failure.state == "nothing was removed")
                    #expect(inner.contents.mapValues(\.bytes) == before, "\(name.short), \(change) bytes")
                    refused += 1
                }
            }
        }
        #expect(refused > 2)
    }

    @Test func `L-07 a snapshot that appears while the prune looks stops it before it removes`() async throws {
        let scene = try await Self.scene()
        // Of a run that has a lock nobody sees; its blobs count as unused.
        let other = try await scene.bench.open(scene.store)
        var document = try await other.loadSnapshot(try #require(scene.contents.keys.first)).document
        document.tags = ["late"]
        let late = ObjectName(.snapshot, try await other.saveSnapshot(document).digest)
        let bytes = try #require(scene.store.contents[late])
        try await scene.store.remove(late)
        let before = Set(scene.store.contents.keys).union([late])
        // While snapshots are read, packs are listed, and so on: any time after they were listed first.
        let quiet = FaultyStorage(wrapping: scene.store.copy())
        var dry = PruneRequest()
        dry.isDryRun = true
        let asked = dry
        _ = try await Self.run(scene, quiet) { $0 = asked }
        let listings = quiet.calls.filter { $0.operation == .list && $0.kind == .snapshot }.map(\.number)
        let (first, last) = (try #require(listings.first), try #require(listings.last))
        #expect(first < last)
        for point in first + 1...last {
            let inner = scene.store.copy()
            let store = WatchedStore(inner) { number, _, _, _ in
                if number == point { inner.overwrite(late, bytes) }
            }
            let failure = await #expect(throws: RepositoryFailure.self, "call \(point)") {
                _ = try await Self.run(scene, store)
            }
            #expect(failure?.cause as? PruneRefusal == .newSnapshots([SnapshotID(late.digest)]), "call \(point)")
            #expect(failure?.state == "nothing was removed" && failure?.code == .lockLost, "call \(point)")
            #expect(Set(inner.contents.keys) == before, "call \(point)")
        }
    }

    private static func isNeeded(_ scene: Scene, _ store: MemoryStorage) async throws -> Bool {
        for (snapshot, contents) in scene.contents {
            guard let found = try? await scene.bench.contents(of: snapshot, in: store), found == contents else {
                return true
            }
        }
        return false
    }

    @Test func `L-03 a prune whose lock was taken away removes no pack`() async throws {
        let scene = try await Self.scene()
        let packs = try await scene.store.list(.pack).count
        let store = WatchedStore(scene.store) { _, operation, name, _ in
            guard operation == .put, name?.kind == .pack else { return }
            for lock in try await scene.store.list(.lock) {
                try await scene.store.remove(ObjectName(.lock, lock.digest))
            }
        }
        // The unreferenced pack may go before.
        await #expect(throws: (any Error).self) { _ = try await Self.run(scene, store) }
        #expect(try await scene.store.list(.pack).count >= packs - 1)
        try await Self.judge(scene, scene.store, "after a lost lock")
    }
}
