import Bytes
import HostSystem
import Outcome
import ResticFormat
import Sealing

/// First pass: create directories, find out which files have to be written and which of their parts are there already.
extension RestoreFlow {
    func plan(worker: BlobWorker) async throws -> RestorePlan {
        var plan = RestorePlan()
        let cursor = try makeCursor()
        cursor.displaces = { [observer] in observer.replaces(path: $0) }
        var walker = TreeWalker(repository, worker: worker)
        var directories = [DirectoryTable.root]
        var budget = PathBudget(root: request.tree)
        try await walker.enter(request.tree)
        while let event = try walker.next() {
            let current = directories[directories.count - 1]
            switch event {
            case .leave:
                plan.directories.leave(current)
                directories.removeLast()
                cursor.ascend()
            case .problem(let error):
                plan.directories.markDamaged(current)
                failed(walker.path(), error)
            case .entry(let node):
                guard isAcceptable(node, at: walker.path()), node.type != .socket else { continue }
                let (selected, childMayBe) = selection.decide(
                    walker.path(node.name),
                    isDirectory: node.type == .directory
                )
                if node.type == .directory {
                    let number = plan.directories.add(node.name, in: current)
                    cursor.descend(node.name, modified: node.mtime.moment)
                    if selected { enterDirectory(cursor, number, &plan, path: { walker.path(node.name) }) }
                    if childMayBe, try await enter(node, &walker, &budget, worker) {
                        plan.directories.enter(number)
                        directories.append(number)
                    } else {
                        cursor.ascend()
                    }
                } else if selected {
                    do {
                        try planEntry(node, in: current, cursor, &plan, worker)
                    } catch is CancellationError {
                        throw CancellationError()
                    } catch {
                        failed(walker.path(node.name), error)
                    }
                }
            }
        }
        return plan
    }

    func makeCursor() throws(Errno) -> TargetCursor {
        let overwrite = request.overwrite
        return try TargetCursor(target: target, isNew: targetIsNew, isDryRun: request.isDryRun, guarded: guarded) {
            overwrite.allows(replacing: $0, modified: $1)
        }
    }

    /// Goes into a directory of the snapshot; reports and stays outside when its tree cannot be read.
    private func enter(
        _ node: Node,
        _ walker: inout TreeWalker,
        _ budget: inout PathBudget,
        _ worker: BlobWorker
    ) async throws -> Bool {
        guard let subtree = node.subtree else {
            failed(walker.path(node.name), RestoreProblem.noSubtree)
            return false
        }
        try await budget.spend(subtree, repository, worker: worker)
        do {
            try await walker.enter(subtree, name: node.name)
            return true
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            failed(walker.path(node.name), error)
            return false
        }
    }

    private func enterDirectory(
        _ cursor: TargetCursor,
        _ number: Int32,
        _ plan: inout RestorePlan,
        path: () -> ByteString
    ) {
        itemAnnounced()
        do {
            _ = try cursor.directory(create: true)
            if cursor.takeCollision() { failed(path(), RestoreProblem.sharedDirectory) }
        } catch {
            failed(path(), error)
        }
        if cursor.isNew { plan.directories.markNew(number) }
    }

    private func planEntry(
        _ node: Node,
        in directory: Int32,
        _ cursor: TargetCursor,
        _ plan: inout RestorePlan,
        _ worker: BlobWorker
    ) throws {
        let handle = try cursor.directory(create: true)
        let place = RestorePlan.Place(directory: directory, name: node.name)
        if TemporaryNames.matches(node.name) { plan.takenNames.insert(place) }
        guard node.type == .file else { return itemAnnounced() }
        if plan.hardLinks.place(node) != nil { return itemAnnounced() }
        let offsets = try offsets(of: node)
        let present = cursor.isNew ? nil : try handle?.statusIfPresent(node.name)
        guard mayOverwrite(node, present) else {
            return skipped(plan.directories.shownPath(directory, node.name), bytes: node.size)
        }
        if let present, present.kind == .directory { try refuseFilledDirectory(node.name, in: handle) }
        let isCollision = present.map { !plan.claim($0) } ?? false
        let existing = isCollision ? nil : try compare(node, offsets, with: present, in: handle, worker)
        let isInPlace = !request.replacesWhole && existing?.blobs.contains(true) ?? false
        if let existing, existing.isComplete {
            plan.hardLinks.add(node, at: place, .present(existing.identity))
            let path = plan.directories.shownPath(directory, node.name)
            if !request.isDryRun, let problem = metadata.apply(metadata.metadata(node), to: existing, in: handle) {
                failed(path, problem)
            }
            return skipped(path, bytes: node.size)
        }
        itemAnnounced(bytes: node.size)
        if present != nil, !isCollision {
            observer.replaces(path: plan.directories.shownPath(directory, node.name))
        }
        if request.isDryRun {
            plan.hardLinks.add(node, at: place, .planned)
            bytesWritten(node.size)
            let action: RestoreAction = existing == nil ? .fileRestored : .fileUpdated
            return finished(action, plan.directories.shownPath(directory, node.name), size: node.size)
        }
        let file = FileToRestore(
            directory: directory,
            name: node.name,
            metadata: metadata.metadata(node),
            content: node.content ?? [],
            offsets: offsets,
            basis: isInPlace ? .inPlace(existing?.blobs ?? []) : .nothing,
            identity: isInPlace ? existing?.identity : nil,
            isUpdate: existing != nil,
            isExpectedFree: present == nil || isCollision
        )
        plan.hardLinks.add(node, at: place, .file(Int32(plan.files.count)))
        bytesWritten(file.presentBytes)
        plan.files.append(file)
    }

    /// Where each blob begins in the file; the sum must be the size that the node claims (H-13).
    private func offsets(of node: Node) throws -> [UInt64] {
        var offsets: [UInt64] = [0]
        offsets.reserveCapacity((node.content?.count ?? 0) + 1)
        var end: UInt64 = 0
        for id in node.content ?? [] {
            guard let length = repository.index.plainLength(.data, id) else { throw repository.missingBlob(.data, id) }
            end += UInt64(length)
            offsets.append(end)
        }
        guard end == node.size else { throw RestoreProblem.claimedSize(node.size, has: end) }
        return offsets
    }

    /// Which parts of the file stand in the target already; nil when it is to be made new.
    ///
    /// What is found is found through one open file, and whoever changes it later proves that it is that one (H-05).
    private func compare(
        _ node: Node,
        _ offsets: [UInt64],
        with present: FileStatus?,
        in directory: Directory?,
        _ worker: BlobWorker
    ) throws -> ExistingFile? {
        guard let present, let directory, present.kind == .regular else { return nil }
        // Further names are taken for the snapshot's own, where it has such; otherwise somebody else's file hangs on them.
        guard present.links == 1 || node.links > 1 else { return nil }
        let content = node.content ?? []
        let isSameSize = present.size == node.size
        let file = try? directory.openFile(node.name)
        if let file {
            let status = try file.status()
            guard status.identity == present.identity, status.links == present.links else { return nil }
        }
        var existing = ExistingFile(name: node.name, status: present, file: file, isComplete: false)
        if request.overwrite == .ifChanged, isSameSize, present.modified == node.mtime.moment {
            existing.blobs = [Bool](repeating: true, count: content.count)
            existing.isComplete = true
            return existing
        }
        guard let file else { return nil }
        existing.blobs = try matchingBlobs(of: file, size: present.size, content, worker) { offsets[$0] }
        existing.isComplete = isSameSize && !existing.blobs.contains(false)
        if existing.isComplete { return existing }
        guard present.links == 1 else { return nil }
        // What its owner cannot write is replaced instead of patched.
        if !isSuperuser, present.permissions & 0o200 == 0 { existing.blobs = [] }
        return existing
    }

    /// Which blobs the open file holds at their places.
    func matchingBlobs(
        of file: FileDescriptor,
        size: UInt64,
        _ content: [BlobID],
        _ worker: BlobWorker,
        offset: (Int) -> UInt64
    ) throws -> [Bool] {
        var isPresent = [Bool](repeating: false, count: content.count)
        var buffer = Scratch()
        for (position, id) in content.enumerated() {
            try Task.checkCancellation()
            let start = offset(position)
            let length = repository.index.plainLength(.data, id) ?? 0
            guard start + UInt64(length) <= size else { break }
            buffer.reserve(length)
            let room = buffer.slice(length)
            guard let count = try? file.read(into: room, at: start), count == length else { break }
            isPresent[position] = worker.digest(UnsafeRawBufferPointer(room)) == id.digest
        }
        return isPresent
    }

    /// A directory with something in it gives way to nothing else, unless `--delete` was asked for.
    func refuseFilledDirectory(_ name: ByteString, in directory: Directory?) throws {
        guard !request.delete, let directory else { return }
        guard try directory.openDirectory(name).listing(sorted: false).count == 0 else {
            throw RestoreProblem.directoryInTheWay
        }
    }
}

/// A regular file that stands where one of the snapshot belongs.
struct ExistingFile {
    var name: ByteString
    var status: FileStatus
    /// Nil when it may not be read.
    var file: FileDescriptor?
    /// True for the blobs that it holds at their places.
    var blobs: [Bool] = []
    /// Nothing is to be written.
    var isComplete: Bool

    var identity: FileIdentity { status.identity }
}

extension MetadataWriter {
    /// Sets what differs on a file whose content is right.
    func apply(_ metadata: NodeMetadata, to existing: ExistingFile, in directory: Directory?) -> Errno? {
        if let file = existing.file {
            return apply(metadata, to: .open(file), known: KnownMetadata(of: existing.status))
        }
        guard let directory else { return nil }
        return apply(metadata, to: .entry(existing.name, in: directory), known: KnownMetadata(of: existing.status))
    }
}
