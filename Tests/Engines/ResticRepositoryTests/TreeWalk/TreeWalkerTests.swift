import Bytes
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// The walk over the directories of a snapshot.
@Suite struct TreeWalkerTests {
    /// Every event of a walk that enters what `enters` says, as text.
    private static func events(
        _ repository: Repository,
        _ root: BlobID,
        enters: (String) -> Bool = { _ in true }
    ) async throws -> [String] {
        var walker = TreeWalker(repository, worker: repository.makeWorker())
        try await walker.enter(root)
        var events: [String] = []
        while let event = try walker.next() {
            // No honest document makes more; a walk that does not end is caught here.
            guard events.count < 100_000 else { throw BenchProblem.endless }
            switch event {
            case .leave: events.append("leave")
            case .problem: events.append("problem")
            case .entry(let node):
                let path = walker.path(node.name).display
                events.append(path)
                if let subtree = node.subtree, enters(path) { try await walker.enter(subtree, name: node.name) }
            }
        }
        #expect(walker.depth == 0)
        return events
    }

    /// What the walk over a folder has to say: names by their bytes, each folder before what is in it.
    private static func expected(_ folder: String, _ path: String = "") throws -> [String] {
        var events: [String] = []
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + path)
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            events.append("\(path)/\(name)")
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: "\(folder)\(path)/\(name)", isDirectory: &isDirectory),
                isDirectory.boolValue
            {
                events += try expected(folder, "\(path)/\(name)")
            }
        }
        return events + ["leave"]
    }

    @Test func `a walk meets every entry of a random tree once, in the order of bytes, and leaves what it entered`()
        async throws
    {
        let seed = TestSeed.value
        print("walk, seed \(seed)")
        var random = SplitMix64(seed: seed)
        let words = ["a", "a.b", "a-b", "a b", "B", "é", "z", "aa", "~", "0"]
        for _ in 0..<12 {
            let bench = BackupBench(seed: random.next())
            let store = MemoryStorage()
            try await bench.create(store)
            for _ in 0..<40 {
                let depth = Int.random(in: 1...5, using: &random)
                let path = (0..<depth).map { _ in words.randomElement(using: &random) ?? "a" }.joined(separator: "/")
                // Where a file is in the way of a folder, or a folder of a file, the lot is lost.
                try? bench.source.write(path, Array(path.utf8))
            }
            let result = try await bench.backUp(into: store)
            let repository = try await bench.open(store)
            try await repository.loadIndex()
            let events = try await Self.events(repository, result.tree)
            #expect(events == (try Self.expected(bench.source.path)), "seed \(seed)")
            let shallow = try await Self.events(repository, result.tree, enters: { _ in false })
            #expect(shallow == events.filter { $0.count { $0 == "/" } == 1 } + ["leave"], "seed \(seed)")
        }
    }

    private static func events(ofDocument json: String) async throws -> [String] {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        let repository = try await bench.open(store)
        let worker = repository.makeWorker()
        let root = try await repository.withBlobWriter { writer in
            try await writer.save(.tree, Array(json.utf8), worker: worker)
        }
        return try await events(repository, root)
    }

    private static func file(_ name: String) -> String {
        #"{"name":"# + "\"\(name)\"" + #","type":"file","content":[]}"#
    }

    @Test func `I-09 entries out of order or there twice are problems, and the others are met`() async throws {
        let nodes = ["b", "a", "c", "c", "d"].map(Self.file).joined(separator: ",")
        let events = try await Self.events(ofDocument: #"{"nodes":["# + nodes + "]}\n")
        #expect(events.count { $0 == "problem" } >= 2)
        #expect(events.filter { $0.hasPrefix("/") } == ["/b", "/c", "/d"])
        #expect(events.last == "leave")
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"nodes":null}"#, #"{"nodes":[{"name":"a","type":"file"},{"name":1}]}"#,
        #"{"nodes":[{"name":"a","type":"file"},null]}"#, #"{"nodes":[{"name":"a","type":"file"}]} and more"#,
        #"{"nodes":[{"name":"a","type":"file"},"#,
        #"{"nodes":[{"name":"a","type":"file"} {"name":"b","type":"file"}]}"#,
        #"{"other":[[[[1]]]]}"#, #"{"nodes":[{"name":"a","type":"file","size":-1}]}"#,
    ])
    func `D-01 a damaged directory is one problem, and the walk ends`(json: String) async throws {
        let events = try await Self.events(ofDocument: json)
        #expect(events.count { $0 == "problem" } <= 1 && events.last == "leave" && events.count <= 3, "\(events)")
    }

    @Test func `A-04 a walk hears a cancellation between two entries`() async throws {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        for name in ["a", "b", "c"] { try bench.source.write(name, [1]) }
        let result = try await bench.backUp(into: store)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let repository = try await bench.open(store)
                try await repository.loadIndex()
                var walker = TreeWalker(repository, worker: repository.makeWorker())
                try await walker.enter(result.tree)
                _ = try walker.next()
                while !Task.isCancelled { await Task.yield() }
                _ = try walker.next()
            }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }
}
