import Bytes
import Foundation
import HostSystem
import ObjectStorage
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// A source that did not change: the same trees, nothing read, nothing stored but the snapshot.
@Suite struct UnchangedSourceTests {
    private static func scene() async throws -> (BackupBench, FaultyStorage) {
        let bench = BackupBench()
        let store = FaultyStorage(wrapping: MemoryStorage())
        try await bench.create(store)
        for number in 0..<40 {
            try bench.source.write(
                "dir-\(number % 7)/sub-\(number % 3)/file-\(number)",
                Array("content \(number)".utf8)
            )
        }
        return (bench, store)
    }

    @Test func `an unchanged source gives the same tree, and no pack is written`() async throws {
        let (bench, store) = try await Self.scene()
        let first = try await bench.backUp(into: store)
        store.forgetCalls()
        let second = try await bench.backUp(into: store)
        #expect(second.tree == first.tree && second.snapshot != first.snapshot)
        #expect(store.count(.put, .pack) == 0 && store.count(.put, .index) == 0 && store.count(.put, .snapshot) == 1)
    }

    @Test func `one change gives the trees above it anew, the same as a backup without parent gives`() async throws {
        let (bench, store) = try await Self.scene()
        _ = try await bench.backUp(into: store)
        for change in ["dir-3/sub-0/file-3", "dir-3/new", "dir-6/sub-2/file-20"] {
            try bench.source.write(change, Array("changed \(change)".utf8))
            let changed = try await bench.backUp(into: store)
            #expect(try await Self.treeWithoutParent(bench, store) == changed.tree, "after \(change)")
            let saved = try await bench.contents(of: try #require(changed.snapshot), in: store)
            #expect(saved["/" + change] == Array("changed \(change)".utf8))
            #expect(saved.count { !$0.key.hasSuffix("/") } == (change == "dir-3/sub-0/file-3" ? 40 : 41))
        }
        #expect(try await bench.check(store).hasErrors == false)
    }

    /// What a backup that looks at no parent snapshot finds.
    private static func treeWithoutParent(_ bench: BackupBench, _ store: any ObjectStorage) async throws -> BlobID {
        try await bench.onPool {
            let repository = try await bench.open(store)
            return try await repository.withLock(.shared) {
                try await repository.loadIndex()
                return try await backup(bench.request(), to: repository, observer: ItemLog()).tree
            }
        }
    }

    @Test func `directories that come, go and change their kind give the tree that a backup without parent gives`()
        async throws
    {
        let seed = TestSeed.value
        print("changing directories, seed \(seed)")
        var random = SplitMix64(seed: seed)
        let bench = BackupBench(pool: BackupBench.wide, seed: random.next())
        let store = MemoryStorage()
        try await bench.create(store)
        var sizes: Set<Int> = []
        for round in 0..<16 {
            for _ in 0..<(round == 0 ? 60 : 6) {
                let depth = Int.random(in: 1...4, using: &random)
                let path = (0..<depth).map { _ in "d\(Int.random(in: 0...5, using: &random))" }.joined(separator: "/")
                switch random.next() % 4 {
                case 0: try? FileManager.default.removeItem(atPath: "\(bench.source.path)/\(path)")
                case 1:
                    try? FileManager.default.removeItem(atPath: "\(bench.source.path)/\(path)")
                    try? bench.source.write(path, [UInt8(round)])
                default: try? bench.source.write(path + "/file", Array(path.utf8))
                }
            }
            try bench.source.write("stays", [1])
            let changed = try await bench.backUp(into: store)
            #expect(
                try await Self.treeWithoutParent(bench, store) == changed.tree,
                "round \(round) of seed \(seed)"
            )
            sizes.insert(try await bench.contents(of: try #require(changed.snapshot), in: store).count)
        }
        #expect(sizes.count > 4, "otherwise little changed")
    }

    @Test func `a tree of the same length is another one when one entry is`() async throws {
        let (bench, store) = try await Self.scene()
        let names = (0..<12).map { "same-\($0)/file" }
        func write(_ seconds: Int64, _ text: String) throws {
            let folder = try Directory.open(bench.source.bytes)
            for name in names {
                try bench.source.write(name, Array(text.utf8))
                let time = Timestamp(seconds: seconds, nanoseconds: 123_456_789)
                try folder.openFileBeneath(ByteString(name)).setTimes(accessed: time, modified: time)
            }
        }
        // Only the time of the inode itself may be spelt shorter or longer by chance, hence twelve.
        try write(1_700_000_000, "one")
        _ = try await bench.backUp(into: store)
        try write(1_700_000_001, "two")
        let second = try await bench.backUp(into: store)
        let saved = try await bench.contents(of: try #require(second.snapshot), in: store)
        for name in names { #expect(saved["/" + name] == Array("two".utf8), "\(name)") }
    }

    @Test func `a parent whose trees another program spelt otherwise is compared by what they say`() async throws {
        let (bench, store) = try await Self.scene()
        let first = try await bench.backUp(into: store)
        // The same tree with a space in every directory: as valid, and with another name.
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        let root = try await repository.withBlobWriter { writer in
            try await Self.spaced(first.tree, repository, writer, worker)
        }
        var document = try await repository.loadSnapshot(try #require(first.snapshot)).document
        document.tree = root
        document.time = ZonedTime(Timestamp(seconds: document.time.moment.seconds + 60))
        _ = try await repository.saveSnapshot(document)
        let log = ItemLog()
        let second = try await bench.backUp(into: store, observer: log)
        #expect(log.actions.withLock { $0.filter { !$0.key.hasSuffix("/") }.allSatisfy { $0.value == .unchanged } })
        #expect(try await bench.contents(of: try #require(second.snapshot), in: store).count == 40 + 7 + 21)
        #expect(try await bench.check(store).hasErrors == false)
    }

    private static func spaced(
        _ tree: BlobID,
        _ repository: Repository,
        _ writer: BlobWriter,
        _ worker: BlobWorker
    ) async throws -> BlobID {
        var reader = TreeReader(try await repository.loadTree(tree, worker: worker))
        var parts: [[UInt8]] = []
        while var node = try reader.next() {
            if let subtree = node.subtree { node.subtree = try await spaced(subtree, repository, writer, worker) }
            parts.append([UInt8(ascii: " ")] + node.encode())
        }
        let document = Array("{\"nodes\":[".utf8) + parts.joined(separator: [UInt8(ascii: ",")]) + Array("]}\n".utf8)
        return try await writer.save(.tree, document, worker: worker)
    }
}
