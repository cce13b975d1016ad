package import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

/// Hears how a recovery goes; called from any task, and must return quickly.
package protocol RecoverObserver: Sendable {
    func began(_ phase: RecoverPhase)
    /// An index file that cannot be read; what it names is looked for in the packs.
    func unreadable(index: IndexID, _ error: any Error)
    /// A pack that no index names, or of another size than the index says (then `indexedBytes`).
    func incomplete(pack: PackID, bytes: UInt64, indexedBytes: UInt64?)
    /// A pack whose header cannot be read; its contents stay out.
    func unreadable(pack: PackID, _ error: any Error)
    /// A pack that an index names and the store does not have.
    func missing(pack: PackID)
    func readPack()
    func unreadable(tree: BlobID, _ error: any Error)
    func loadedTrees(_ count: Int)
    /// A snapshot that cannot be read; its trees count as lost.
    func unreadable(snapshot: SnapshotID, _ error: any Error)
}

/// The stages of a recovery, in their order.
package enum RecoverPhase: Sendable, Hashable {
    case loadingIndex
    case listingPacks
    /// Only where packs lack.
    case readingPacks(Int)
    case loadingTrees(Int)
    case loadingSnapshots
    /// Trees that nothing names, ascending; the snapshot of them follows, unless there are none.
    case foundRoots([BlobID])
}

/// What a recovery found.
package struct RecoverResult: Sendable {
    /// Trees that nothing names, ascending.
    package var roots: [BlobID] = []
    /// Index files that were added.
    package var indexFiles = 0
    /// The snapshot that holds the roots; nil when there are none.
    package var snapshot: SnapshotID?
}

extension Repository {
    /// Makes a snapshot of every tree that neither a snapshot nor another tree names.
    ///
    /// ```
    /// load index > list packs > headers of those that it lacks > PUT their index > open every tree once, mark what it names
    /// > mark what snapshots name > trees without a mark > tree of them all > PUT SNAPSHOT
    /// ```
    /// 1. Nothing is removed, damaged index files and snapshots included.
    /// 2. A tree that cannot be read is no root; what it named may come out as roots of its own.
    /// 3. Each root gets the first eight digits of its ID as name, or all of them where two begin alike; names ascend.
    ///
    /// The caller holds an exclusive lock; no index is loaded yet. Memory: the index, two bits for each of its entries, 40 bytes for each
    /// pack, 32 for each root and about 300 for each while the tree of them is made, and for each task one range of a pack. Errors: of
    /// listing and storing; what is unreadable is told to the observer. What was stored before a failure stays, unseen or whole.
    package func recoverTrees(observer: any RecoverObserver) async throws -> RecoverResult {
        var result = RecoverResult()
        observer.began(.loadingIndex)
        try await loadIndex(unreadable: { observer.unreadable(index: $0, $1) })
        result.indexFiles = try await completeIndex(observer)
        let marks = try await markTrees(observer)
        observer.began(.loadingSnapshots)
        for snapshot in try await loadSnapshots(unreadable: { observer.unreadable(snapshot: $0, $1) }) {
            if let tree = snapshot.document.tree { marks.name(tree) }
        }
        result.roots = marks.roots()
        observer.began(.foundRoots(result.roots))
        guard !result.roots.isEmpty else { return result }
        result.snapshot = try await saveRoots(result.roots)
        return result
    }

    // MARK: the index

    /// Reads the headers of packs that the index does not describe as they are, and stores an index of them; returns how many files.
    private func completeIndex(_ observer: any RecoverObserver) async throws -> Int {
        observer.began(.listingPacks)
        var indexed = indexedPackBytes()
        var wanted: [(pack: PackID, bytes: UInt64)] = []
        for entry in try await store.list(.pack) {
            let pack = PackID(entry.digest)
            let bytes = indexed.removeValue(forKey: pack)
            guard bytes != entry.size else { continue }
            observer.incomplete(pack: pack, bytes: entry.size, indexedBytes: bytes)
            wanted.append((pack, entry.size))
        }
        for pack in indexed.keys.sorted() { observer.missing(pack: pack) }
        guard !wanted.isEmpty else { return 0 }
        observer.began(.readingPacks(wanted.count))
        return try await indexPacks(wanted, observer)
    }

    /// Bytes that each pack has according to the index, whose parts of one pack do not overlap.
    private func indexedPackBytes() -> [PackID: UInt64] {
        let overhead = [PackedBlob]().packBytes
        var bytes: [PackID: UInt64] = [:]
        for number in 0..<index.packCount {
            let blobs = index.blobs(ofPack: number)
            guard !blobs.isEmpty else { continue }
            bytes[index.packID(number), default: overhead] += blobs.packBytes - overhead
        }
        return bytes
    }

    private func indexPacks(
        _ packs: [(pack: PackID, bytes: UInt64)],
        _ observer: any RecoverObserver
    ) async throws -> Int {
        let next = SharedCounter()
        let width = min(max(2, store.connections), packs.count)
        var (writer, files) = (IndexWriter(), 0)
        try await withThrowingTaskGroup(of: (PackID, Result<PackHeader, any Error>)?.self) { group in
            func startOne() {
                guard let number = next.take(below: packs.count) else { return }
                let (pack, bytes) = packs[number]
                group.addTask(executorPreference: environment.pool) {
                    do {
                        return (pack, .success(try await self.packHeader(pack, size: bytes, worker: self.makeWorker())))
                    } catch let error where !(error is CancellationError) {
                        return (pack, .failure(error))
                    }
                }
            }
            for _ in 0..<width { startOne() }
            while let read = try await group.next() {
                try Task.checkCancellation()
                if let (pack, header) = read {
                    switch header {
                    case .failure(let error): observer.unreadable(pack: pack, error)
                    case .success(let header):
                        let blobs = header.packedBlobs
                        if !blobs.isEmpty { writer.append(pack: pack, blobs: blobs) }
                        addToIndex(pack, blobs)
                    }
                    observer.readPack()
                }
                if writer.blobCount >= Limits.indexFlushBlobs { try await flush(&writer, &files) }
                startOne()
            }
        }
        try await flush(&writer, &files)
        return files
    }

    private func flush(_ writer: inout IndexWriter, _ files: inout Int) async throws {
        guard writer.packCount > 0 else { return }
        try await commitCheck()
        _ = try await saveUnpacked(.index, writer.finish())
        (writer, files) = (IndexWriter(), files + 1)
    }

    /// In memory, but for what is known at the same place already.
    private func addToIndex(_ pack: PackID, _ blobs: [PackedBlob]) {
        let new = blobs.filter { blob in
            !index.locations(blob.type, blob.id).contains {
                $0.pack == pack && $0.offset == blob.offset && $0.length == blob.length
            }
        }
        if !new.isEmpty { index.store(pack: pack, blobs: new) }
    }

    // MARK: the trees

    /// Opens every tree once and marks what it names.
    private func markTrees(_ observer: any RecoverObserver) async throws -> TreeMarks {
        let marks = TreeMarks(index)
        observer.began(.loadingTrees(marks.treeCount))
        let runs = PackRuns(marks.trees, index)
        let width = max(2, min(store.connections, environment.pool.width))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width {
                group.addTask(executorPreference: environment.pool) {
                    let worker = self.makeWorker()
                    while let run = runs.next() { try await self.mark(run, marks, worker, observer) }
                }
            }
            try await group.waitForAll()
        }
        return marks
    }

    /// Marks what the trees of one pack name.
    private func mark(
        _ run: [BlobLocation],
        _ marks: TreeMarks,
        _ worker: BlobWorker,
        _ observer: any RecoverObserver
    ) async throws {
        guard let pack = run.first?.pack else { return }
        var count = 0
        func cannotRead(_ tree: BlobID, _ error: any Error) {
            marks.isBroken(tree)
            observer.unreadable(tree: tree, error)
        }
        try await readBlobs(
            pack: pack,
            run,
            worker: worker,
            deliver: { blob in
                do {
                    try marks.read(Array(blob.plaintext))
                    count += 1
                } catch { cannotRead(blob.location.id, error) }
            },
            failed: { location, error in cannotRead(location.id, error) }
        )
        observer.loadedTrees(count)
    }

    // MARK: the snapshot

    private func saveRoots(_ roots: [BlobID]) async throws -> SnapshotID {
        let now = environment.zonedNow()
        var tree = TreeWriter()
        for (place, root) in roots.enumerated() {
            let neighbours = [place - 1, place + 1].filter { roots.indices.contains($0) }.map { roots[$0] }
            let isAmbiguous = neighbours.contains { $0.short == root.short }
            var node = Node(name: ByteString(isAmbiguous ? root.hex : root.short), type: .directory)
            node.mode = GoMode.directory | 0o755
            (node.mtime, node.atime, node.ctime) = (now, now, now)
            node.subtree = root
            try tree.append(node)
        }
        let block = Block(tree.finish())
        let saved = try await withBlobWriter { writer in
            try await writer.save(.tree, block.withBytes { $0 }, worker: makeWorker())
        }
        withExtendedLifetime(block) {}
        var document = SnapshotDocument(time: now, tree: saved.id, paths: ["/recover"])
        document.hostname = environment.hostName
        document.username = environment.userName
        document.uid = environment.userID
        document.gid = environment.groupID
        document.tags = ["recovered"]
        return try await saveSnapshot(document)
    }
}

/// Which trees are named by another one or by a snapshot, and which cannot be read: two bits for each entry of the index.
private final class TreeMarks: Sendable {
    private struct State {
        var named: EntrySet
        var broken: EntrySet
    }

    /// The first copy of every tree.
    let trees: EntrySet
    let treeCount: Int
    private let index: BlobIndex
    private let state: Mutex<State>

    init(_ index: BlobIndex) {
        var (trees, count) = (EntrySet(count: index.blobCount), 0)
        for entry in 0..<index.blobCount {
            let blob = index.location(ofEntry: entry)
            guard blob.type == .tree, index.firstEntry(.tree, blob.id) == entry, trees.insert(entry) else { continue }
            count += 1
        }
        self.index = index
        self.trees = trees
        treeCount = count
        let none = EntrySet(count: index.blobCount)
        state = Mutex(State(named: none, broken: none))
    }

    /// Marks what the document names; nothing when it cannot be understood to its end.
    func read(_ document: [UInt8]) throws {
        var reader = TreeReader(document)
        var named: [Int] = []
        while let node = try reader.next() {
            guard node.type == .directory, let subtree = node.subtree else { continue }
            if let entry = index.firstEntry(.tree, subtree) { named.append(entry) }
        }
        state.withLock { state in
            for entry in named { _ = state.named.insert(entry) }
        }
    }

    func name(_ tree: BlobID) {
        guard let entry = index.firstEntry(.tree, tree) else { return }
        state.withLock { _ = $0.named.insert(entry) }
    }

    func isBroken(_ tree: BlobID) {
        guard let entry = index.firstEntry(.tree, tree) else { return }
        state.withLock { _ = $0.broken.insert(entry) }
    }

    /// Trees that are whole and named by nothing, ascending.
    func roots() -> [BlobID] {
        let (named, broken) = state.withLock { ($0.named, $0.broken) }
        var roots: [BlobID] = []
        var cursor = 0
        while let entry = trees.next(from: cursor) {
            cursor = entry + 1
            if !named.contains(entry), !broken.contains(entry) { roots.append(index.location(ofEntry: entry).id) }
        }
        return roots.sorted()
    }
}
