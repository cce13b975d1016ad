import Bytes
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// The upgrade to version 2, and everything that can go wrong on the way.
@Suite struct MigrationTests {
    private static func open(_ store: any ObjectStorage, seed: UInt64 = 50) async throws -> Repository {
        try await Repository.open(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: SmallRepository.environment(seed: seed)
        )
    }

    private static func upgrade(_ store: any ObjectStorage, _ folder: TestFolder) async throws {
        try await open(store).upgradeToVersion2(temporary: folder.bytes)
    }

    /// The copies of the config that lie in the folder.
    private static func backups(_ folder: TestFolder) throws -> [[UInt8]] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .compactMap { folder.read($0 + "/config") }
    }

    @Test func `an upgraded repository keeps ID, polynomial and snapshots, and compresses what comes`() async throws {
        let small = try await SmallRepository.make(version: 1)
        let before = try await Self.open(small.store)
        let folder = TestFolder()
        #expect(Migration.upgradeRepositoryV2.obstacle(in: before) == nil)
        try await Self.upgrade(small.store, folder)
        let after = try await Self.open(small.store)
        #expect(after.config.version == 2 && after.config.id == before.config.id)
        #expect(after.config.polynomial == before.config.polynomial)
        #expect(Migration.upgradeRepositoryV2.obstacle(in: after) == "repository is already upgraded to version 2")
        #expect(try await !small.check().hasErrors)
        #expect(
            try Self.backups(folder).isEmpty && FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty
        )
        let failure = await #expect(throws: RepositoryFailure.self) { try await Self.upgrade(small.store, folder) }
        #expect(failure?.what == "repository has version 2, only upgrades from version 1 are supported")
        guard StockRestic.isInstalled else { return print("SKIP: no stock restic to judge an upgrade") }
        let stock = TestFolder()
        try stock.write(small.store)
        #expect(try StockRestic.run(["check", "--read-data"], repository: stock.path).status == 0)
        let pruned = try StockRestic.run(["prune", "--repack-uncompressed"], repository: stock.path)
        #expect(pruned.status == 0, "\(pruned.errors)")
    }

    @Test(.timeLimit(.minutes(10)))
    func `2.3 A-12 L1 any store call of an upgrade may fail, lie or be the last one`() async throws {
        let small = try await SmallRepository.make(version: 1)
        let old = small.bytes(.config)
        let clean = FaultyStorage(wrapping: small.store.copy())
        try await Self.upgrade(clean, TestFolder())
        let faults: [StorageFault] = [.fail(.io), .fail(.noSpace), .failAfter(.timeout), .crashBefore, .crashAfter]
        let lies: [StorageFault] = [.ghostPut, .truncatePut(toBytes: 40), .truncatePut(toBytes: 0)]
        let views: [StorageFault] = [.flipBit, .zeros, .shortRead(toBytes: 33)]
        for point in clean.calls.indices {
            let operation = clean.calls[point].operation
            for fault in faults + (operation == .put ? lies : operation == .get ? views : []) {
                let inner = small.store.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                let folder = TestFolder()
                let label = Comment(rawValue: "\(fault) at call \(point) \(clean.calls[point])")
                do {
                    try await Self.upgrade(store, folder)
                    #expect(try await Self.open(inner).config.version == 2, label)
                } catch {}
                if (try? await Self.open(inner)) == nil {
                    #expect(try Self.backups(folder) == [old], label)
                    inner.overwrite(.config, Block(old))
                }
                if try await Self.open(inner).config.version == 1 { try await Self.upgrade(inner, folder) }
                #expect(try await !small.check(inner).hasErrors, label)
            }
        }
    }

    @Test func `L1 a store without replacing in one step loses no config, and where it dies the backup is named`()
        async throws
    {
        let small = try await SmallRepository.make(version: 1)
        let old = small.bytes(.config)
        let clean = WatchedStore(small.store.copy()) { _, _, _, _ in }
        try await Self.upgrade(clean, TestFolder())
        var named = 0
        for point in 0..<clean.callCount {
            for isDead in [false, true] {
                let inner = small.store.copy()
                let store = WatchedStore(inner) { number, _, _, _ in
                    guard number == point || isDead && number > point else { return }
                    throw StorageFailure(.io, operation: "call", object: "store", what: "is broken", next: "nothing")
                }
                let folder = TestFolder()
                do { try await Self.upgrade(store, folder) } catch {
                    guard inner.contents[.config] == nil else {
                        #expect(try await [1, 2].contains(Self.open(inner).config.version), "call \(point)")
                        continue
                    }
                    named += 1
                    let failure = try #require(error as? StorageFailure, "told under the code of the store")
                    #expect(isDead && failure.state.contains(folder.path), "call \(point): \(error)")
                    #expect(try Self.backups(folder) == [old], "call \(point)")
                }
            }
        }
        #expect(named > 0, "otherwise nothing was proven")
    }
}
