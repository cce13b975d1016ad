import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// Trees that are opened before a walk asks for them change nothing of what the walk meets.
@Suite struct TreesAheadTests {
    /// Every event as text; `enters` says which directories are entered.
    private static func events(_ walker: inout TreeWalker, enters: (String) -> Bool) async throws -> [String] {
        var events: [String] = []
        while let event = try walker.next() {
            switch event {
            case .leave: events.append("leave")
            case .problem: events.append("problem")
            case .entry(let node):
                let path = walker.path(node.name).display
                events.append(path)
                guard let subtree = node.subtree, enters(path) else { continue }
                do { try await walker.enter(subtree, name: node.name) } catch is RepositoryFailure {
                    events.append("unreadable")
                }
            }
        }
        return events
    }

    /// A tree of many small directories, some of them with many subdirectories.
    private static func source(_ bench: BackupBench, _ random: inout SplitMix64) throws {
        for _ in 0..<120 {
            let depth = Int.random(in: 1...6, using: &random)
            let path = (0..<depth).map { _ in "d\(Int.random(in: 0...6, using: &random))" }.joined(separator: "/")
            try? bench.source.write(path + "/file", Array(path.utf8))
        }
    }

    @Test func `walks with and without a task that opens trees meet the same, also when directories are passed over`()
        async throws
    {
        let seed = TestSeed.value
        print("trees ahead, seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<6 {
            let bench = BackupBench(pool: BackupBench.wide, seed: random.next())
            let store = MemoryStorage()
            try await bench.create(store)
            try Self.source(bench, &random)
            let root = try await bench.backUp(into: store).tree
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            for skipped in ["", "d3", "d0", "file", "d6/"] {
                let enters = { (path: String) in skipped.isEmpty || !path.hasSuffix(skipped) }
                var walker = TreeWalker(repository, worker: repository.makeWorker())
                try await walker.enter(root)
                let alone = try await Self.events(&walker, enters: enters)
                let helped = try await repository.walkingAll(below: root, worker: repository.makeWorker()) { walker in
                    try await Self.events(&walker, enters: enters)
                }
                #expect(alone == helped, "seed \(seed), without \(skipped)")
                #expect(alone.count { $0.hasSuffix("/file") } > 10 && alone.last == "leave", "seed \(seed)")
            }
        }
    }

    @Test func `D-01 a tree that does not open is met where it lies, whoever opens it`() async throws {
        let bench = BackupBench(pool: BackupBench.wide)
        let store = MemoryStorage()
        try await bench.create(store)
        for name in ["a", "b", "c", "d", "e"] { try bench.source.write("\(name)/inner/file", Array(name.utf8)) }
        let root = try await bench.backUp(into: store).tree
        let whole = try await bench.open(store)
        try await whole.loadIndex()
        var reader = TreeReader(try await whole.loadTree(root, worker: whole.makeWorker()))
        var subtrees: [BlobID] = []
        while let node = try reader.next() { subtrees += node.subtree.map { [$0] } ?? [] }
        for (number, subtree) in subtrees.enumerated() {
            let location = try #require(whole.index.location(.tree, subtree))
            let name = ObjectName(.pack, location.pack.digest)
            let damaged = store.copy()
            var bytes = try #require(damaged.contents[name]?.bytes)
            bytes[Int(location.offset) + 20] ^= 1
            damaged.overwrite(name, Block(bytes))
            let repository = try await bench.open(damaged)
            try await repository.loadIndex()
            let helped = try await repository.walkingAll(below: root, worker: repository.makeWorker()) { walker in
                try await Self.events(&walker, enters: { _ in true })
            }
            #expect(helped.count { $0 == "unreadable" } == 1)
            #expect(
                helped.firstIndex(of: "unreadable").map { helped[$0 - 1] } == "/" + "abcde".map(String.init)[number]
            )
            #expect(helped.count { $0.hasSuffix("/file") } == 4)
        }
    }

    @Test func `D-10 a flip on the way into a window is no damage`() async throws {
        let bench = BackupBench(pool: BackupBench.wide)
        let memory = MemoryStorage()
        try await bench.create(memory)
        for number in 0..<30 { try bench.source.write("dir-\(number)/file", [UInt8(number)]) }
        let root = try await bench.backUp(into: memory).tree
        for call in 0..<4 {
            let rule = StorageRule(.flipBit, on: .get, kind: .pack, when: .calls([call]))
            let store = FaultyStorage(wrapping: memory, rules: [rule], seed: UInt64(call + 1), isLocalDisk: true)
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            var walker = TreeWalker(repository, worker: repository.makeWorker())
            try await walker.enter(root)
            let events = try await Self.events(&walker, enters: { _ in true })
            #expect(events.count { $0.hasSuffix("/file") } == 30 && !events.contains("unreadable"), "call \(call)")
        }
    }

    @Test func `D-10 windows over tree packs give the bytes that are there, and look again after a flip`() async throws
    {
        let seed: UInt64 = 17
        print("windows, seed \(seed)")
        var random = SplitMix64(seed: seed)
        let memory = MemoryStorage()
        try await memory.prepare()
        var packs: [(ObjectName, [UInt8])] = []
        for count in [1, 1000, 131_072, 131_073, 900_001] {
            let bytes = random.bytes(count)
            let name = ObjectName(.pack, Digest(a: UInt64(count), b: 1, c: 1, d: 1))
            try await memory.put(name, Block(bytes))
            packs.append((name, bytes))
        }
        let store = FaultyStorage(wrapping: memory)
        let windows = PackWindows()
        for _ in 0..<600 {
            let (name, bytes) = packs[Int.random(in: 0..<packs.count, using: &random)]
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let longest = random.next() % 12 == 0 ? bytes.count - start : min(4000, bytes.count - start)
            let range = UInt64(start)..<UInt64(start + Int.random(in: 0...longest, using: &random))
            let read = try await windows.read(name, range, from: store)
            #expect(read.bytes == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
        #expect(store.count(.get) < 200, "most of it comes out of windows")
        let (name, bytes) = packs[2]
        await #expect(throws: StorageFailure.self) {
            _ = try await windows.read(name, 0..<UInt64(bytes.count + 1), from: store)
        }
        store.setRules([StorageRule(.flipBit, on: .get, name: name, when: .calls([0]))])
        windows.drop(name)
        let flipped = try await windows.read(name, 0..<131_072, from: store)
        #expect(flipped.bytes != bytes)
        #expect(try await windows.read(name, 0..<131_072, from: store).bytes == flipped.bytes)
        windows.drop(name)
        #expect(try await windows.read(name, 0..<131_072, from: store).bytes == bytes)
    }
}
