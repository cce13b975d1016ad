import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

/// Copies of what the same process wrote before: compared with what was proven then, instead of unpacked and hashed once more.
@Suite struct WitnessTests {
    /// A repository on a disk of this host, the handle that wrote it, and an empty one beside it.
    private struct Scene {
        let bench = BackupBench()
        let inner = MemoryStorage()
        let disk: FaultyStorage
        let writer: Repository
        let target = MemoryStorage()
        let snapshot: SnapshotID

        init(isLocalDisk: Bool = true) async throws {
            disk = FaultyStorage(wrapping: inner, isLocalDisk: isLocalDisk)
            try await bench.create(inner)
            try await bench.create(target)
            var random = SplitMix64(seed: 6)
            for number in 0..<4 {
                try bench.source.write("/dir/noise\(number)", random.bytes(20_000))
                let text = Array(repeatElement(Array("text \(number) ".utf8), count: 4_000).joined())
                try bench.source.write("/dir/text\(number)", text)
            }
            try bench.source.write("/dir/empty", [UInt8]())
            let (bench, writer) = (bench, try await bench.open(disk))
            self.writer = writer
            let result = try await bench.onPool { try await bench.backUp(to: writer) }
            snapshot = try #require(result.snapshot)
        }

        /// Copies with the handle that wrote; returns the handle of the copy.
        func copy(_ change: (inout RepositoryOptions) -> Void = { _ in }) async throws -> Repository {
            let (bench, writer, snapshot) = (bench, writer, snapshot)
            let repository = try await bench.open(target, change)
            try await bench.onPool {
                try await repository.loadIndex()
                let loaded = try await writer.loadSnapshot(snapshot)
                try await copySnapshots([loaded], from: writer, to: repository, observer: SilentCopyObserver())
            }
            return repository
        }

        /// What a check of all data calls an error; packs that no index names yet are none.
        func hasErrors() async throws -> Bool {
            let (bench, target) = (bench, target)
            return try await bench.onPool {
                try await check(CheckRequest(readData: .all), in: try await bench.open(target)).hasErrors
            }
        }
    }

    @Test func `a copy of what was proven opens, unpacks and hashes right, and counts as proven itself`() async throws {
        let scene = try await Scene()
        let copy = try await scene.copy()
        #expect(try await !scene.hasErrors())
        #expect(copy.index.packCount > 2)
        for number in 0..<copy.index.packCount { #expect(copy.isProvenInMemory(copy.index.packID(number))) }
    }

    @Test(arguments: [BlobStage.hashed, .sealed])
    func `D-08 memory that fails between reading and sealing is found by the comparison`(_ stage: BlobStage)
        async throws
    {
        for bad in 0..<6 {
            let scene = try await Scene()
            let spoiler = Spoiler(stage, number: bad)
            let failure = await #expect(throws: RepositoryFailure.self, "\(stage) \(bad)") {
                _ = try await scene.copy { options in
                    options.spoil = { spoiler.spoil($0, $1) }
                }
            }
            #expect(failure?.code == .verification, "\(stage) \(bad): \(String(describing: failure))")
            #expect(try await scene.target.list(.snapshot).isEmpty)
            #expect(try await !scene.hasErrors())
        }
    }

    @Test func `D-01 a flipped bit on the disk that was written a moment ago stops the copy by name`() async throws {
        let scene = try await Scene()
        let pack = try #require(scene.writer.index.blobs(ofPack: 0).first.map { _ in scene.writer.index.packID(0) })
        let name = ObjectName(.pack, pack.digest)
        var bytes = try await scene.inner.get(name, range: nil).bytes
        bytes[100] ^= 1
        try await scene.inner.remove(name)
        try await scene.inner.put(name, Block(bytes))
        let failure = await #expect(throws: RepositoryFailure.self) { _ = try await scene.copy() }
        #expect(
            failure?.code == .damaged && failure?.object.contains(pack.short) == true,
            "\(String(describing: failure))"
        )
        #expect(try await scene.target.list(.snapshot).isEmpty)
    }

    @Test func `E-04 a store elsewhere that exchanges two blobs is found, whoever wrote them`() async throws {
        let scene = try await Scene(isLocalDisk: false)
        let index = scene.writer.index
        var exchanged = 0
        for number in 0..<index.packCount {
            let blobs = index.blobs(ofPack: number).filter { $0.type == .data }
            guard let one = blobs.first,
                let other = blobs.dropFirst().first(where: { $0.length == one.length })
            else { continue }
            // Each authenticates, and neither is what its name says.
            let name = ObjectName(.pack, index.packID(number).digest)
            let old = try await scene.inner.get(name, range: nil).bytes
            var bytes = old
            let count = Int(one.length)
            bytes.replaceSubrange(
                Int(one.offset)..<Int(one.offset) + count,
                with: old[Int(other.offset)...].prefix(count)
            )
            bytes.replaceSubrange(
                Int(other.offset)..<Int(other.offset) + count,
                with: old[Int(one.offset)...].prefix(count)
            )
            try await scene.inner.remove(name)
            try await scene.inner.put(name, Block(bytes))
            exchanged += 1
        }
        #expect(exchanged > 0)
        let failure = await #expect(throws: RepositoryFailure.self) { _ = try await scene.copy() }
        #expect(failure?.code == .damaged, "\(String(describing: failure))")
        #expect(try await scene.target.list(.snapshot).isEmpty)
    }
}

/// Hears nothing.
private struct SilentCopyObserver: CopyObserver {
    func began(_ snapshot: Snapshot) {}
    func planned(_ plan: CopyPlan) {}
    func copiedPack() {}
    func finished(_ snapshot: Snapshot) {}
    func stored(snapshots: Int) {}
    func saved(_ copy: SnapshotID, of snapshot: Snapshot) {}
}
