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
        let place = job.place
        let path = place.tree.path(of: place.name)
        counters.started(path)
        defer { counters.ended(path) }
        do {
            let descriptor = try job.directory.openFile(job.sourceName)
            let status = try descriptor.status()
            guard status.kind == .regular else { throw SourceProblem.changedType }
            var node = nodes.node(place.name, status)
            node.extendedAttributes = NodeMaker.attributes(
                names: { () throws(Errno) in try descriptor.attributeNames() },
                value: { (name) throws(Errno) in try descriptor.attribute(name) },
                failed: { failed(path, SourceProblem.attributes($0)) }
            )
            let file = FileInProgress(place: place, node: node)
            try await read(file, .file(descriptor), from: descriptor, opened: status, path: path, tools)
        } catch let error as Errno {
            if error.isAbsence, job.directory.isGone(job.sourceName) {
                // Gone since the walk saw it: nothing to save, and nothing wrong (G-04).
                if place.tree.leaveOut(place.slot) { try await finish(place.tree, tools) }
                return
            }
            try await leaveOut(place, error, tools)
        } catch let error as SourceProblem {
            try await leaveOut(place, error, tools)
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
        readers.add(1, ordering: .relaxed)
        defer { readers.subtract(1, ordering: .relaxed) }
        var last: FileStatus?
        var failure: (any Error)?
        do {
            let (count, reachedEnd) = try await tools.reader.read(
                bytes,
                of: file,
                limit: opened.size &+ Self.growthBytesMax,
                isEnd: { total in
                    last = try? descriptor.status()
                    return last?.size == total
                },
                sink: WorkerSink(flow: self, tools: tools)
            )
            if last == nil || !reachedEnd { last = try? descriptor.status() }
            if !reachedEnd {
                failed(path, SourceProblem.grewWithoutEnd)
            } else if let last, Self.hasChanged(opened, last, bytesRead: count) {
                failed(path, SourceProblem.changedWhileRead)
            }
            // All of it was read: what closing says of a file that is only read changes nothing about that.
            try? descriptor.close()
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

    /// Saves the chunks that the task has read and not saved yet.
    func saveOpenBatch(_ tools: BackupTools) async throws {
        if let batch = tools.reader.takeBatch() { try await save(batch, tools) }
    }

    /// Saves the chunks of a batch, and finishes the files that are complete with it.
    func save(_ batch: ChunkBatch, _ tools: BackupTools) async throws {
        guard !batch.chunks.isEmpty else { return }
        let saved = try await writer.save(.data, batch.plaintexts, worker: tools.worker)
        withExtendedLifetime(batch.page) {}
        for (chunk, blob) in zip(batch.chunks, saved) {
            counters.bytesDone.add(UInt64(chunk.range.count), ordering: .relaxed)
            if let outcome = chunk.file.saved(blob, at: chunk.position, bytes: chunk.range.count) {
                try await finish(chunk.file, outcome, tools)
            }
        }
    }

    private func finish(_ file: FileInProgress, _ outcome: FileInProgress.Outcome, _ tools: BackupTools) async throws {
        let place = file.place
        if let failure = outcome.failure { return try await leaveOut(place, failure, tools) }
        var node = file.node
        node.content = outcome.content
        node.size = file.bytesRead
        completed(node, previous: place.previous, outcome.statistics, started: place.startedNanoseconds) {
            place.tree.path(of: place.name)
        }
        if place.tree.fill(place.slot, node) { try await finish(place.tree, tools) }
    }

    private func leaveOut(_ place: FilePlace, _ error: any Error, _ tools: BackupTools) async throws {
        failed(place.tree.path(of: place.name), error)
        if place.tree.leaveOut(place.slot) { try await finish(place.tree, tools) }
    }

    // MARK: streams

    /// Saves what comes from standard input or a command as one file.
    ///
    /// When the producer fails, the whole backup fails: half a dump is no backup (G-14).
    func save(_ source: StreamSource, _ place: FilePlace, _ tools: BackupTools) async throws {
        let environment = repository.environment
        var node = Node(name: place.name, type: .file)
        node.mode = 0o644
        node.mtime = request.time
        node.atime = request.time
        node.ctime = request.time
        node.uid = environment.userID
        node.gid = environment.groupID
        let file = FileInProgress(place: place, node: node)
        readers.add(1, ordering: .relaxed)
        defer { readers.subtract(1, ordering: .relaxed) }
        _ = try await tools.reader.read(
            .stream(source),
            of: file,
            limit: .max,
            isEnd: { _ in false },
            sink: WorkerSink(flow: self, tools: tools)
        )
        try await source.finish()
        if let outcome = file.readingEnded(nil) { try await finish(file, outcome, tools) }
    }
}

/// The task that reads, and the tasks beside it.
private struct WorkerSink: BatchSink {
    let flow: BackupFlow
    let tools: BackupTools

    /// While every task reads a file of its own, none would take it soon.
    var wantsBatch: Bool {
        flow.jobs.wantsUrgent && flow.readers.load(ordering: .relaxed) < flow.taskCount
    }

    func handOver(_ batch: ChunkBatch) -> Bool { flow.jobs.sendUrgent(.batch(batch)) }

    func save(_ batch: ChunkBatch) async throws { try await flow.save(batch, tools) }
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
