import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

import ResticRepository

@Suite struct MetadataCacheTests {
    private let id = Digest(a: 0x1234 << 48, b: 2, c: 3, d: 4)
    private let repositoryID = Digest(a: 0xFEDC << 48, b: 1, c: 1, d: 1)

    private func open(_ folder: TestFolder, warn: @escaping @Sendable (String) -> Void = { _ in }) throws
        -> MetadataCache
    {
        try #require(
            MetadataCache(
                base: folder.bytes,
                repositoryID: repositoryID,
                environment: SmallRepository.environment(),
                warn: warn
            )
        )
    }

    @Test func `files lie where restic has them, with the same bytes`() async throws {
        let folder = TestFolder()
        let cache = try open(folder)
        let block = Block([1, 2, 3, 4])
        for (kind, name) in [(ObjectKind.pack, "data"), (.index, "index"), (.snapshot, "snapshots")] {
            cache.store(kind, id, block)
            #expect(folder.read("\(repositoryID.hex)/\(name)/12/\(id.hex)") == block.bytes)
            #expect(cache.load(kind, id)?.bytes == block.bytes)
            let inside = await cache.load(kind, id, range: 1..<3)
            #expect(inside?.bytes == [2, 3])
            let beyond = await cache.load(kind, id, range: 1..<5)
            #expect(beyond == nil)
        }
        for kind in [ObjectKind.key, .lock, .config] {
            cache.store(kind, id, block)
            #expect(cache.load(kind, id) == nil)
        }
        #expect(folder.read("CACHEDIR.TAG") == Array("Signature: 8a477f597d28d172789f06886806bc55\n".utf8))
        #expect(folder.read("\(repositoryID.hex)/version") == Array("1".utf8))
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(repositoryID.hex)/data/12")
        #expect(names == [id.hex], "no temporary file is left")
    }

    @Test func `ranges anywhere in a large pack come back right, across windows, too`() async throws {
        let seed: UInt64 = 5
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let folder = TestFolder()
        let cache = try open(folder)
        let bytes = random.bytes(3 * Int(PackWindows.windowBytes) + 12_345)
        cache.store(.pack, id, Block(bytes))
        for _ in 0..<300 {
            let start = Int(random.next() % UInt64(bytes.count))
            let limit = random.next() % 10 == 0 ? bytes.count : 3000
            let end = start + Int(random.next() % UInt64(min(limit, bytes.count - start) + 1))
            let read = await cache.load(.pack, id, range: UInt64(start)..<UInt64(end))
            #expect(read?.bytes == Array(bytes[start..<end]))
        }
        let beyond = await cache.load(.pack, id, range: UInt64(bytes.count - 1)..<UInt64(bytes.count + 1))
        #expect(beyond == nil)
        let endless = await cache.load(.pack, id, range: 0..<UInt64.max)
        #expect(endless == nil)
    }

    @Test func `D-14 a wrong copy is dropped once, then passed over`() async throws {
        let folder = TestFolder()
        let cache = try open(folder)
        let path = "\(repositoryID.hex)/data/12/\(id.hex)"
        cache.store(.pack, id, Block([1, 2, 3]))
        _ = await cache.load(.pack, id, range: 0..<3)
        cache.forget(.pack, id)
        let forgotten = await cache.load(.pack, id, range: 0..<3)
        #expect(forgotten == nil)
        #expect(!folder.exists(path) && cache.wantsPack(id))
        cache.store(.pack, id, Block([4, 5, 6]))
        let second = await cache.load(.pack, id, range: 0..<3)
        #expect(second?.bytes == [4, 5, 6])
        cache.forget(.pack, id)
        let third = await cache.load(.pack, id, range: 0..<3)
        #expect(third == nil)
        #expect(!cache.wantsPack(id) && cache.load(.pack, id) == nil)
        #expect(folder.exists(path), "only one copy is deleted in a run")
        #expect(try open(folder).load(.pack, id)?.bytes == [4, 5, 6])
    }

    @Test func `copies of objects that are gone go with them, and nothing else does`() throws {
        let folder = TestFolder()
        let cache = try open(folder)
        let other = Digest(a: 0x1299 << 48, b: 2, c: 3, d: 4)
        for digest in [id, other] { cache.store(.index, digest, Block([1])) }
        cache.store(.snapshot, other, Block([1]))
        try folder.write("\(repositoryID.hex)/index/12/stranger", [1])
        cache.keepOnly(.index, [id])
        #expect(
            cache.load(.index, id) != nil && cache.load(.index, other) == nil && cache.load(.snapshot, other) != nil
        )
        #expect(folder.exists("\(repositoryID.hex)/index/12/stranger"))
    }

    @Test func `C-05 a cache that cannot be written is told once and never fails a run`() throws {
        let folder = TestFolder()
        let warnings = Mutex<[String]>([])
        let cache = try open(folder) { text in warnings.withLock { $0.append(text) } }
        cache.store(.index, id, Block([1]))
        try folder.remove("\(repositoryID.hex)/data")
        for _ in 0..<3 { cache.store(.pack, id, Block([1, 2])) }
        #expect(warnings.withLock { $0.count } == 1)
        #expect(!cache.wantsPack(id), "fetching whole packs only to drop them would cost for nothing")
        #expect(cache.load(.index, id) != nil, "what is there is still used")
        #expect(cache.load(.pack, id) == nil)
    }

    @Test func `C-05 a cache that cannot be opened is told, and the repository opens without it`() async throws {
        let folder = TestFolder()
        try folder.write("file", [1])
        let warnings = Mutex<[String]>([])
        let cache = MetadataCache(
            base: ByteString(folder.path + "/file"),
            repositoryID: repositoryID,
            environment: SmallRepository.environment()
        ) { text in warnings.withLock { $0.append(text) } }
        #expect(cache == nil && warnings.withLock { $0.count } == 1)
        let small = try await SmallRepository.make()
        let repository = try await small.open(cache: ByteString(folder.path + "/file"))
        #expect(repository.cache == nil)
        #expect(try await repository.loadSnapshots { throw $1 }.count == 2)
    }

    @Test func `a cache of a later version is left alone`() throws {
        let folder = TestFolder()
        try folder.write("\(repositoryID.hex)/version", Array("2".utf8))
        #expect(
            MetadataCache(base: folder.bytes, repositoryID: repositoryID, environment: SmallRepository.environment())
                == nil
        )
        #expect(folder.read("\(repositoryID.hex)/version") == Array("2".utf8))
    }

    // MARK: With a repository

    @Test func `a second run reads snapshots, indexes and trees from the cache alone`() async throws {
        let small = try await SmallRepository.make()
        let folder = TestFolder()
        for isFirst in [true, false] {
            let store = FaultyStorage(wrapping: small.store)
            let repository = try await small.open(store, cache: folder.bytes)
            try await repository.loadIndex()
            let worker = repository.makeWorker()
            for snapshot in try await repository.loadSnapshots(unreadable: { throw $1 }) {
                var reader = TreeReader(
                    try await repository.loadTree(try #require(snapshot.document.tree), worker: worker)
                )
                while let node = try reader.next() {
                    if let subtree = node.subtree { _ = try await repository.loadTree(subtree, worker: worker) }
                }
            }
            for kind in [ObjectKind.snapshot, .index, .pack] {
                #expect((store.count(.get, kind) > 0) == isFirst, "\(kind)")
            }
        }
    }

    @Test func `a repository on a disk of this machine has its directory and no copies in it`() async throws {
        let (small, base, folder) = (try await SmallRepository.make(), TestFolder(), TestFolder())
        try folder.write(small.store)
        for isLocalDisk in [true, false] {
            let store = FaultyStorage(wrapping: LocalStorage(folder.bytes), isLocalDisk: isLocalDisk)
            let repository = try await small.open(store, cache: base.bytes)
            try await repository.loadIndex()
            let worker = repository.makeWorker()
            for snapshot in try await repository.loadSnapshots(unreadable: { throw $1 }) {
                _ = try await repository.loadTree(try #require(snapshot.document.tree), worker: worker)
            }
            let files = try FileManager.default.subpathsOfDirectory(atPath: base.path)
            #expect(files.contains { $0.hasSuffix("/version") } && files.contains("CACHEDIR.TAG"))
            #expect(files.contains { $0.utf8.count > 130 } == !isLocalDisk, "\(files)")
        }
    }

    @Test func `D-14 damaged copies are never believed`() async throws {
        let small = try await SmallRepository.make()
        let folder = TestFolder()
        let warm = try await small.check(nil)
        #expect(!warm.hasErrors)
        let first = try await check(CheckRequest(), in: try await small.open(cache: folder.bytes))
        #expect(!first.hasErrors)
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where file.utf8.count > 130 {
            try folder.write(file, [UInt8](repeating: 9, count: 40))
        }
        let result = try await check(CheckRequest(), in: try await small.open(cache: folder.bytes))
        #expect(result.findings.isEmpty, "\(result.findings)")
    }

    @Test(.enabled(if: StockRestic.isInstalled))
    func `restic and we share a cache`() async throws {
        let small = try await SmallRepository.make()
        let (folder, base) = (TestFolder(), TestFolder())
        try folder.write(small.store)
        let environment = ["RESTIC_CACHE_DIR": base.path]
        let run = try StockRestic.run(
            ["ls", "latest", "--no-lock"],
            repository: folder.path,
            noCache: false,
            environment: environment
        )
        #expect(run.status == 0, "\(run.errors)")
        let store = FaultyStorage(wrapping: LocalStorage(folder.bytes), isLocalDisk: false)
        let repository = try await small.open(store, cache: base.bytes)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        let latest = try #require(try await repository.latestSnapshot())
        _ = try await repository.loadTree(try #require(latest.document.tree), worker: worker)
        #expect(store.count(.get, .index) == 0 && store.count(.get, .snapshot) == 0 && store.count(.get, .pack) == 0)

        let ownBase = TestFolder()
        let own = try await check(CheckRequest(), in: try await small.open(cache: ownBase.bytes))
        #expect(!own.hasErrors)
        let again = try StockRestic.run(
            ["ls", "latest", "--no-lock"],
            repository: folder.path,
            noCache: false,
            environment: ["RESTIC_CACHE_DIR": ownBase.path]
        )
        #expect(again.status == 0 && again.output == run.output)
    }

    // MARK: Directories

    @Test func `directories unused for thirty days are listed and removed, others stay`() throws {
        let folder = TestFolder()
        let names = [repositoryID.hex, id.hex, "restic-check-cache-77", "other"]
        for name in names { try folder.write("\(name)/data/12/file", [1]) }
        let directory = try Directory.open(folder.bytes)
        let old = Timestamp(seconds: 1000)
        for name in [id.hex, "restic-check-cache-77", "other"] {
            try directory.setTimes(accessed: old, modified: old, of: ByteString(name))
        }
        let now = SystemTime().now()
        #expect(try CacheDirectories.list(base: folder.bytes).count == 3)
        let found = try CacheDirectories.old(base: folder.bytes, now: now)
        #expect(found.map(\.name) == [ByteString(id.hex), "restic-check-cache-77"])
        for entry in found { try CacheDirectories.remove(entry.name, base: folder.bytes) }
        #expect(throws: Errno.self) { try CacheDirectories.remove("other", base: folder.bytes) }
        #expect(names.map { folder.exists($0) } == [true, false, false, true])
        #expect(try CacheDirectories.list(base: "/does/not/exist").isEmpty)
    }

    @Test func `a check's own cache goes away with it`() throws {
        let folder = TestFolder()
        let temporary = try TemporaryCacheDirectory(base: folder.bytes, entropy: SeededEntropy(seed: 1))
        #expect(
            MetadataCache(base: temporary.path, repositoryID: repositoryID, environment: SmallRepository.environment())
                != nil
        )
        #expect(try CacheDirectories.list(base: folder.bytes).count == 1)
        try temporary.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
