import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization

/// Contents: every pack is read once, in few requests, and each blob is written wherever it belongs.
extension RestoreFlow {
    func writeContents(_ plan: RestorePlan, _ names: TemporaryNames, worker: BlobWorker) async throws {
        guard let target, !plan.files.isEmpty else { return }
        let files = TargetFiles(target: target, table: plan.directories, names: names, isSparse: request.sparse)
        try resume(plan, files, worker)
        let packs = piecesByPack(plan)
        let writer = ContentWriter(flow: self, plan: plan, files: files, packs: packs)
        for (number, file) in plan.files.enumerated() where file.isComplete {
            try Task.checkCancellation()
            writer.finish(number)
        }
        let width = min(packs.count, max(3, repository.store.connections + 1))
        let pool = repository.environment.pool
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width {
                group.addTask(executorPreference: pool) { try await writer.work() }
            }
            try await group.waitForAll()
        }
    }

    /// Takes up what a killed restore left under temporary names, as far as its bytes are right.
    private func resume(_ plan: RestorePlan, _ files: TargetFiles, _ worker: BlobWorker) throws {
        for file in plan.files where !file.isInPlace && file.size > 0 && !plan.directories.isNew(file.directory) {
            try Task.checkCancellation()
            guard let directory = try? files.directory(file.directory),
                let leftover = try? directory.openFileForUpdate(files.temporaryName(file)),
                let status = try? leftover.status(), status.kind == .regular, status.links == 1,
                status.uid == effectiveUser
            else { continue }
            let blobs = try matchingBlobs(of: leftover, size: status.size, file.content, worker) { file.offset($0) }
            guard blobs.contains(true) else { continue }
            file.resume(status.identity, blobs: blobs)
            bytesWritten(file.presentBytes)
        }
    }

    /// The wanted blobs of each pack, packs in the order of their first use.
    private func piecesByPack(_ plan: RestorePlan) -> [PackPieces] {
        var numbers: [PackID: Int] = [:]
        var packs: [PackPieces] = []
        for (fileNumber, file) in plan.files.enumerated() {
            let present = file.presentBlobs
            for (position, id) in file.content.enumerated() where present?[position] != true {
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
            deliver: { blob in
                for use in pieces.uses[blob.location.id] ?? [] {
                    try Task.checkCancellation()
                    self.write(blob.plaintext, Int(use.file), Int(use.position))
                }
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
        do {
            guard let descriptor = try files.file(number, file)?.descriptor else { return }
            let offset = file.offset(position)
            if flow.request.sparse, isAllZero(bytes) {
                // A file that was made for this has a hole there already.
                if file.presentBlobs != nil { try descriptor.punchHole(at: offset, count: UInt64(bytes.count)) }
            } else {
                try descriptor.write(bytes, at: offset)
                // The disk works from now on, and not only when everything is synced at the end.
                if bytes.count >= Limits.writeSoonBytes { descriptor.startWriting(at: offset, count: bytes.count) }
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
        let path = plan.directories.shownPath(file.directory, file.name)
        do {
            guard let open = try files.file(number, file) else { return }
            if file.presentBlobs != nil || flow.request.sparse { try open.descriptor.truncate(to: file.size) }
            let problem = flow.metadata.apply(file.metadata, to: .open(open.descriptor), known: open.known)
            files.forget(number)
            try open.descriptor.close()
            if !file.isInPlace { try name(file) }
            if let problem { flow.failed(path, problem) }
        } catch {
            return giveUp(number, error)
        }
        flow.finished(file.isUpdate ? .fileUpdated : .fileRestored, path, size: file.size)
    }

    /// The temporary name becomes the real one, when it still is the file that was written.
    ///
    /// A directory that this restore made has mode 0700 until all files in it are named, so nobody else gets at them there.
    private func name(_ file: FileToRestore) throws {
        let directory = try files.directory(file.directory)
        let temporary = files.temporaryName(file)
        if !plan.directories.isNew(file.directory) {
            guard try directory.status(temporary).identity == file.identity else { throw RestoreProblem.swapped }
        }
        try flow.commit(temporary, as: file.name, in: directory, isExpectedFree: file.isExpectedFree)
    }

    private func giveUp(_ number: Int, _ error: any Error) {
        let file = plan.files[number]
        let (isFirst, wasCreated) = file.markFailed()
        guard isFirst else { return }
        files.forget(number)
        if wasCreated, !file.isInPlace, let directory = try? files.directory(file.directory) {
            let temporary = files.temporaryName(file)
            if (try? directory.status(temporary))?.identity == file.identity { try? directory.remove(temporary) }
        }
        flow.failed(plan.directories.shownPath(file.directory, file.name), error)
    }
}
