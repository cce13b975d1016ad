import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

/// Contents: every pack is read once, in few requests, and each blob is written wherever it belongs.
extension RestoreFlow {
    func writeContents(_ plan: RestorePlan) async throws {
        guard let target, !plan.files.isEmpty else { return }
        let files = TargetFiles(target: target, table: plan.directories, isSparse: request.sparse)
        let packs = piecesByPack(plan)
        let writer = ContentWriter(flow: self, plan: plan, files: files, packs: packs)
        for (number, file) in plan.files.enumerated() where file.isComplete { writer.finish(number) }
        let width = min(packs.count, max(3, repository.store.connections + 1))
        let pool = repository.environment.pool
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width {
                group.addTask(executorPreference: pool) { try await writer.work() }
            }
            try await group.waitForAll()
        }
    }

    /// The wanted blobs of each pack, packs in the order of their first use.
    private func piecesByPack(_ plan: RestorePlan) -> [PackPieces] {
        var numbers: [PackID: Int] = [:]
        var packs: [PackPieces] = []
        for (fileNumber, file) in plan.files.enumerated() {
            for (position, id) in (file.node.content ?? []).enumerated() where file.existing?[position] != true {
                guard let location = repository.index.location(.data, id) else { continue }
                let number = numbers[location.pack] ?? packs.count
                if number == packs.count {
                    numbers[location.pack] = number
                    packs.append(PackPieces(pack: location.pack))
                }
                packs[number].uses[location.id, default: []].append(
                    PackPieces.Use(file: Int32(fileNumber), position: Int32(position))
                )
                if packs[number].uses[location.id]?.count == 1 { packs[number].blobs.append(location) }
            }
        }
        return packs
    }
}

/// What a restore wants of one pack.
struct PackPieces: Sendable {
    struct Use: Sendable {
        var file: Int32
        /// Which blob of the file.
        var position: Int32
    }

    let pack: PackID
    var blobs: [BlobLocation] = []
    var uses: [BlobID: [Use]] = [:]
}

/// Writes blobs into files and finishes the files that are complete.
private final class ContentWriter: Sendable {
    private let flow: RestoreFlow
    private let plan: RestorePlan
    private let files: TargetFiles
    private let packs: [PackPieces]
    private let nextPack = Atomic<Int>(0)

    init(flow: RestoreFlow, plan: RestorePlan, files: TargetFiles, packs: [PackPieces]) {
        self.flow = flow
        self.plan = plan
        self.files = files
        self.packs = packs
    }

    /// One task's share: packs, until none is left.
    func work() async throws {
        let worker = flow.repository.makeWorker()
        while true {
            try Task.checkCancellation()
            let index = nextPack.add(1, ordering: .relaxed).oldValue
            guard index < packs.count else { return }
            try await write(packs[index], worker: worker)
        }
    }

    private func write(_ pieces: PackPieces, worker: BlobWorker) async throws {
        try await flow.repository.readBlobs(
            pack: pieces.pack,
            pieces.blobs,
            worker: worker,
            deliver: { location, bytes in
                for use in pieces.uses[location.id] ?? [] { self.write(bytes, Int(use.file), Int(use.position)) }
            },
            failed: { location, error in
                for use in pieces.uses[location.id] ?? [] {
                    self.giveUp(Int(use.file), RestoreProblem.missingContent(error))
                }
            }
        )
    }

    private func write(_ bytes: UnsafeRawBufferPointer, _ number: Int, _ position: Int) {
        let file = plan.files[number]
        guard !file.isFailed else { return }
        do throws(Errno) {
            let descriptor = try files.file(number, file)
            let offset = file.offsets[position]
            if flow.request.sparse, isAllZero(bytes) {
                if file.isUpdate { try descriptor.punchHole(at: offset, count: UInt64(bytes.count)) }
            } else {
                try descriptor.write(bytes, at: offset)
            }
        } catch {
            return giveUp(number, error)
        }
        flow.bytesWritten(UInt64(bytes.count))
        if file.blobWritten() { finish(number) }
    }

    /// Metadata, name, report: the file is whole.
    func finish(_ number: Int) {
        let file = plan.files[number]
        let path = plan.directories.shownPath(file.directory, file.node.name)
        do throws(Errno) {
            let descriptor = try files.file(number, file)
            if file.isUpdate || flow.request.sparse { try descriptor.truncate(to: file.size) }
            let problem = flow.metadata.apply(file.node, to: descriptor)
            files.forget(number)
            try descriptor.close()
            if !file.isUpdate { try name(file) }
            if let problem { flow.failed(path, problem) }
        } catch {
            return giveUp(number, error)
        }
        flow.finished(file.isUpdate ? .fileUpdated : .fileRestored, path, size: file.size)
    }

    /// The temporary name becomes the real one; the commit point of the file.
    private func name(_ file: FileToRestore) throws(Errno) {
        let directory = try files.directory(file.directory)
        let temporary = TargetFiles.temporaryName(file.node.name)
        do throws(Errno) {
            try directory.rename(temporary, to: file.node.name, in: directory)
        } catch  where error.kind == .isDirectory {
            guard flow.request.delete else { throw error }
            try TreeRemoval.remove(file.node.name, in: directory) { _ in }
            try directory.rename(temporary, to: file.node.name, in: directory)
        }
    }

    private func giveUp(_ number: Int, _ error: any Error) {
        let file = plan.files[number]
        guard file.markFailed() else { return }
        files.forget(number)
        if !file.isUpdate {
            try? files.directory(file.directory).remove(TargetFiles.temporaryName(file.node.name))
        }
        flow.failed(plan.directories.shownPath(file.directory, file.node.name), error)
    }
}
