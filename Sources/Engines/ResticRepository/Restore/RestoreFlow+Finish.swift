import Bytes
import HostSystem
import ResticFormat

/// Second pass: what is no regular file, further names of files, and the metadata of directories, the deepest first.
extension RestoreFlow {
    private struct Level {
        var node: Node?
        var number: Int32
        var isSelected: Bool
        var hasRestored = false
        var names: Set<ByteString> = []
    }

    func finish(_ plan: RestorePlan, worker: BlobWorker) async throws {
        let cursor = try TargetCursor(target: target, isNew: targetIsNew, replacesFiles: request.overwrite != .never)
        var walker = TreeWalker(repository, worker: worker)
        var levels = [Level(node: nil, number: DirectoryTable.root, isSelected: true)]
        var nextDirectory: Int32 = 0
        try await walker.enter(request.tree)
        while let event = try walker.next() {
            switch event {
            case .problem: continue  // Reported by the first pass.
            case .leave:
                let level = levels.removeLast()
                leave(level, cursor, plan)
                if let top = levels.indices.last {
                    levels[top].hasRestored = levels[top].hasRestored || level.hasRestored
                    cursor.ascend()
                }
            case .entry(let node):
                let top = levels.count - 1
                if request.delete { levels[top].names.insert(node.name) }
                guard node.name.isSingleComponent, node.name.bytes.count <= 255, node.type != .socket else { continue }
                let (selected, childMayBe) = selection.decide(
                    walker.path(node.name),
                    isDirectory: node.type == .directory
                )
                if selected { levels[top].hasRestored = true }
                guard node.type == .directory else {
                    if selected { finishEntry(node, in: levels[top].number, cursor, plan) }
                    continue
                }
                nextDirectory += 1
                let level = Level(node: node, number: nextDirectory, isSelected: selected, hasRestored: selected)
                cursor.descend(node.name)
                if childMayBe, let subtree = node.subtree, (try? await walker.enter(subtree, name: node.name)) != nil {
                    levels.append(level)
                } else {
                    leave(level, cursor, plan)
                    cursor.ascend()
                }
            }
        }
    }

    private func leave(_ level: Level, _ cursor: TargetCursor, _ plan: RestorePlan) {
        let path = plan.directories.shownPath(level.number)
        if mayDelete, level.hasRestored { removeStrangers(level, cursor, path) }
        guard let node = level.node, level.hasRestored else { return }
        if !request.isDryRun {
            do throws(Errno) {
                guard let directory = try cursor.directory(create: level.isSelected) else { return }
                if let problem = metadata.apply(node, to: directory.descriptor) { failed(path, problem) }
            } catch {
                return failed(path, error)
            }
        }
        finished(.directoryRestored, path)
    }

    private func removeStrangers(_ level: Level, _ cursor: TargetCursor, _ path: ByteString) {
        do throws(Errno) {
            guard let directory = try cursor.directory(create: false) else { return }
            for entry in try directory.entries() where !level.names.contains(entry.name) {
                let shown = SourcePath.join(path, entry.name)
                guard selection.decide(shown, isDirectory: false).selected else { continue }
                try TreeRemoval.remove(entry.name, in: directory, isDryRun: request.isDryRun) { parts in
                    deleted(parts.reduce(path) { SourcePath.join($0, $1) })
                }
            }
        } catch {
            failed(path, error)
        }
    }

    private func finishEntry(_ node: Node, in number: Int32, _ cursor: TargetCursor, _ plan: RestorePlan) {
        let path = plan.directories.shownPath(number, node.name)
        do {
            let directory = try cursor.directory(create: false)
            if node.type != .file { return try finishSpecial(node, in: directory, path) }
            let place = RestorePlan.Place(directory: number, name: node.name)
            if let first = plan.hardLinks.place(node), first != place {
                return try finishLink(node, to: first, in: directory, path, plan)
            }
            if plan.restoredPlaces.contains(place), let directory, !request.isDryRun {
                if let problem = metadata.apply(node, to: node.name, in: directory) { failed(path, problem) }
            }
        } catch {
            failed(path, error)
        }
    }

    private func finishSpecial(_ node: Node, in directory: Directory?, _ path: ByteString) throws {
        let present = try directory?.statusIfPresent(node.name)
        guard mayOverwrite(node, present) else { return skipped(path, bytes: node.size) }
        if !request.isDryRun {
            guard let directory else { throw RestoreProblem.missingDirectory }
            try remove(node.name, present, in: directory)
            try create(node, in: directory)
            finished(.otherRestored, path)
            if let problem = metadata.apply(node, to: node.name, in: directory) { failed(path, problem) }
        } else {
            finished(.otherRestored, path)
        }
    }

    private func create(_ node: Node, in directory: Directory) throws(Errno) {
        let permissions = GoMode.unixPermissions(node.mode)
        switch node.type {
        case .symlink: try directory.createSymbolicLink(node.name, target: node.linkTarget)
        case .fifo: try directory.createNode(node.name, mode: 0o010000 | permissions, device: 0)
        case .device: try directory.createNode(node.name, mode: 0o060000 | permissions, device: node.device)
        case .characterDevice: try directory.createNode(node.name, mode: 0o020000 | permissions, device: node.device)
        case .file, .directory, .socket, .irregular, .other: break
        }
    }

    private func finishLink(
        _ node: Node,
        to first: RestorePlan.Place,
        in directory: Directory?,
        _ path: ByteString,
        _ plan: RestorePlan
    ) throws {
        let present = try directory?.statusIfPresent(node.name)
        guard mayOverwrite(node, present) else { return skipped(path, bytes: 0) }
        if !request.isDryRun, let target {
            guard let directory else { throw RestoreProblem.missingDirectory }
            let home =
                first.directory == DirectoryTable.root
                ? target : try target.openDirectoryBeneath(plan.directories.relativePath(first.directory))
            // Only a regular file that this restore wrote is linked to, never what a link or a device hides (H-04).
            guard try home.status(first.name).kind == .regular else { throw RestoreProblem.missingDirectory }
            try remove(node.name, present, in: directory)
            try directory.createHardLink(node.name, to: first.name, in: home)
        }
        finished(.otherRestored, path)
    }

    private func remove(_ name: ByteString, _ present: FileStatus?, in directory: Directory) throws {
        guard let present else { return }
        guard present.kind == .directory else { return try directory.remove(name) }
        guard request.delete else {
            // An empty one gives way, as in restic; anything else stays.
            do throws(Errno) { return try directory.removeDirectory(name) } catch {
                throw RestoreProblem.directoryInTheWay
            }
        }
        try TreeRemoval.remove(name, in: directory) { _ in }
    }
}
