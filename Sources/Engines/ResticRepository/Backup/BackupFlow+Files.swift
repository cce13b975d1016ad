import Bytes
import Synchronization
import HostSystem
import Outcome
import ResticFormat

/// Saving the contents of files.
extension BackupFlow {
    /// Bytes that a file may grow beyond the size it had when it was opened before reading stops (an endless file is no backup).
    private static var growthBytesMax: UInt64 { 256 << 20 }

    /// Reads one file to its end and saves it; what goes wrong with the file itself leaves it out and is named.
    func save(_ job: FileJob, _ tools: BackupTools) async throws {
        let path = job.tree.path(of: job.name)
        counters.started(path)
        defer { counters.ended(path) }
        do {
            let descriptor = try job.directory.openFile(job.sourceName)
            let status = try descriptor.status()
            guard status.kind == .regular else { throw SourceProblem.changedType }
            var node = nodes.node(job.name, status)
            node.extendedAttributes = NodeMaker.attributes(
                names: { () throws(Errno) in try descriptor.attributeNames() },
                value: { (name) throws(Errno) in try descriptor.attribute(name) },
                failed: { failed(path, SourceProblem.attributes($0)) }
            )
            let file = FileInProgress(job: job, node: node)
            try await read(file, .file(descriptor), from: descriptor, opened: status, path: path, tools)
        } catch let error as Errno {
            if error.isAbsence, job.directory.isGone(job.sourceName) {
                // Gone since the walk saw it: nothing to save, and nothing wrong (G-04).
                if job.tree.leaveOut(job.slot) { try await finish(job.tree, tools) }
                return
            }
            try await leaveOut(job.tree, job.slot, path, error, tools)
        } catch let error as SourceProblem {
            try await leaveOut(job.tree, job.slot, path, error, tools)
        }
    }

    private func read(
        _ file: FileInProgress,
        _ bytes: FileBytes,
        from descriptor: FileDescriptor,
        opened: FileStatus,
        path: ByteString,
        _ tools: BackupTools
    ) async throws {
        var last: FileStatus?
        var failure: (any Error)?
        do {
            let (count, reachedEnd) = try await tools.reader.read(
                bytes,
                limit: opened.size &+ Self.growthBytesMax,
                isEnd: { total in
                    last = try? descriptor.status()
                    return last?.size == total
                },
                { chunk in try await self.save(chunk, of: file, tools) }
            )
            if last == nil || !reachedEnd { last = try? descriptor.status() }
            if !reachedEnd {
                failed(path, SourceProblem.grewWithoutEnd)
            } else if let last, Self.hasChanged(opened, last, bytesRead: count) {
                failed(path, SourceProblem.changedWhileRead)
            }
            try descriptor.close()
        } catch let error as Errno {
            failure = error
        }
        if let outcome = file.readingEnded(failure) { try await finish(file, outcome, tools) }
    }

    /// Whether the file was another one at the end; those of the kernel say that they are empty and are not (G-13).
    private static func hasChanged(_ opened: FileStatus, _ last: FileStatus, bytesRead: UInt64) -> Bool {
        if last.size != opened.size || last.modified != opened.modified { return true }
        return bytesRead != opened.size && opened.size != 0
    }

    /// Saves a chunk here, or hands it to a task that has nothing to do, so that one large file keeps all of them busy.
    private func save(_ chunk: UnsafeRawBufferPointer, of file: FileInProgress, _ tools: BackupTools) async throws {
        let position = file.reserve(bytes: chunk.count)
        if jobs.hasIdleReceiver, let page = pages.tryTake() {
            page.block.append(chunk)
            if jobs.sendIfIdle(.chunk(ChunkJob(file: file, position: position, page: page))) { return }
        }
        let saved = try await writer.save(.data, chunk, worker: tools.worker)
        counters.bytesDone.add(UInt64(chunk.count), ordering: .relaxed)
        if let outcome = file.saved(saved, at: position, bytes: chunk.count) { try await finish(file, outcome, tools) }
    }

    /// Saves a chunk that another task read.
    func save(_ job: ChunkJob, _ tools: BackupTools) async throws {
        let block = job.page.block
        let saved = try await writer.save(.data, block.withBytes { $0 }, worker: tools.worker)
        withExtendedLifetime(job.page) {}
        counters.bytesDone.add(UInt64(block.count), ordering: .relaxed)
        if let outcome = job.file.saved(saved, at: job.position, bytes: block.count) {
            try await finish(job.file, outcome, tools)
        }
    }

    private func finish(_ file: FileInProgress, _ outcome: FileInProgress.Outcome, _ tools: BackupTools) async throws {
        let job = file.job
        if let failure = outcome.failure {
            return try await leaveOut(job.tree, job.slot, job.tree.path(of: job.name), failure, tools)
        }
        var node = file.node
        node.content = outcome.content
        node.size = file.bytesRead
        completed(node, previous: job.previous, outcome.statistics, started: job.startedNanoseconds) {
            job.tree.path(of: job.name)
        }
        if job.tree.fill(job.slot, node) { try await finish(job.tree, tools) }
    }

    private func leaveOut(
        _ tree: OpenTree,
        _ slot: Int,
        _ path: ByteString,
        _ error: any Error,
        _ tools: BackupTools
    ) async throws {
        failed(path, error)
        if tree.leaveOut(slot) { try await finish(tree, tools) }
    }

    // MARK: streams

    /// Saves what comes from standard input or a command as one file.
    ///
    /// When the producer fails, the whole backup fails: half a dump is no backup (G-14).
    func save(_ source: StreamSource, tree: OpenTree, slot: Int, name: ByteString, _ tools: BackupTools) async throws {
        let environment = repository.environment
        var node = Node(name: name, type: .file)
        node.mode = 0o644
        node.mtime = request.time
        node.atime = request.time
        node.ctime = request.time
        node.uid = environment.userID
        node.gid = environment.groupID
        var content: [BlobID] = []
        var statistics = ItemStatistics()
        let (count, _) = try await tools.reader.read(.stream(source), limit: .max, isEnd: { _ in false }) { chunk in
            let saved = try await self.writer.save(.data, chunk, worker: tools.worker)
            content.append(saved.id)
            self.counters.bytesDone.add(UInt64(chunk.count), ordering: .relaxed)
            guard saved.isNew else { return }
            statistics.dataBlobs += 1
            statistics.dataSize += UInt64(chunk.count)
            statistics.dataSizeInRepository += UInt64(saved.storedBytes)
        }
        try await source.finish()
        node.content = content
        node.size = count
        completed(node, previous: nil, statistics, started: now) { tree.path(of: name) }
        if tree.fill(slot, node) { try await finish(tree, tools) }
    }
}

/// What can be wrong with a source entry beside a failing system call.
enum SourceProblem: Error, CustomStringConvertible {
    case changedType
    case changedWhileRead
    case grewWithoutEnd
    case attributes(any Error)
    case tree(any Error)
    case contentMissing
    case unknownType

    var description: String {
        switch self {
        case .changedType: "changed its type between being listed and being opened; it was left out"
        case .changedWhileRead: "changed while it was being read; what was saved may mix old and new content"
        case .grewWithoutEnd: "grew faster than it could be read; it was saved up to a limit"
        case .attributes(let error): "incomplete metadata: \(error)"
        case .tree(let error):
            "the parent snapshot's directory cannot be read, so everything in it is read again: \(error)"
        case .contentMissing: "parts of it are not in the repository any more; it is stored again"
        case .unknownType: "is of a type that cannot be saved; it was left out"
        }
    }
}
