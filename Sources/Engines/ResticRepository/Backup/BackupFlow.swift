import Bytes
import Chunking
import HostSystem
import Outcome
import ResticFormat
import Synchronization

/// Work of a backup, for whichever task is free.
enum BackupJob: Sendable {
    case file(FileJob)
    case stream(StreamSource, FilePlace)
    /// Chunks that another task read.
    case batch(ChunkBatch)
    /// A directory whose entries are all there.
    case tree(OpenTree)
}

/// What all tasks of one backup share.
final class BackupFlow: Sendable {
    struct Totals {
        var items = ItemStatistics()
        var filesNew: UInt64 = 0
        var filesChanged: UInt64 = 0
        var filesUnmodified: UInt64 = 0
        var dirsNew: UInt64 = 0
        var dirsChanged: UInt64 = 0
        var dirsUnmodified: UInt64 = 0
        var bytesProcessed: UInt64 = 0
    }

    let request: BackupRequest
    let repository: Repository
    let writer: BlobWriter
    let observer: any BackupObserver
    let counters: BackupCounters
    let nodes: NodeMaker
    let jobs = Handover<BackupJob>(capacity: 64)
    /// What is read: for each task a page of its own and that of a batch it saves for another, and one on its way between tasks.
    ///
    /// That is all that can be in use, so that nobody ever waits for one; most of the time it is one more than there are tasks.
    let pages: PagePool
    /// Tasks that read a file now.
    let readers = Atomic<Int>(0)
    private let totals = Mutex(Totals())
    private let rootTree = Mutex<(id: BlobID, entries: Int)?>(nil)

    init(
        request: BackupRequest,
        repository: Repository,
        writer: BlobWriter,
        observer: any BackupObserver,
        counters: BackupCounters
    ) {
        self.request = request
        self.repository = repository
        self.writer = writer
        self.observer = observer
        self.counters = counters
        pages = PagePool(
            pageBytes: ChunkReader.pageBytes,
            budget: ByteBudget(ChunkReader.pageBytes * (2 * max(2, request.readConcurrency) + 1))
        )
        nodes = NodeMaker(environment: repository.environment, withAtime: request.withAtime)
    }

    /// Tasks that read and save.
    var taskCount: Int { max(2, request.readConcurrency) }

    var now: UInt64 { repository.environment.time.monotonicNanoseconds() }

    /// Walks the source and saves it; returns the root tree and what was counted.
    func run() async throws -> (root: BlobID, totals: Totals) {
        let pool = repository.environment.pool
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<taskCount {
                group.addTask(executorPreference: pool) { try await self.work() }
            }
            let parentTrees = request.parent?.document.tree.map { root in
                let stream = TreeStream()
                group.addTask(executorPreference: pool) { await stream.fill(from: root, of: self.repository) }
                return stream
            }
            do {
                try await walk(parentTrees: parentTrees)
                try await group.waitForAll()
            } catch {
                jobs.fail(error)
                group.cancelAll()
                throw error
            }
        }
        guard let root = rootTree.withLock({ $0 }) else { throw CancellationError() }
        guard root.entries > 0 else {
            throw RepositoryFailure(
                .sourceEmpty,
                operation: "backup",
                object: request.targets.map(\.display).joined(separator: " "),
                what: "snapshot is empty: nothing of the source could be saved or all of it is excluded",
                state: "no snapshot was written; earlier ones are as they were",
                next: "check the paths, the excludes, and the permissions"
            )
        }
        return (root.id, totals.withLock { $0 })
    }

    // MARK: a task's work

    private func work() async throws {
        let tools = BackupTools(repository: repository, pages: pages)
        do {
            while try await doNextJob(tools) {}
        } catch {
            jobs.fail(error)
            throw error
        }
    }

    /// Does one job; false when there will be none.
    ///
    /// A call of its own, so that nothing holds a page while the next one is awaited.
    private func doNextJob(_ tools: BackupTools) async throws -> Bool {
        guard let job = try await nextJob(tools) else { return false }
        try Task.checkCancellation()
        switch job {
        case .file(let file): try await save(file, tools)
        case .stream(let source, let place): try await save(source, place, tools)
        case .batch(let batch):
            try await saveOpenBatch(tools)
            try await save(batch, tools)
        case .tree(let tree): try await finish(tree, tools)
        }
        return true
    }

    /// The next job; before it waits for one, the task saves what it has read.
    private func nextJob(_ tools: BackupTools) async throws -> BackupJob? {
        if let job = jobs.tryReceive() { return job }
        try await saveOpenBatch(tools)
        return await jobs.receive()
    }

    /// Saves complete directories, from this one upwards as far as they are complete.
    func finish(_ complete: OpenTree, _ tools: BackupTools) async throws {
        var tree = complete
        while true {
            let (block, entries) = try document(of: tree)
            let saved = try await save(block, of: tree, tools)
            var statistics = ItemStatistics()
            if saved.isNew {
                statistics.treeBlobs = 1
                statistics.treeSize = UInt64(block.count)
                statistics.treeSizeInRepository = UInt64(saved.storedBytes)
            }
            guard let parent = tree.parent, var node = tree.node else {
                totals.withLock { $0.items.add(statistics) }
                rootTree.withLock { $0 = (saved.id, entries) }
                jobs.finish()
                return
            }
            node.subtree = saved.id
            completed(node, previous: tree.previous, statistics, started: tree.startedNanoseconds) { tree.path }
            guard parent.fill(tree.slot, node) else { return }
            tree = parent
        }
    }

    private func save(_ document: Block, of tree: OpenTree, _ tools: BackupTools) async throws -> SavedBlob {
        if let id = tree.unchangedID(document) { return SavedBlob(id: id, isNew: false, storedBytes: 0) }
        defer { withExtendedLifetime(document) {} }
        return try await writer.save(.tree, document.withBytes { $0 }, worker: tools.worker)
    }

    private func document(of tree: OpenTree) throws -> (block: Block, entries: Int) {
        do throws(FormatError) { return try tree.document() } catch {
            throw RepositoryFailure(
                .source,
                operation: "backup",
                object: "directory \(tree.path.display)",
                what: "lists one name twice with different entries behind it, which no snapshot can hold",
                state: "no snapshot was written; earlier ones are as they were",
                next: "check the file system, or exclude the directory",
                cause: error
            )
        }
    }

    // MARK: counting

    /// Counts a finished item and tells the observer.
    func completed(
        _ node: Node,
        previous: Node?,
        _ statistics: ItemStatistics,
        started: UInt64,
        path: () -> ByteString
    ) {
        let isDirectory = node.type == .directory
        let action: ItemAction
        if let previous, previous.type == node.type {
            action = previous.isSame(as: node) ? .unchanged : .modified
        } else {
            action = .new
        }
        totals.withLock { totals in
            totals.items.add(statistics)
            switch (isDirectory, action) {
            case (true, .new): totals.dirsNew += 1
            case (true, .modified): totals.dirsChanged += 1
            case (true, .unchanged): totals.dirsUnmodified += 1
            case (false, .new): totals.filesNew += 1
            case (false, .modified): totals.filesChanged += 1
            case (false, .unchanged): totals.filesUnmodified += 1
            }
            if !isDirectory { totals.bytesProcessed += node.size }
        }
        if !isDirectory { counters.filesDone.add(1, ordering: .relaxed) }
        guard observer.wantsItems else { return }
        observer.completed(
            action,
            path: isDirectory ? ByteString(path().bytes + [UInt8(ascii: "/")]) : path(),
            isDirectory: isDirectory,
            statistics: statistics,
            seconds: Double(now &- started) / 1e9
        )
    }

    /// Counts an unchanged file, whose blobs are all there.
    func unchanged(_ node: Node, started: UInt64, path: () -> ByteString) {
        totals.withLock { totals in
            totals.filesUnmodified += 1
            totals.bytesProcessed += node.size
        }
        counters.filesDone.add(1, ordering: .relaxed)
        counters.bytesDone.add(node.size, ordering: .relaxed)
        guard observer.wantsItems else { return }
        observer.completed(
            .unchanged,
            path: path(),
            isDirectory: false,
            statistics: ItemStatistics(),
            seconds: Double(now &- started) / 1e9
        )
    }

    /// Records an item that is left out or incomplete; the backup goes on and ends with exit 3.
    func failed(_ path: ByteString, _ error: any Error) {
        counters.errors.add(1, ordering: .relaxed)
        observer.failed(path: path, during: .archival, error: error)
    }
}

/// One task's tools.
final class BackupTools {
    let worker: BlobWorker
    let reader: ChunkReader

    init(repository: Repository, pages: PagePool) {
        worker = repository.makeWorker()
        reader = ChunkReader(chunker: RabinChunker(polynomial: repository.chunkerPolynomial), pages: pages)
    }
}

extension Node {
    /// Equal in everything but the zone in which times were written.
    func isSame(as other: Node) -> Bool {
        var mine = self
        mine.mtime.offsetSeconds = other.mtime.offsetSeconds
        mine.atime.offsetSeconds = other.atime.offsetSeconds
        mine.ctime.offsetSeconds = other.ctime.offsetSeconds
        return mine == other
    }
}
