import Bytes
import Chunking
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization

import ResticRepository

/// A clock that stands still; sleeping in it takes no time.
struct StandingTime: TimeSource {
    var moment = Timestamp(seconds: 1_760_000_000)

    func now() -> Timestamp { moment }
    func monotonicNanoseconds() -> UInt64 { 0 }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
    func sleep(nanoseconds: UInt64) async throws { try Task.checkCancellation() }
}

/// A repository in memory with two snapshots, built blob by blob so that a test knows what lies where.
///
/// ```
/// first   /a.txt  /dir/big.bin (three blobs)  /dir/empty  /dir/deep/leaf.txt
/// second  the same, with another /a.txt and /new.txt
/// ```
struct SmallRepository {
    static let password = "a password of the tests"

    /// One pool for all tests; its threads end with the process.
    static let pool: WorkerPool = {
        guard let pool = try? WorkerPool(width: 4, name: "check") else {
            preconditionFailure("no threads for the tests")
        }
        return pool
    }()

    static func environment(seed: UInt64 = 7) -> RepositoryEnvironment {
        RepositoryEnvironment(
            time: StandingTime(),
            entropy: SeededEntropy(seed: seed),
            pool: pool,
            hostName: "host",
            userName: "user",
            userID: 1000,
            groupID: 1000,
            processID: 1,
            isAlive: { _ in true }
        )
    }

    let store: MemoryStorage
    var snapshots: [Snapshot] = []

    /// Builds it; the same seed gives the same bytes.
    static func make(version: Int = 2, seed: UInt64 = 1) async throws -> SmallRepository {
        let store = MemoryStorage()
        let repository = try await Repository.create(
            store: store,
            version: version,
            password: Secret(Array(password.utf8)),
            polynomial: .init(hex: "3da3358b4dc173"),
            scrypt: .cheapForTests,
            environment: environment(seed: seed)
        )
        var built = SmallRepository(store: store)
        var random = SplitMix64(seed: seed)
        let worker = repository.makeWorker()
        var parts: [[UInt8]] = []
        for count in [70_000, 30_000, 90_000] { parts.append(random.bytes(count)) }
        let bytes = parts
        for (number, text) in ["first", "second"].enumerated() {
            let root = try await repository.withBlobWriter { writer in
                var big: [BlobID] = []
                for part in bytes { big.append(try await writer.save(.data, part, worker: worker)) }
                let leaf = try await writer.save(.data, Array("leaf".utf8), worker: worker)
                let deep = try await writer.saveTree([.file("leaf.txt", [leaf])], worker: worker)
                let dir = try await writer.saveTree(
                    [.file("big.bin", big), .directory("deep", deep), .file("empty", [])],
                    worker: worker
                )
                let page = try await writer.save(
                    .data,
                    Array("\(text) page, long enough to be compressed, \(text) page".utf8),
                    worker: worker
                )
                let nodes: [Node] =
                    [.file("a.txt", [page]), .directory("dir", dir)] + (number == 0 ? [] : [.file("new.txt", [page])])
                return try await writer.saveTree(nodes, worker: worker)
            }
            var document = SnapshotDocument(
                time: ZonedTime(Timestamp(seconds: 1_760_000_000 + Int64(number))),
                tree: root,
                paths: ["/"]
            )
            document.hostname = "host"
            document.tags = number == 0 ? [] : ["tagged"]
            let id = try await repository.saveSnapshot(document)
            built.snapshots.append(Snapshot(id: id, document: document))
        }
        return built
    }

    /// Opens it anew, from `store` or from another that holds the same.
    func open(_ other: (any ObjectStorage)? = nil, cache: ByteString? = nil) async throws -> Repository {
        var options = RepositoryOptions()
        options.cacheDirectory = cache
        return try await Repository.open(
            store: other ?? store,
            password: Secret(Array(Self.password.utf8)),
            environment: Self.environment(seed: 99),
            options: options
        )
    }

    /// Checks what is in `store`.
    func check(
        _ other: (any ObjectStorage)? = nil,
        _ request: CheckRequest = CheckRequest(readData: .all),
        observer: some CheckObserver = SilentCheckObserver()
    ) async throws -> CheckResult {
        try await ResticRepository.check(request, in: try await open(other), observer: observer)
    }

    /// All names in the store, in a fixed order.
    var names: [ObjectName] { store.contents.keys.sorted { $0.path < $1.path } }

    func bytes(_ name: ObjectName) -> [UInt8] { store.contents[name]?.bytes ?? [] }
}

extension BlobWriter {
    func save(_ type: BlobType, _ bytes: [UInt8], worker: BlobWorker) async throws -> BlobID {
        let block = Block(bytes)
        return try await save(type, block.withBytes { $0 }, worker: worker).id
    }

    func saveTree(_ nodes: [Node], worker: BlobWorker) async throws -> BlobID {
        // By hand, since hostile trees are to be saved too.
        let document =
            Array("{\"nodes\":[".utf8) + nodes.map { $0.encode() }.joined(separator: [UInt8(ascii: ",")])
            + Array("]}\n".utf8)
        return try await save(.tree, document, worker: worker)
    }
}

extension Node {
    static func file(_ name: ByteString, _ content: [BlobID]) -> Node {
        var node = Node(name: name, type: .file)
        node.content = content
        return node
    }

    static func directory(_ name: ByteString, _ subtree: BlobID) -> Node {
        var node = Node(name: name, type: .directory)
        node.subtree = subtree
        return node
    }
}

/// Records what a check says.
final class RecordingObserver: CheckObserver {
    let phases = Mutex<[String]>([])
    let lines = Mutex<[String]>([])
    let last = Mutex<CheckProgress>(CheckProgress())

    func began(_ phase: CheckPhase) { phases.withLock { $0.append(phase.sentence) } }
    func progressed(_ phase: CheckPhase, _ progress: CheckProgress) { last.withLock { $0 = progress } }

    func found(_ findings: [Finding]) {
        lines.withLock { lines in
            if let heading = findings.first?.checkHeading { lines.append(heading) }
            lines.append(contentsOf: findings.map(\.checkText))
        }
    }
}
