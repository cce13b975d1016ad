import Bytes
import Chunking
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization

import ResticRepository

/// One source folder and one clock, and backups of the one into any store.
///
/// Everything runs on a pool of one thread, so the same source and the same seed make the same calls of the store in the same order.
final class BackupBench: Sendable {
    /// Pools of one thread, each for some of the benches, so that no test waits for all the others.
    private static let narrow = (0..<8).map { _ in makePool(width: 1) }
    private static let turn = Atomic<Int>(0)
    /// Threads of tests that do not count calls.
    static let wide = makePool(width: 4)

    static func makePool(width: Int) -> WorkerPool {
        guard let pool = try? WorkerPool(width: width, name: "backup") else {
            preconditionFailure("no threads for the tests")
        }
        return pool
    }

    let source = TestFolder()
    let clock = BackupClock()
    let pool: WorkerPool
    private let seed: Atomic<UInt64>

    init(pool: WorkerPool? = nil, seed: UInt64 = 1) {
        let turn = Self.turn.add(1, ordering: .relaxed).oldValue
        self.pool = pool ?? Self.narrow[turn % Self.narrow.count]
        self.seed = Atomic(seed)
    }

    // MARK: repositories

    /// The process as the engine knows it; each answer has a chance of its own, as real runs do, unless a seed is given.
    func environment(process: Int32 = 1, seed given: UInt64? = nil) -> RepositoryEnvironment {
        RepositoryEnvironment(
            time: clock,
            entropy: SeededEntropy(seed: given ?? seed.add(1, ordering: .relaxed).newValue),
            pool: pool,
            hostName: "host",
            userName: "user",
            userID: 1000,
            groupID: 1000,
            processID: process,
            isAlive: { $0 == process }
        )
    }

    /// A new repository in `store`.
    func create(_ store: any ObjectStorage = MemoryStorage()) async throws {
        _ = try await Repository.create(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            polynomial: .init(hex: "3da3358b4dc173"),
            scrypt: .cheapForTests,
            environment: environment()
        )
    }

    /// Small packs, so that a small source makes several.
    func open(
        _ store: any ObjectStorage,
        process: Int32 = 1,
        packSizeBytes: Int = 60_000,
        seed: UInt64? = nil,
        _ change: (inout RepositoryOptions) -> Void = { _ in }
    ) async throws -> Repository {
        var options = RepositoryOptions()
        options.packSizeBytes = packSizeBytes
        change(&options)
        return try await Repository.open(
            store: store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: environment(process: process, seed: seed),
            options: options
        )
    }

    /// Gives an entry of the source an extended attribute; false where that cannot be.
    func setAttribute(_ name: String, _ value: [UInt8], of entry: ByteString) -> Bool {
        guard let folder = try? Directory.open(source.bytes) else { return false }
        return (try? folder.setAttribute(ByteString(name), to: value, of: entry)) != nil
    }

    // MARK: backups

    /// What is backed up: everything in the source, its entries at the top of the snapshot.
    func request() -> BackupRequest {
        BackupRequest(
            targets: ["."],
            workingDirectory: source.bytes,
            hostName: "host",
            time: environment().zonedNow(),
            programVersion: "test"
        )
    }

    /// A whole backup as the command makes it: open, lock, parent, index, save.
    func backUp(
        into store: any ObjectStorage,
        process: Int32 = 1,
        seed: UInt64? = nil,
        observer: any BackupObserver = ItemLog()
    ) async throws -> BackupResult {
        try await onPool {
            try await self.backUp(to: try await self.open(store, process: process, seed: seed), observer: observer)
        }
    }

    /// The same with a repository that is open.
    func backUp(
        to repository: Repository,
        observer: any BackupObserver = ItemLog(),
        _ change: (inout BackupRequest) -> Void = { _ in }
    ) async throws -> BackupResult {
        try await repository.withLock(.shared) {
            var request = self.request()
            change(&request)
            request.parent = try await repository.latestSnapshot()
            try await repository.loadIndex()
            return try await backup(request, to: repository, observer: observer)
        }
    }

    /// Runs `body` on the pool of this bench.
    func onPool<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask(executorPreference: pool) { try await body() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    // MARK: looking

    /// Every path of a snapshot with its content, read blob by blob; directories end in a slash.
    func contents(of snapshot: SnapshotID, in store: any ObjectStorage) async throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        try await entries(of: snapshot, in: store) { path, node, content in
            files[node.subtree == nil ? path : path + "/"] = content
        }
        return files
    }

    /// Hands over every node of a snapshot with its path and its content.
    func entries(
        of snapshot: SnapshotID,
        in store: any ObjectStorage,
        _ body: (String, Node, [UInt8]) throws -> Void
    ) async throws {
        let repository = try await open(store)
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        var walker = TreeWalker(repository, worker: worker)
        guard let root = try await repository.loadSnapshot(snapshot).document.tree else { throw BenchProblem.noTree }
        try await walker.enter(root)
        while let event = try walker.next() {
            switch event {
            case .leave: continue
            case .problem(let error): throw error
            case .entry(let node):
                var content: [UInt8] = []
                for id in node.content ?? [] {
                    content += try await repository.loadBlob(.data, id, worker: worker)
                }
                guard node.type != .file || UInt64(content.count) == node.size else {
                    throw BenchProblem.wrongSize(walker.path(node.name).display)
                }
                try body(walker.path(node.name).display, node, content)
                if let subtree = node.subtree { try await walker.enter(subtree, name: node.name) }
            }
        }
    }

    /// The check of everything, every byte read.
    func check(_ store: any ObjectStorage) async throws -> CheckResult {
        try await ResticRepository.check(CheckRequest(readData: .all), in: try await open(store))
    }
}

enum BenchProblem: Error {
    case wrongSize(String)
    case noTree
    case noLock
    case endless
}

/// Remembers what a backup says of single items, and can do something when it says it.
final class ItemLog: BackupObserver {
    let failures = Mutex<[(path: String, error: any Error)]>([])
    let actions = Mutex<[String: ItemAction]>([:])
    private let onCompleted: (@Sendable (String) -> Void)?

    /// Whether single items are wanted; each costs its path, which is as long as the tree is deep.
    let wantsItems: Bool

    init(wantsItems: Bool = true, onCompleted: (@Sendable (String) -> Void)? = nil) {
        self.wantsItems = wantsItems
        self.onCompleted = onCompleted
    }

    var failedPaths: [String] { failures.withLock { $0.map(\.path).sorted() } }

    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {
        actions.withLock { $0[path.display] = action }
        onCompleted?(path.display)
    }

    func failed(path: ByteString, during: BackupPhase, error: any Error) {
        failures.withLock { $0.append((path.display, error)) }
    }

    func excluded(path: ByteString) {}
    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {}
}
