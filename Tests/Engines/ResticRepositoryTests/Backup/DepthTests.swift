import Bytes
import Foundation
import HostSystem
import ObjectStorage
import ResticFormat
import Outcome
import Synchronization
import Testing

import ResticRepository

/// Ten thousand folders, each in the one before, on threads with small stacks (G-09, Q-05).
@Suite(.serialized) struct DepthTests {
    /// A folder that nothing of Foundation could make or remove.
    private final class DeepFolder {
        let base: String
        let depth: Int

        init(_ base: String, depth: Int) throws {
            self.base = base
            self.depth = depth
            var current = open(base, O_RDONLY | O_DIRECTORY)
            for level in 0..<depth {
                guard mkdirat(current, "d", 0o755) == 0 else { throw BenchProblem.wrongSize("depth \(level)") }
                let next = openat(current, "d", O_RDONLY | O_DIRECTORY)
                close(current)
                current = next
            }
            let leaf = openat(current, "leaf", O_CREAT | O_WRONLY, 0o644)
            _ = write(leaf, "deep", 4)
            close(leaf)
            close(current)
        }

        deinit {
            var current = open(base, O_RDONLY | O_DIRECTORY)
            for _ in 0..<depth {
                let next = openat(current, "d", O_RDONLY | O_DIRECTORY)
                close(current)
                current = next
            }
            _ = unlinkat(current, "leaf", 0)
            for _ in 0..<depth {
                let above = openat(current, "..", O_RDONLY | O_DIRECTORY)
                close(current)
                _ = unlinkat(above, "d", AT_REMOVEDIR)
                current = above
            }
            close(current)
        }
    }

    private static let depth = 10_000

    /// Directories on the way down, and the content of the file at the end.
    private static func follow(_ bench: BackupBench, _ snapshot: SnapshotID, _ store: MemoryStorage) async throws -> (
        depth: Int, leaf: [UInt8]
    ) {
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        var walker = TreeWalker(repository, worker: worker)
        guard let root = try await repository.loadSnapshot(snapshot).document.tree else { throw BenchProblem.noTree }
        try await walker.enter(root)
        var deepest = 0
        var leaf: [UInt8] = []
        while let event = try walker.next() {
            guard case .entry(let node) = event else { continue }
            for id in node.content ?? [] { leaf += try await repository.loadBlob(.data, id, worker: worker) }
            guard let subtree = node.subtree else { continue }
            try await walker.enter(subtree, name: node.name)
            deepest = max(deepest, walker.depth - 1)
        }
        return (deepest, leaf)
    }

    @Test(.timeLimit(.minutes(10)))
    func `G-09 Q-05 a tree ten thousand deep is saved twice, and its backup can fail or be cancelled at any depth`()
        async throws
    {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        let deep = try DeepFolder(bench.source.path, depth: Self.depth)
        let first = try await bench.backUp(into: store, observer: ItemLog(wantsItems: false))
        #expect(first.errorCount == 0)
        let found = try await Self.follow(bench, try #require(first.snapshot), store)
        #expect(found.depth == Self.depth && found.leaf == Array("deep".utf8))
        let second = try await bench.backUp(into: store, observer: ItemLog(wantsItems: false))
        #expect(second.errorCount == 0 && second.tree == first.tree)
        #expect(second.summary.dirsUnmodified == UInt64(Self.depth))

        // A failure when the whole depth is open: everything is let go of at once, without recursion.
        let empty = MemoryStorage()
        try await bench.create(empty)
        let faulty = FaultyStorage(wrapping: empty, rules: [StorageRule(.fail(.io), on: .put, kind: .pack)])
        await #expect(throws: StorageFailure.self) {
            _ = try await bench.backUp(into: faulty, observer: ItemLog(wantsItems: false))
        }
        let repository = try await bench.open(empty)
        let hooks = SystemHooks { call, number, _ in call == .list && number > Self.depth - 3 ? .fail(EIO) : .proceed }
        let partial = try await bench.onPool {
            try await bench.backUp(to: repository, observer: ItemLog(wantsItems: false)) { $0.systemHooks = hooks }
        }
        #expect(partial.errorCount == 1)
        try await cancelAtTheBottom(bench, empty)
        withExtendedLifetime(deep) {}
        print("G-09 \(Self.depth) folders deep")
    }

    private func cancelAtTheBottom(_ bench: BackupBench, _ store: MemoryStorage) async throws {
        try await withThrowingTaskGroup(of: BackupResult.self) { group in
            let (reached, signal) = AsyncStream.makeStream(of: Void.self)
            let hooks = SystemHooks { call, number, _ in
                guard call == .list, number == Self.depth - 5 else { return .proceed }
                signal.yield()
                // Holds the walk here until the cancellation has come.
                let deadline = SystemTime().monotonicNanoseconds() + 60_000_000_000
                while !Task.isCancelled, SystemTime().monotonicNanoseconds() < deadline { usleep(100) }
                return .proceed
            }
            let repository = try await bench.open(store)
            group.addTask(executorPreference: bench.pool) {
                defer { signal.finish() }
                return try await bench.backUp(to: repository, observer: ItemLog(wantsItems: false)) {
                    $0.systemHooks = hooks
                }
            }
            for await _ in reached { break }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { _ = try await group.next() }
        }
        #expect(try await store.list(.lock).isEmpty)
    }

    @Test(arguments: [100, 100_000])
    func `Q-05 a parent directory nested without end is refused, and the source is read instead`(depth: Int)
        async throws
    {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        try bench.source.write("file", [1, 2, 3])
        _ = try await bench.backUp(into: store)
        let repository = try await bench.open(store)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let json = #"{"nodes":[{"name":"file","type":"file","strange":"# + nested + "}]}\n"
        let root = try await repository.withBlobWriter { try await $0.save(.tree, Array(json.utf8), worker: worker) }
        var document = try #require(try await repository.latestSnapshot()).document
        document.tree = root
        document.time.moment.seconds += 5
        _ = try await repository.saveSnapshot(document)
        bench.clock.advance(seconds: 10)
        let result = try await bench.backUp(into: store)
        let saved = try await bench.contents(of: try #require(result.snapshot), in: store)
        #expect(saved == ["/file": [1, 2, 3]])
        let verdict = try await bench.check(store)
        #expect(verdict.hasErrors || depth == 100)
    }
}
