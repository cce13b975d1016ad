import Bytes
import Compression
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Blobs that are opened together, beside the same ones opened alone.
@Suite struct OpenBatchTests {
    /// Blobs in a store, raw and compressed, and what each holds.
    private struct Scene {
        let bench: BackupBench
        let store: MemoryStorage
        let contents: [BlobID: [UInt8]]
        let locations: [BlobLocation]

        var ofOnePack: [BlobLocation] { locations.filter { $0.pack == locations[0].pack } }

        /// The sealed bytes of one.
        func sealed(_ location: BlobLocation) -> [UInt8] {
            let pack = store.contents[ObjectName(.pack, location.pack.digest)]?.bytes ?? []
            return Array(pack[Int(location.offset)..<Int(location.end)])
        }
    }

    private static func scene(_ sizes: [Int], packSizeBytes: Int, _ random: inout SplitMix64) async throws -> Scene {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        let repository = try await bench.open(store, packSizeBytes: packSizeBytes)
        let worker = repository.makeWorker()
        // In one order, so that a seed repeats everything.
        var contents: [BlobID: [UInt8]] = [:]
        var order: [[UInt8]] = []
        for (number, size) in sizes.enumerated() {
            var bytes = random.bytes(size)
            if number % 2 == 0 { bytes = Array(repeatElement(Array("text \(number) ".utf8), count: size / 7).joined()) }
            if contents.updateValue(bytes, forKey: BlobID(sha256(bytes))) == nil { order.append(bytes) }
        }
        let all = order
        try await repository.withBlobWriter { writer in
            for bytes in all { _ = try await writer.save(.data, bytes, worker: worker) }
        }
        let locations = order.compactMap { repository.index.location(.data, BlobID(sha256($0))) }
        #expect(locations.count == contents.count)
        return Scene(bench: bench, store: store, contents: contents, locations: locations)
    }

    /// Spoils a sealed blob or what is said of it, in the way that has this name.
    private static func spoil(
        _ sealed: inout [UInt8],
        _ location: inout BlobLocation,
        _ damage: BlobDamage,
        _ random: inout SplitMix64
    ) {
        switch damage {
        case .wrongLength:
            if Bool.random(using: &random) { sealed.removeLast() } else { location.length += 1 }
        case .notAuthentic:
            sealed[Int.random(in: sealed.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case .notDecompressible: location.uncompressedLength += 1
        case .tooLarge: location.uncompressedLength = UInt32(Limits.dataBlobBytesMax) + 1
        case .wrongDigest: location.id = BlobID(Digest(a: random.next(), b: 0, c: 0, d: 0))
        }
    }

    @Test func `L3 a batch says of each blob what it says of it alone, and damage stays with the one that has it`()
        async throws
    {
        let seed = TestSeed.value
        print("open batch: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let sizes = (0..<60).map { _ in Int.random(in: 1...30_000, using: &random) } + [0, 1, 15, 16, 17, 600_000]
        let scene = try await Self.scene(sizes, packSizeBytes: 200_000, &random)
        let worker = try await scene.bench.open(scene.store).makeWorker()
        let kinds: [BlobDamage] = [.wrongLength, .notAuthentic, .notDecompressible, .tooLarge, .wrongDigest]
        var damaged = 0
        for round in 0..<60 {
            var blocks: [Block] = []
            var parts: [SealedPart] = []
            var expected: [Result<[UInt8], BlobDamage>] = []
            for _ in 0..<Int.random(in: 1...Limits.batchBlobs, using: &random) {
                // Now and then one twice, and batches of good ones alone.
                var location = try #require(scene.locations.randomElement(using: &random))
                var sealed = scene.sealed(location)
                let content = try #require(scene.contents[location.id])
                let damage = round % 3 == 0 || random.next() % 4 > 0 ? nil : kinds.randomElement(using: &random)
                if let damage { Self.spoil(&sealed, &location, damage, &random) }
                expected.append(damage.map { .failure($0) } ?? .success(content))
                damaged += damage == nil ? 0 : 1
                let block = Block(sealed)
                blocks.append(block)
                parts.append(SealedPart(bytes: block.withBytes { $0 }, location: location))
            }
            let label = Comment(rawValue: "round \(round) of seed \(seed)")
            let together = worker.openAll(parts).map { result in result.map { Array($0.plaintext) } }
            #expect(together == expected, label)
            for (part, wanted) in zip(parts, expected) {
                let alone = Result { try worker.open(part.bytes, as: part.location) { Array($0) } }
                #expect(alone.mapError { $0 as? BlobDamage ?? .wrongLength } == wanted, label)
            }
            withExtendedLifetime(blocks) {}
        }
        print("open batch: \(damaged) damaged blobs named")
        #expect(damaged > 50)
    }

    @Test func `a batch lends the frames of compressed blobs where they are kept, and none of raw ones`() async throws {
        var random = SplitMix64(seed: 4)
        let scene = try await Self.scene([5_000, 5_000, 70_000, 70_000], packSizeBytes: 1 << 20, &random)
        let worker = try await scene.bench.open(scene.store).makeWorker()
        let blocks = scene.locations.map { Block(scene.sealed($0)) }
        let parts = zip(blocks, scene.locations).map { SealedPart(bytes: $0.withBytes { $0 }, location: $1) }
        for result in worker.openAll(parts) {
            let opened = try result.get()
            #expect(opened.frame == nil)
        }
        for (location, result) in zip(scene.locations, worker.openAll(parts, keepingFrames: true)) {
            let opened = try result.get()
            #expect((opened.frame != nil) == location.isCompressed)
            guard let frame = opened.frame else { continue }
            #expect(frame.count == Int(location.length) - 32)
            var unpacked = [UInt8](repeating: 0, count: opened.plaintext.count)
            try unpacked.withUnsafeMutableBytes { try Decompressor().decompress(frame, exactly: $0.count, into: $0) }
            #expect(unpacked.elementsEqual(opened.plaintext), "each frame is that of its blob")
        }
        withExtendedLifetime(blocks) {}
        #expect(Set(scene.locations.map(\.isCompressed)) == [true, false])
    }

    /// What was delivered and what failed, in the order in which it came.
    private static func read(
        _ blobs: [BlobLocation],
        of scene: Scene,
        from store: any ObjectStorage
    ) async throws -> (delivered: [BlobLocation], failed: [BlobLocation]) {
        let repository = try await scene.bench.open(store)
        try await repository.loadIndex()
        var (delivered, failed): ([BlobLocation], [BlobLocation]) = ([], [])
        try await repository.readBlobs(
            pack: try #require(blobs.first).pack,
            blobs,
            worker: repository.makeWorker(),
            deliver: { blob in
                #expect(Array(blob.plaintext) == scene.contents[blob.location.id])
                delivered.append(blob.location)
            },
            failed: { blob, error in
                #expect((error as? RepositoryFailure)?.code == .damaged)
                failed.append(blob)
            }
        )
        return (delivered, failed)
    }

    @Test func `D-01 of many blobs of a pack one is damaged: it alone is reported, the others come once, in order`()
        async throws
    {
        let seed = TestSeed.value
        print("read blobs: seed \(seed)")
        var random = SplitMix64(seed: seed)
        let sizes = (0..<150).map { _ in Int.random(in: 20_000...120_000, using: &random) }
        let scene = try await Self.scene(sizes, packSizeBytes: 8 << 20, &random)
        let all = scene.ofOnePack
        for round in 0..<20 {
            let wanted = Array(all.shuffled(using: &random).prefix(Int.random(in: 2...all.count, using: &random)))
            let bad = wanted[0]
            let inner = scene.store.copy()
            let name = ObjectName(.pack, bad.pack.digest)
            var bytes = inner.contents[name]?.bytes ?? []
            bytes[Int.random(in: Int(bad.offset)..<Int(bad.end), using: &random)] ^= 0x40
            inner.overwrite(name, Block(bytes))
            let store = FaultyStorage(wrapping: inner)
            let (delivered, failed) = try await Self.read(wanted, of: scene, from: store)
            let label = Comment(rawValue: "round \(round) of seed \(seed)")
            #expect(failed == [bad], label)
            #expect(delivered == wanted.dropFirst().sorted { $0.offset < $1.offset }, label)
            // One request for each span, and two more for the one that does not open.
            let asked = store.calls.filter { $0.operation == .get && $0.kind == .pack }.compactMap(\.range)
            let again = UInt64(bad.offset)..<bad.end
            #expect(asked.count { $0 == again } >= 2, label)
            #expect(Set(asked).subtracting([again]).isSubset(of: ReadSpans(wanted).map(\.range)), label)
            #expect(asked.count == Array(ReadSpans(wanted)).count + 2, label)
        }
    }

    @Test func `E-03 a span that comes short is not used: each blob of it is asked for alone`() async throws {
        var random = SplitMix64(seed: 12)
        let sizes = (0..<40).map { _ in Int.random(in: 20_000...90_000, using: &random) }
        let scene = try await Self.scene(sizes, packSizeBytes: 8 << 20, &random)
        let wanted = scene.ofOnePack
        for kept in [0, 40, 50_000] {
            let rule = StorageRule(.shortRead(toBytes: kept), on: .get, kind: .pack, when: .calls([0]))
            let store = FaultyStorage(wrapping: scene.store, rules: [rule])
            let (delivered, failed) = try await Self.read(wanted, of: scene, from: store)
            #expect(failed.isEmpty && delivered == wanted.sorted { $0.offset < $1.offset })
            #expect(store.count(.get, .pack) == 1 + wanted.count)
        }
    }
}
