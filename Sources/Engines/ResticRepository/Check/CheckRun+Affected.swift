import Bytes
import ResticFormat

/// Which files the damage reaches.
extension CheckRun {
    /// Walks the snapshots once more, if there is lost data at all, and names the files that need it.
    func traceDamage(to snapshots: [Snapshot]) async throws {
        guard !lost.isEmpty else { return }
        begin(.affected, total: snapshots.count)
        let trace = DamageTrace(run: self)
        var affected: [AffectedSnapshot] = []
        for snapshot in snapshots {
            try Task.checkCancellation()
            if let found = try await trace.trace(snapshot) { affected.append(found) }
            advance(.affected)
        }
        noteAffected(affected, isComplete: trace.isComplete && lost.isComplete)
    }
}

/// A walk that looks for lost blobs with the path in hand. Trees without damage below them are entered once in the whole run;
/// those with damage once for each path, up to a budget (I-09). Iterative; memory: the names in the directories on the path.
private final class DamageTrace {
    private struct Frame {
        var entry: Int?
        var pathLength: Int
        var subtrees: [(name: ByteString, id: BlobID)]
        var isDamaged: Bool
    }

    private let run: CheckRun
    private let worker: BlobWorker
    private var clean: EntrySet
    private var damaged: EntrySet
    private var reopened = 0
    private(set) var isComplete = true
    private var path: [UInt8] = []
    private var paths: [ByteString] = []
    private var pathCount = 0

    init(run: CheckRun) {
        self.run = run
        worker = run.repository.makeWorker()
        clean = EntrySet(count: run.index.blobCount)
        damaged = EntrySet(count: run.index.blobCount)
    }

    /// Nil when nothing in the snapshot is damaged.
    func trace(_ snapshot: Snapshot) async throws -> AffectedSnapshot? {
        paths = []
        pathCount = 0
        path = []
        guard let root = snapshot.document.tree else { return AffectedSnapshot(id: snapshot.id, paths: ["/"], pathCount: 1) }
        var stack: [Frame] = []
        if let frame = try await enter(root) { stack.append(frame) }
        while var frame = stack.popLast() {
            try Task.checkCancellation()
            path.removeLast(path.count - frame.pathLength)
            guard let (name, id) = frame.subtrees.popLast() else {
                leave(frame, &stack)
                continue
            }
            stack.append(frame)
            path.append(UInt8(ascii: "/"))
            path.append(contentsOf: name.bytes)
            if let child = try await enter(id) { stack.append(child) }
        }
        guard pathCount > 0 else { return nil }
        return AffectedSnapshot(id: snapshot.id, paths: paths, pathCount: pathCount)
    }

    private func leave(_ frame: Frame, _ stack: inout [Frame]) {
        if frame.isDamaged, !stack.isEmpty { stack[stack.count - 1].isDamaged = true }
        guard let entry = frame.entry else { return }
        if frame.isDamaged { _ = damaged.insert(entry) } else { _ = clean.insert(entry) }
    }

    /// Opens the tree at `path`; nil when there is nothing to find in it, or it cannot be opened, which is noted.
    private func enter(_ tree: BlobID) async throws -> Frame? {
        let entry = run.index.firstEntry(.tree, tree)
        if let entry, clean.contains(entry) { return nil }
        if let entry, damaged.contains(entry) {
            reopened += 1
            guard reopened <= CheckLimits.affectedTreesReopened else {
                isComplete = false
                return nil
            }
        }
        var frame = Frame(entry: entry, pathLength: path.count, subtrees: [], isDamaged: false)
        guard !run.lost.contains(.tree, tree, in: run.index), let document = try await load(tree) else {
            note(path.isEmpty ? [UInt8(ascii: "/")] : path)
            frame.isDamaged = true
            return frame
        }
        read(document, &frame)
        return frame
    }

    private func load(_ tree: BlobID) async throws -> [UInt8]? {
        do {
            return try await run.repository.loadTree(tree, worker: worker)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return nil
        }
    }

    private func read(_ document: [UInt8], _ frame: inout Frame) {
        var reader = TreeReader(document)
        while let node = try? reader.next() {
            if let subtree = node.subtree { frame.subtrees.append((node.name, subtree)) }
            guard let content = node.content, content.contains(where: { run.lost.contains(.data, $0, in: run.index) }) else { continue }
            frame.isDamaged = true
            note(path + [UInt8(ascii: "/")] + node.name.bytes)
        }
    }

    private func note(_ path: [UInt8]) {
        pathCount += 1
        if paths.count < CheckLimits.affectedPathsNamed { paths.append(ByteString(path)) }
    }
}
