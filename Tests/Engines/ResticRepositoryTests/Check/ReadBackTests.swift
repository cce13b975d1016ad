import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Reading back packs whose blobs were verified when they were sealed: the hash of every byte has to find what is wrong in the store.
@Suite struct ReadBackTests {
    /// A repository, what one handle wrote there, and the snapshot.
    private struct Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        var packs: [PackID: BlobType] = [:]
        var snapshot = SnapshotID(.zero)

        init(_ change: (inout RepositoryOptions) -> Void = { _ in }) async throws {
            try await bench.create(store)
            var random = SplitMix64(seed: 5)
            for number in 0..<6 { try bench.source.write("/dir/file\(number)", random.bytes(30_000 + number)) }
            let (bench, writer) = (bench, try await bench.open(store, change))
            let result = try await bench.onPool { try await bench.backUp(to: writer) }
            snapshot = try #require(result.snapshot)
            for number in 0..<writer.index.packCount {
                let id = writer.index.packID(number)
                guard writer.isProvenInMemory(id) else { continue }
                packs[id] = try #require(writer.index.blobs(ofPack: number).first).type
            }
        }

        /// What a run does, by a handle that knows nothing.
        func readBack(from store: any ObjectStorage) async throws -> CheckResult {
            let (bench, packs, snapshot) = (bench, Set(packs.keys), snapshot)
            return try await bench.onPool {
                let request = CheckRequest(
                    readData: .packs(packs),
                    snapshots: [ByteString(snapshot.hex)],
                    provenInMemory: packs
                )
                return try await check(request, in: try await bench.open(store))
            }
        }
    }

    @Test func `what was verified when it was sealed is read whole, hashed, and right`() async throws {
        let scene = try await Scene()
        #expect(Set(scene.packs.values) == [.data, .tree])
        let store = FaultyStorage(wrapping: scene.store)
        let result = try await scene.readBack(from: store)
        #expect(result.findings.isEmpty)
        for id in scene.packs.keys {
            let size = try await scene.store.size(ObjectName(.pack, id.digest))
            var seen = 0 as UInt64
            for call in store.calls where call.operation == .get && call.name == ObjectName(.pack, id.digest) {
                guard let range = call.range, range.lowerBound <= seen else { continue }
                seen = max(seen, range.upperBound)
            }
            #expect(seen == size)
        }
    }

    @Test func `B-13 a flipped byte anywhere in a pack of either kind is found and named`() async throws {
        let scene = try await Scene()
        for (id, type) in scene.packs {
            let name = ObjectName(.pack, id.digest)
            let bytes = try await scene.store.get(name, range: nil).bytes
            for place in Set([0, 20, bytes.count / 2, bytes.count - 40, bytes.count - 4, bytes.count - 1]) {
                let store = scene.store.copy()
                var spoilt = bytes
                spoilt[place] ^= 1
                try await store.remove(name)
                try await store.put(name, Block(spoilt))
                let result = try await scene.readBack(from: store)
                #expect(result.hasErrors && result.brokenPacks == [id], "\(type) byte \(place)")
            }
        }
    }

    @Test func `B-13 a short pack, and a store that returns another pack's bytes, are found`() async throws {
        let scene = try await Scene()
        for (id, type) in scene.packs {
            let name = ObjectName(.pack, id.digest)
            let store = scene.store.copy()
            let bytes = try await store.get(name, range: nil).bytes
            try await store.remove(name)
            try await store.put(name, Block(Array(bytes.dropLast())))
            #expect(try await scene.readBack(from: store).hasErrors, "\(type)")
            try await store.remove(name)
            #expect(try await scene.readBack(from: store).hasErrors, "\(type)")
            let other = try #require(scene.packs.keys.first { $0 != id })
            try await store.put(name, try await scene.store.get(ObjectName(.pack, other.digest), range: nil))
            #expect(try await scene.readBack(from: store).hasErrors, "\(type)")
            let faults: [StorageFault] = [.misdirect, .zeros, .flipBit, .shortRead(toBytes: 10), .fail(.io)]
            for fault in faults {
                let lying = FaultyStorage(wrapping: scene.store, rules: [StorageRule(fault, on: .get, name: name)])
                #expect(try await scene.readBack(from: lying).hasErrors, "\(type) \(fault)")
            }
        }
    }

    @Test func `D-10 a flip on the way is told as transient and is no damage`() async throws {
        let scene = try await Scene()
        let (id, _) = try #require(scene.packs.first { $0.value == .data })
        let rule = StorageRule(.flipBit, on: .get, name: ObjectName(.pack, id.digest), when: .calls([0]))
        let result = try await scene.readBack(from: FaultyStorage(wrapping: scene.store, rules: [rule]))
        #expect(!result.hasErrors && result.transientReads == 1)
    }

    @Test func `B-13 a handle for a proof asks the medium, whatever memory says`() async throws {
        let scene = try await Scene()
        let (id, _) = try #require(scene.packs.first)
        let rule = StorageRule(.flipBit, on: .get, name: ObjectName(.pack, id.digest))
        var store = WatchedStore(scene.store) { _, _, _, _ in }
        store.medium = FaultyStorage(wrapping: scene.store, rules: [rule])
        let (bench, request) = (scene.bench, CheckRequest(readData: .packs([id])))
        let opened = try await bench.open(store)
        let (plain, proof) = try await bench.onPool {
            (try await check(request, in: opened), try await check(request, in: opened.forProof()))
        }
        #expect(!plain.hasErrors)
        #expect(proof.brokenPacks == [id])
    }

    @Test func `what is not verified when it is sealed is not proven, so that its blobs are opened`() async throws {
        let unverified = try await Scene { $0.extraVerify = false }
        #expect(unverified.packs.isEmpty)
    }

    @Test func `a pack that authenticates and has a wrong blob is found when it is not taken for proven`() async throws
    {
        // Memory that fails after a blob was named, where nothing looks again.
        let turn = Mutex(0)
        let scene = try await Scene { options in
            options.extraVerify = false
            options.spoil = { stage, bytes in
                guard stage == .hashed,
                    turn.withLock({
                        $0 += 1; return $0
                    }) == 1
                else { return }
                bytes[0] ^= 1
            }
        }
        let (bench, store) = (scene.bench, scene.store)
        let packs = Set(try await store.list(.pack).map { PackID($0.digest) })
        let opened = try await bench.onPool {
            try await check(CheckRequest(readData: .packs(packs)), in: try await bench.open(store))
        }
        #expect(opened.hasErrors)
        #expect(try await scene.readBack(from: store).findings.isEmpty, "reads no pack: none is proven")
    }
}
