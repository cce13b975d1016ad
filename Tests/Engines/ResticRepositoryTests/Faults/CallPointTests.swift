import Bytes
import Foundation
import ObjectStorage
import Outcome
import Testing

import ResticRepository

/// Fail-at-call-N (fault-plan 2.3): every call of the store that a backup makes, and everything that can become of it.
@Suite struct CallPointTests {
    /// A bench, the store before the backup under test, and what is acknowledged in it.
    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        var acknowledged: [SnapshotID: [String: [UInt8]]] = [:]
        /// What the backup under test has to save.
        var source: [String: [UInt8]] = [:]
    }

    /// Fourteen blobs in several packs, in two directories.
    private static func write(_ bench: BackupBench, version: UInt8) throws -> [String: [UInt8]] {
        var random = SplitMix64(seed: 11)
        var files: [String: [UInt8]] = ["/sub/": [], "/sub/deep/": []]
        for number in 0..<6 { files["/file\(number)"] = random.bytes(22_000) }
        for number in 0..<3 { files["/sub/file\(number)"] = random.bytes(30_000) }
        files["/sub/deep/leaf"] = Array("leaf".utf8)
        files["/sub/empty"] = []
        if version > 1 {
            files["/file0"] = random.bytes(24_000)
            files["/sub/file1"] = random.bytes(50_000)
            for number in 0..<3 { files["/sub/more\(number)"] = random.bytes(50_000) }
            files["/file5"] = nil
            try bench.source.remove("file5")
        }
        for (path, bytes) in files where !path.hasSuffix("/") && bench.source.read(path) != bytes {
            try bench.source.write(path, bytes)
        }
        return files
    }

    private static func scene(backups: Int) async throws -> Scene {
        let bench = BackupBench()
        var scene = Scene(bench: bench, store: MemoryStorage())
        try await bench.create(scene.store)
        scene.source = try write(bench, version: 1)
        guard backups > 1 else { return scene }
        let first = try #require(try await bench.backUp(into: scene.store).snapshot)
        scene.acknowledged[first] = scene.source
        scene.source = try write(bench, version: 2)
        return scene
    }

    /// One backup with a lock that has to be renewed on the way, and an index file that falls due.
    private static func backUp(_ scene: Scene, into store: any ObjectStorage) async throws -> BackupResult {
        let clock = scene.bench.clock
        let observer = ItemLog { path in
            if path == "/file0" || path == "/file1" { clock.advance(seconds: 301) }
        }
        return try await scene.bench.backUp(into: store, seed: 1_000_000, observer: observer)
    }

    private static let faults: [StorageFault] = [
        .fail(.io), .fail(.noSpace), .fail(.permission), .fail(.notFound), .failAfter(.timeout), .crashBefore,
        .crashAfter,
    ]
    private static let putFaults: [StorageFault] = [
        .ghostPut, .truncatePut(toBytes: 0), .truncatePut(toBytes: 40), .truncatePut(toBytes: 300),
    ]

    @Test(.timeLimit(.minutes(10)), arguments: [1, 2])
    func `2.3 A-02 any store call of a backup may fail, lie or be the last one`(backups: Int) async throws {
        let scene = try await Self.scene(backups: backups)
        let clean = FaultyStorage(wrapping: scene.store.copy())
        _ = try await Self.backUp(scene, into: clean)
        let points = clean.calls.count
        #expect(clean.count(.put, .pack) > 3 && clean.count(.put, .index) > 1 && clean.count(.put, .lock) > 1)
        var covered: Set<Int> = []
        var runs = 0
        for point in 0..<points {
            let isPut = clean.calls[point].operation == .put
            for fault in Self.faults + (isPut ? Self.putFaults : []) {
                if try await strike(scene, fault, at: point, run: runs) { covered.insert(point) }
                runs += 1
            }
        }
        print("call-points \(covered.count)/\(points) of backup \(backups), \(runs) runs")
        #expect(covered.count == points)
    }

    /// One run with one fault, judged; true when the fault struck.
    private func strike(_ scene: Scene, _ fault: StorageFault, at point: Int, run: Int) async throws -> Bool {
        let inner = scene.store.copy()
        let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
        var acknowledged = scene.acknowledged
        var failure: (any Error)?
        do {
            let result = try await Self.backUp(scene, into: store)
            acknowledged[try #require(result.snapshot)] = scene.source
        } catch {
            failure = error
        }
        guard let call = store.calls.first(where: { $0.fault != nil }) else { return false }
        let label = Comment(rawValue: "\(fault) at call \(point), \(call.operation) \(call.name?.path ?? "")")
        if let failure {
            let words = try #require(failure as? any ReportableFailure, label)
            #expect(!words.state.isEmpty && !words.next.isEmpty && !words.object.isEmpty, label)
        }
        try await judge(scene, inner, acknowledged, label)
        let isCrash = fault == .crashBefore || fault == .crashAfter
        if !isCrash, call.kind != .lock { #expect(try await inner.list(.lock).isEmpty, label) }

        // The next run is another process, and needs nobody's help.
        let next = try await scene.bench.backUp(into: inner, process: 2)
        acknowledged[try #require(next.snapshot, label)] = scene.source
        #expect(next.errorCount == 0, label)
        try await judge(scene, inner, acknowledged, label)
        // Every third run, which meets every point, since there are seven or eleven runs at each.
        if run % 3 == 0 {
            let verdict = try await scene.bench.check(inner)
            #expect(!verdict.hasErrors, "\(label): \(verdict.findings)")
        }
        if run % 97 == 40 { try ask(inner, label) }
        return true
    }

    /// Every acknowledged snapshot is there and right; every other is complete, too (I1, I2).
    private func judge(
        _ scene: Scene,
        _ store: MemoryStorage,
        _ acknowledged: [SnapshotID: [String: [UInt8]]],
        _ label: Comment
    ) async throws {
        let present = Set(try await store.list(.snapshot).map { SnapshotID($0.digest) })
        #expect(present.isSuperset(of: acknowledged.keys), label)
        for snapshot in present {
            let contents = try? await scene.bench.contents(of: snapshot, in: store)
            #expect(contents == acknowledged[snapshot] ?? scene.source, label)
        }
    }

    private func ask(_ store: MemoryStorage, _ label: Comment) throws {
        guard StockRestic.isInstalled else { return }
        let folder = TestFolder()
        try folder.write(store)
        let run = try StockRestic.run(["check", "--read-data", "--no-lock"], repository: folder.path)
        #expect(run.status == 0, "\(label): \(run.errors)")
    }
}
