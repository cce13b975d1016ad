import Bytes
import Compression
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

/// Copies what snapshots need from one repository into another.
///
/// ```
/// sweep the trees, each once > mark the blobs that the target lacks > pack by pack: ranged get > decrypt
/// > seal with the target's key, what is compressed stays as it is > open again, unpack, verify digest (L3) > packs and index files
/// of the target (L2)
/// ```
/// A blob is unpacked and hashed once, when it is sealed: what comes out right went in right. What this process proved when it wrote the
/// source, and a disk of this host gives back, is opened a second time and compared instead. One that comes out wrong is read
/// again, from every copy, and verified before it is sealed, so that it is known whether the source is damaged.
///
/// Memory: two bits for each blob of the source, and what reading and writing take. Isolation: any task, one snapshot at a time.
final class SnapshotCopy: Sendable {
    private let source: Repository
    private let target: Repository
    /// Trees of snapshots before, whose blobs are in the target or on their way.
    private let swept: Mutex<EntrySet>

    /// Both repositories have their index loaded, and the target is locked for writing.
    init(from source: Repository, to target: Repository) {
        self.source = source
        self.target = target
        swept = Mutex(EntrySet(count: source.index.blobCount))
    }

    /// What of this tree the target lacks.
    ///
    /// Errors: `E-MISSING` for a blob that no index of the source names, `E-DAMAGE` for a tree that cannot be read; nothing was copied.
    func plan(_ tree: BlobID) async throws -> CopyPlan {
        let visitor = CopyVisitor(source: source.index, target: target.index, repository: source)
        let sweep = TreeSweep(
            source,
            roots: [tree],
            seen: swept.withLock { $0 },
            width: width,
            visitor: visitor
        )
        try await sweep.run()
        let seen = sweep.seen
        swept.withLock { $0 = seen }
        return CopyPlan(wanted: visitor.wanted, index: source.index)
    }

    /// Copies the blobs of a plan; `copied` hears of each pack of the source that is done.
    ///
    /// Errors: `E-DAMAGE` for a blob of which no copy opens; those of the writer.
    func copy(_ plan: CopyPlan, with writer: BlobWriter, copied: @escaping @Sendable () -> Void) async throws {
        let runs = PackRuns(plan.wanted, source.index)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<min(width, plan.packCount) {
                group.addTask(executorPreference: source.environment.pool) {
                    let (reader, sealer) = (self.source.makeWorker(), self.target.makeWorker())
                    while let run = runs.next() {
                        try await self.copy(run, reader, sealer, writer)
                        copied()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func copy(
        _ run: [BlobLocation],
        _ reader: BlobWorker,
        _ sealer: BlobWorker,
        _ writer: BlobWriter
    ) async throws {
        guard let pack = run.first?.pack else { return }
        let isProvenBySealing =
            target.isCompressing && target.options.compression == .auto && target.options.extraVerify
        let doubts = isProvenBySealing ? try await copyUnverified(run, reader, sealer, writer) : Doubts(blobs: run)
        var failure = doubts.failure
        try await source.readBatches(
            pack: pack,
            doubts.blobs,
            worker: reader,
            keepingFrames: true,
            deliver: { blobs in
                try Task.checkCancellation()
                // Another copy had to be taken: the source is what was wrong.
                if blobs.contains(where: { $0.sealed == nil }) { failure = nil }
                try await writer.save(blobs, worker: sealer)
            },
            failed: { throw $1 }
        )
        if let failure { throw failure }
    }

    /// Blobs that want a second look.
    private struct Doubts {
        var blobs: [BlobLocation] = []
        /// Why sealing refused some; it is a fault of this machine when the source turns out to be right.
        var failure: RepositoryFailure?
    }

    /// Copies blobs of one pack; returns those that could not be read, and those that did not come out right.
    private func copyUnverified(
        _ run: [BlobLocation],
        _ reader: BlobWorker,
        _ sealer: BlobWorker,
        _ writer: BlobWriter
    ) async throws -> Doubts {
        var doubts = Doubts()
        let areProven = source.store.isLocalDisk && run.first.map { source.isProvenInMemory($0.pack) } ?? false
        for span in ReadSpans(run) {
            try Task.checkCancellation()
            let name = ObjectName(.pack, span.blobs.first?.pack.digest ?? .zero)
            guard let block = try? await source.store.get(name, range: span.range), block.count == span.range.count
            else {
                doubts.blobs += span.blobs
                continue
            }
            for batch in BlobBatches(span.blobs) {
                try Task.checkCancellation()
                let parts = batch.map { SealedPart($0, in: block, from: span.range.lowerBound) }
                let contents = reader.decryptAll(parts, areProven: areProven)
                let refused = try await writer.save(contents.compactMap(\.self), worker: sealer)
                doubts.failure = doubts.failure ?? refused.failure
                doubts.blobs += zip(batch, contents).filter { $1 == nil || refused.ids.contains($0.id) }.map(\.0)
            }
            withExtendedLifetime(block) {}
        }
        return doubts
    }

    /// Tasks that read side by side; each holds a range of a pack.
    private var width: Int { max(2, min(source.store.connections, source.environment.pool.width)) }
}

/// The blobs of a snapshot that the target lacks.
package struct CopyPlan: Sendable {
    /// Entries of the source's index.
    let wanted: EntrySet
    package private(set) var blobCount = 0
    /// Packs of the source that hold them.
    package private(set) var packCount = 0
    /// Sealed bytes in the source.
    package private(set) var storedBytes: UInt64 = 0

    init(wanted: EntrySet, index: BlobIndex) {
        self.wanted = wanted
        var cursor = 0
        while let entry = wanted.next(from: cursor) {
            let range = index.entries(ofPackHolding: entry)
            packCount += 1
            cursor = entry
            while let blob = wanted.next(from: cursor), blob < range.upperBound {
                blobCount += 1
                storedBytes += UInt64(index.location(ofEntry: blob).length)
                cursor = blob + 1
            }
        }
    }
}

/// Marks what the target lacks of each tree.
private final class CopyVisitor: TreeSweepVisitor {
    private let source: BlobIndex
    private let target: BlobIndex
    private let repository: Repository
    private let marks: Mutex<EntrySet>

    init(source: BlobIndex, target: BlobIndex, repository: Repository) {
        self.source = source
        self.target = target
        self.repository = repository
        marks = Mutex(EntrySet(count: source.blobCount))
    }

    var wanted: EntrySet { marks.withLock { $0 } }

    func visit(_ tree: BlobID, _ document: [UInt8]) throws -> [BlobID] {
        var subtrees: [BlobID] = []
        var entries = try lacking(.tree, [tree])
        var reader = TreeReader(document)
        while let node = try reader.next() {
            if let content = node.content { entries += try lacking(.data, content) }
            guard node.type == .directory else { continue }
            guard let subtree = node.subtree else { throw WalkProblem.noSubtree(node.name) }
            subtrees.append(subtree)
        }
        marks.withLock { marks in
            for entry in entries { _ = marks.insert(entry) }
        }
        return subtrees
    }

    private func lacking(_ type: BlobType, _ ids: [BlobID]) throws -> [Int] {
        var entries: [Int] = []
        for id in ids where !target.isKnown(type, id) {
            guard let entry = source.firstEntry(type, id) else { throw repository.missingBlob(type, id) }
            entries.append(entry)
        }
        return entries
    }

    func missing(_ tree: BlobID) throws { throw repository.missingBlob(.tree, tree) }

    func unreadable(_ tree: BlobLocation, _ error: any Error) throws { throw error }

    func finished(roots: Int) {}
}
