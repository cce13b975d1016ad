import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// All repairs in their order, after damage of any kind: the check passes, and what could be read before can be read still.
@Suite struct RepairAllTests {
    enum Damage: String, CaseIterable, Sendable { case flipped, zeroed, cut, lost }

    private struct Silent: RepairObserver, SnapshotRepairObserver {
        func began(_ stage: RepairStage) {}
        func progressed(_ done: Int, of total: Int) {}
        func finishedCounting() {}
        func found(_ finding: RepairFinding) {}
        func removed(_ index: IndexID, _ error: (any Error)?) {}
        func found(_ damage: SnapshotDamage) {}
        func emptied(_ id: SnapshotID, isRemoved: Bool) {}
        func decided(_ changed: SnapshotDocument) {}
        func saved(_ id: SnapshotID) {}
        func removed(_ id: SnapshotID) {}
    }

    private static func scene() async throws -> (BackupBench, MemoryStorage) {
        let bench = BackupBench(pool: BackupBench.wide)
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 77)
        for round in 0..<2 {
            for number in 0..<6 { try bench.source.write("dir-\(number % 3)/\(round)-\(number)", random.bytes(25_000)) }
            bench.clock.advance(seconds: 60)
            _ = try await bench.backUp(into: store, seed: UInt64(round) * 1_000 + 1)
        }
        return (bench, store)
    }

    private static func strike(_ damage: Damage, _ name: ObjectName, in store: MemoryStorage) throws {
        var bytes = try #require(store.contents[name]?.bytes)
        switch damage {
        case .flipped: bytes[bytes.count / 3] ^= 4
        case .zeroed:
            bytes.replaceSubrange(
                bytes.count / 3..<bytes.count / 2,
                with: repeatElement(0, count: bytes.count / 2 - bytes.count / 3)
            )
        case .cut: bytes.removeLast(bytes.count / 2)
        case .lost: return
        }
        store.overwrite(name, Block(bytes))
    }

    /// Every file that can be read whole, by the time of its snapshot and its path.
    private static func readable(_ bench: BackupBench, _ store: MemoryStorage) async throws -> [String: [UInt8]] {
        let repository = try await bench.open(store)
        try await repository.loadIndex(unreadable: { _, _ in })
        let worker = repository.makeWorker()
        var files: [String: [UInt8]] = [:]
        for snapshot in try await repository.loadSnapshots(unreadable: { throw $1 }) {
            var walker = TreeWalker(repository, worker: worker)
            do { try await walker.enter(try #require(snapshot.document.tree)) } catch { continue }
            while let event = try walker.next() {
                guard case .entry(let node) = event else { continue }
                if let subtree = node.subtree { try? await walker.enter(subtree, name: node.name) }
                guard let content = node.content else { continue }
                var bytes: [UInt8] = []
                do {
                    for id in content { bytes += try await repository.loadBlob(.data, id, worker: worker) }
                } catch { continue }
                files["\(snapshot.document.time.moment.seconds)\(walker.path(node.name).display)"] = bytes
            }
        }
        return files
    }

    /// As `check` advises: what its blobs can still give comes out of a damaged pack before the index forgets them.
    private static func repairAll(_ bench: BackupBench, _ store: MemoryStorage) async throws {
        try await repairPacks(bench, store)
        try await bench.onPool {
            let repository = try await bench.open(store)
            try await repository.withLock(.exclusive) {
                try await repository.repairIndex(readingAllPacks: false, observer: Silent())
            }
        }
        try await repairPacks(bench, store)
        try await bench.onPool {
            let repository = try await bench.open(store)
            try await repository.withLock(.exclusive) {
                try await repository.loadIndex()
                var repair = SnapshotRepair(repository, removesOriginals: true, observer: Silent())
                for snapshot in try await repository.loadSnapshots(unreadable: { throw $1 }) {
                    _ = try await repair.repair(snapshot)
                }
            }
        }
    }

    private static func repairPacks(_ bench: BackupBench, _ store: MemoryStorage) async throws {
        let broken = Set(try await bench.check(store).brokenPacks)
        if broken.isEmpty { return }
        try await bench.onPool {
            let repository = try await bench.open(store)
            try await repository.withLock(.exclusive) {
                try await repository.loadIndex()
                try await repository.repairPacks(broken, keepCopy: { _, _ in }, observer: Silent())
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: Damage.allCases)
    func `D-07 D-12 after all repairs the check passes, and what was readable is readable`(damage: Damage) async throws
    {
        let (bench, whole) = try await Self.scene()
        let packs = try await whole.list(.pack).map { ObjectName(.pack, $0.digest) }
        let indexes = try await whole.list(.index).map { ObjectName(.index, $0.digest) }
        let names = packs + indexes
        #expect(names.count > 4)
        for name in names {
            let store = whole.copy()
            try Self.strike(damage, name, in: store)
            if damage == .lost { try await store.remove(name) }
            let before = try await Self.readable(bench, store)
            try await Self.repairAll(bench, store)
            let after = try await Self.readable(bench, store)
            let verdict = try await bench.check(store)
            #expect(!verdict.hasErrors, "\(damage) \(name): \(verdict.findings)")
            let lost = before.filter { after[$0.key] != $0.value }.keys
            #expect(lost.isEmpty, "\(damage) \(name): \(lost)")
        }
    }
}
