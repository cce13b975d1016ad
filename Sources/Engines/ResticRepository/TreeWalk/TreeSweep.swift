import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// What a sweep asks and tells.
///
/// Called from any task, several at a time. What is thrown ends the sweep.
protocol TreeSweepVisitor: Sendable {
    /// A tree that was opened; returns the trees below it.
    func visit(_ tree: BlobID, _ document: [UInt8]) throws -> [BlobID]
    /// A tree that no index names, once.
    func missing(_ tree: BlobID) throws
    /// A tree of which no copy opens.
    func unreadable(_ tree: BlobLocation, _ error: any Error) throws
    /// Nothing is left to do below so many more roots.
    func finished(roots: Int)
}

/// Opens every tree below some roots, once however many paths lead to it (I-09), in no order.
///
/// The sweep is iterative: a stack of entries of the index, taken from its end in rounds of 2,048 and grouped by pack, so that the
/// trees of one pack come in few requests. Memory: a bit for each entry of the index, 8 bytes for each tree on the stack, and for each
/// task one range of a pack.
struct TreeSweep: Sendable {
    /// Trees that one round takes from the stack.
    private static let treesPerRound = 2048
    /// Trees below which the stack takes in further roots, so that many small snapshots are swept side by side.
    private static let rootsInFlight = 64
    /// Bytes of a pack that come in one request.
    private static let spanBytes: UInt64 = 4 << 20

    private let repository: Repository
    private let width: Int
    private let state: TreeSweepState
    private let visitor: any TreeSweepVisitor

    /// `width` tasks work side by side; trees whose entries are in `seen` are passed over.
    init(
        _ repository: Repository,
        roots: [BlobID],
        seen: EntrySet? = nil,
        width: Int,
        visitor: some TreeSweepVisitor
    ) {
        self.repository = repository
        self.width = width
        self.visitor = visitor
        state = TreeSweepState(roots: roots, seen: seen ?? EntrySet(count: repository.index.blobCount))
    }

    /// Entries of all trees that were swept or passed over.
    var seen: EntrySet { state.seen }

    /// Sweeps.
    ///
    /// Errors: what the visitor throws; cancellation.
    func run() async throws {
        let worker = repository.makeWorker()
        while true {
            try Task.checkCancellation()
            try refill()
            let round = state.takeRound(Self.treesPerRound)
            if round.isEmpty { return }
            let jobs = jobs(for: round)
            if jobs.count == 1 { try await visit(jobs[0], worker) } else { try await visitAll(jobs) }
            let finished = state.endRound(round)
            if finished > 0 { visitor.finished(roots: finished) }
        }
    }

    private func visitAll(_ jobs: [Job]) async throws {
        let next = SharedCounter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<min(width, jobs.count) {
                group.addTask(executorPreference: repository.environment.pool) {
                    let worker = repository.makeWorker()
                    while let number = next.take(below: jobs.count) { try await visit(jobs[number], worker) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Puts further roots on the stack while there is room for more work.
    private func refill() throws {
        while state.stackCount < Self.rootsInFlight, let (root, number) = state.nextRoot() {
            try push([root], root: number)
            if state.endRoot(number) { visitor.finished(roots: 1) }
        }
    }

    /// Puts trees on the stack that were not seen before.
    private func push(_ trees: [BlobID], root: Int) throws {
        for tree in trees {
            if let entry = repository.index.firstEntry(.tree, tree) {
                state.push(entry, root: root)
            } else if state.isFirstMiss(tree) {
                try visitor.missing(tree)
            }
        }
    }

    /// Trees of one pack, close together.
    private struct Job: Sendable {
        var pack: PackID
        var blobs: [BlobLocation] = []
        var roots: [BlobID: Int] = [:]
    }

    private func jobs(for round: [TreeSweepState.Item]) -> [Job] {
        let located = round.map { (blob: repository.index.location(ofEntry: Int($0.entry)), root: Int($0.root)) }
            .sorted { $0.blob.pack != $1.blob.pack ? $0.blob.pack < $1.blob.pack : $0.blob.offset < $1.blob.offset }
        var jobs: [Job] = []
        for (blob, root) in located {
            let first = UInt64(jobs.last?.blobs.first?.offset ?? 0)
            if jobs.last?.pack != blob.pack || blob.end - first > Self.spanBytes { jobs.append(Job(pack: blob.pack)) }
            jobs[jobs.count - 1].blobs.append(blob)
            jobs[jobs.count - 1].roots[blob.id] = root
        }
        return jobs
    }

    /// A store on this machine, which has two connections, gives ranges as fast as a cache does, without fetching whole packs.
    private var readsRanges: Bool { repository.cache == nil || repository.store.connections <= 2 }

    private func visit(_ job: Job, _ worker: BlobWorker) async throws {
        try Task.checkCancellation()
        if readsRanges {
            try await repository.readBlobs(
                pack: job.pack,
                job.blobs,
                worker: worker,
                deliver: { try take($0.location.id, Array($0.plaintext), job) },
                failed: { blob, error in try visitor.unreadable(blob, error) }
            )
            return
        }
        for blob in job.blobs {
            try Task.checkCancellation()
            let document: [UInt8]
            do { document = try await repository.loadTree(blob.id, worker: worker) } catch is CancellationError {
                throw CancellationError()
            } catch {
                try visitor.unreadable(blob, error)
                continue
            }
            try take(blob.id, document, job)
        }
    }

    private func take(_ tree: BlobID, _ document: [UInt8], _ job: Job) throws {
        try push(try visitor.visit(tree, document), root: job.roots[tree] ?? 0)
    }
}
