import Bytes
import HostSystem
import Outcome
import ResticFormat
import Sealing

/// First pass: create directories, find out which files have to be written and which of their parts are there already.
extension RestoreFlow {
    func plan(worker: BlobWorker) async throws -> RestorePlan {
        var plan = RestorePlan()
        let cursor = try TargetCursor(target: target, isNew: targetIsNew, replacesFiles: request.overwrite != .never)
        var walker = TreeWalker(repository, worker: worker)
        var directories = [DirectoryTable.root]
        try await walker.enter(request.tree)
        while let event = try walker.next() {
            switch event {
            case .leave:
                directories.removeLast()
                cursor.ascend()
            case .problem(let error):
                failed(walker.path(), error)
            case .entry(let node):
                guard isAcceptable(node, at: walker.path()), node.type != .socket else { continue }
                let (selected, childMayBe) = selection.decide(
                    walker.path(node.name),
                    isDirectory: node.type == .directory
                )
                let current = directories[directories.count - 1]
                if node.type == .directory {
                    let number = plan.directories.add(node.name, in: current)
                    cursor.descend(node.name)
                    if selected { enterDirectory(cursor, path: { walker.path(node.name) }) }
                    if childMayBe, await enter(node, &walker) {
                        directories.append(number)
                    } else {
                        cursor.ascend()
                    }
                } else if selected {
                    do {
                        try planEntry(node, in: current, cursor, &plan, worker)
                    } catch let error as Errno {
                        failed(walker.path(node.name), error)
                    } catch let error as RepositoryFailure {
                        failed(walker.path(node.name), error)
                    }
                }
            }
        }
        return plan
    }

    /// Goes into a directory of the snapshot; reports and stays outside when its tree cannot be read.
    func enter(_ node: Node, _ walker: inout TreeWalker) async -> Bool {
        guard let subtree = node.subtree else {
            failed(walker.path(node.name), RestoreProblem.noSubtree)
            return false
        }
        do {
            try await walker.enter(subtree, name: node.name)
            return true
        } catch {
            failed(walker.path(node.name), error)
            return false
        }
    }

    private func enterDirectory(_ cursor: TargetCursor, path: () -> ByteString) {
        itemAnnounced()
        guard !request.isDryRun else { return }
        do throws(Errno) { _ = try cursor.directory(create: true) } catch { failed(path(), error) }
    }

    private func planEntry(
        _ node: Node,
        in directory: Int32,
        _ cursor: TargetCursor,
        _ plan: inout RestorePlan,
        _ worker: BlobWorker
    ) throws {
        let handle = try cursor.directory(create: !request.isDryRun)
        guard node.type == .file else { return itemAnnounced() }
        let place = RestorePlan.Place(directory: directory, name: node.name)
        if plan.hardLinks.place(node) != nil { return itemAnnounced() }
        plan.hardLinks.add(node, at: place)
        let offsets = try offsets(of: node)
        let present = cursor.isNew ? nil : try handle?.statusIfPresent(node.name)
        guard mayOverwrite(node, present) else {
            return skipped(plan.directories.shownPath(directory, node.name), bytes: node.size)
        }
        let existing = try compare(node, offsets, with: present, in: handle, worker)
        if let existing, present?.size == node.size, !existing.contains(false) {
            plan.restoredPlaces.insert(place)
            return skipped(plan.directories.shownPath(directory, node.name), bytes: node.size)
        }
        itemAnnounced(bytes: node.size)
        if request.isDryRun {
            bytesWritten(node.size)
            let action: RestoreAction = existing == nil ? .fileRestored : .fileUpdated
            return finished(action, plan.directories.shownPath(directory, node.name), size: node.size)
        }
        plan.files.append(FileToRestore(directory: directory, node: node, offsets: offsets, existing: existing))
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
        guard end == node.size else {
            throw RepositoryFailure(
                .damaged,
                operation: "restore",
                object: "file \"\(node.name.display)\"",
                what: "claims \(node.size) bytes, but its content has \(end)",
                next: "restore it from another snapshot"
            )
        }
        return offsets
    }

    /// Which blobs of the file stand in the target already; nil when the file is to be made new.
    private func compare(
        _ node: Node,
        _ offsets: [UInt64],
        with present: FileStatus?,
        in directory: Directory?,
        _ worker: BlobWorker
    ) throws -> [Bool]? {
        guard let present, let directory, present.kind == .regular, present.links == 1 else { return nil }
        let content = node.content ?? []
        if request.overwrite == .ifChanged, present.size == node.size, present.modified == node.mtime.moment {
            return [Bool](repeating: true, count: content.count)
        }
        guard let file = try? directory.openFile(node.name) else { return nil }
        var isPresent = [Bool](repeating: false, count: content.count)
        var buffer = Scratch()
        for (position, id) in content.enumerated() {
            let length = Int(offsets[position + 1] - offsets[position])
            guard offsets[position + 1] <= present.size else { break }
            buffer.reserve(length)
            let room = buffer.slice(length)
            guard let count = try? file.readFully(into: room, at: offsets[position]), count == length else { break }
            isPresent[position] = worker.digest(UnsafeRawBufferPointer(room)) == id.digest
        }
        return isPresent
    }
}

/// What can be wrong with an entry to be restored, beside a failing system call.
enum RestoreProblem: Error, CustomStringConvertible {
    case noSubtree
    case directoryInTheWay
    case missingContent(any Error)
    case missingDirectory

    var description: String {
        switch self {
        case .noSubtree: "is a directory without a tree in the snapshot; it was left out"
        case .directoryInTheWay: "a directory stands where it belongs; --delete lets it be replaced"
        case .missingContent(let error): (error as? any ReportableFailure)?.what ?? "\(error)"
        case .missingDirectory: "its directory is not there"
        }
    }
}

extension FileDescriptor {
    /// Fills the buffer from `offset`; fewer bytes only at the end of the file.
    func readFully(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = try read(into: rest, at: offset + UInt64(filled))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}
