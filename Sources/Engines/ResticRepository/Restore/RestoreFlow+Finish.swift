import Bytes
import HostSystem
import ResticFormat

/// Second pass: what is no regular file, further names of files, and the metadata of directories, the deepest first.
///
/// 1. The directories of both passes have the same numbers: one that the first could not enter is not entered, and one that this pass
///    cannot enter is reported, and its numbers are passed over.
/// 2. Nothing is removed from a directory whose entries are not all known.
extension RestoreFlow {
    private struct Level {
        var node: Node?
        var number: Int32
        var isSelected: Bool
        /// Bytes of the path up to and without this directory.
        var pathStart: Int
        var hasRestored = false
        /// All entries of the snapshot are in `names`.
        var isWhole = true
        var names: Set<ByteString> = []
    }

    /// The walk's state, handed down instead of captured.
    private struct Finish {
        let plan: RestorePlan
        let cursor: TargetCursor
        let temporary: TemporaryNames?
        var hardLinks: HardLinkTable
        var levels: [Level]
        /// Path of the current directory, `/dir/sub`; empty for the target.
        var path: [UInt8] = []
        var next: Int32 = 1

        func path(_ entry: ByteString) -> ByteString { ByteString(path + [UInt8(ascii: "/")] + entry.bytes) }
    }

    func finish(_ plan: RestorePlan, _ temporary: TemporaryNames?, worker: BlobWorker) async throws {
        let root = Level(node: nil, number: DirectoryTable.root, isSelected: true, pathStart: 0)
        var state = Finish(
            plan: plan,
            cursor: try makeCursor(),
            temporary: temporary,
            hardLinks: plan.hardLinks,
            levels: [root]
        )
        var walker = TreeWalker(repository, worker: worker)
        try await walker.enter(request.tree)
        while let event = try walker.next() {
            switch event {
            case .problem: state.levels[state.levels.count - 1].isWhole = false  // Reported by the first pass.
            case .leave: leave(&state)
            case .entry(let node):
                let top = state.levels.count - 1
                if request.delete { state.levels[top].names.insert(node.name) }
                guard Self.isAcceptable(node), node.type != .socket else { continue }
                let (selected, childMayBe) = selection.decide(
                    state.path(node.name),
                    isDirectory: node.type == .directory
                )
                if selected { state.levels[top].hasRestored = true }
                if node.type == .directory {
                    try await enter(node, isSelected: selected, childMayBe, &walker, &state)
                } else if selected {
                    finishEntry(node, &state)
                }
            }
        }
    }

    private func enter(
        _ node: Node,
        isSelected: Bool,
        _ childMayBe: Bool,
        _ walker: inout TreeWalker,
        _ state: inout Finish
    ) async throws {
        let number = state.next
        state.next += 1
        let isKnown = state.plan.directories.holds(number, node.name, in: state.levels[state.levels.count - 1].number)
        precondition(isKnown, "the second pass met a directory that the first did not")
        var level = Level(node: node, number: number, isSelected: isSelected, pathStart: state.path.count)
        level.hasRestored = isSelected
        level.isWhole = childMayBe && !state.plan.directories.isDamaged(number)
        state.cursor.descend(node.name, modified: node.mtime.moment)
        let shown = state.path(node.name)
        var isEntered = false
        if childMayBe, let subtree = node.subtree, state.plan.directories.isEntered(number) {
            do {
                try await walker.enter(subtree, name: node.name)
                isEntered = true
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                failed(shown, error)
            }
        }
        state.path = shown.bytes
        state.levels.append(level)
        if isEntered { return }
        state.levels[state.levels.count - 1].isWhole = false
        state.next = state.plan.directories.following(number)
        leave(&state)
    }

    private func leave(_ state: inout Finish) {
        let level = state.levels.removeLast()
        finishDirectory(level, state)
        guard let top = state.levels.indices.last else { return }
        state.levels[top].hasRestored = state.levels[top].hasRestored || level.hasRestored
        state.path.removeSubrange(level.pathStart...)
        state.cursor.ascend()
    }

    private func finishDirectory(_ level: Level, _ state: Finish) {
        guard level.hasRestored else { return }
        let path: ByteString = state.path.isEmpty ? "/" : ByteString(state.path)
        do {
            let directory = try state.cursor.directory(create: request.isDryRun)
            if mayDelete, level.isWhole, let directory { removeStrangers(level, directory, path) }
            guard let node = level.node else { return }
            if !request.isDryRun {
                guard let directory else { throw RestoreProblem.missingDirectory }
                let status = try directory.status()
                let problem = metadata.apply(
                    metadata.metadata(node),
                    to: .open(directory.descriptor),
                    known: KnownMetadata(of: status)
                )
                if let problem { failed(path, problem) }
            }
            finished(.directoryRestored, path)
        } catch {
            failed(path, error)
        }
    }

    private func removeStrangers(_ level: Level, _ directory: Directory, _ path: ByteString) {
        let removal = TreeRemoval(guarded: guarded, isDryRun: request.isDryRun)
        do {
            for entry in try directory.entries() where !level.names.contains(entry.name) {
                let shown = SourcePath.join(path, entry.name)
                guard selection.decide(shown, isDirectory: false).selected else { continue }
                // Put there by this restore, since the name that it should have was taken.
                if TemporaryNames.isAlternative(entry.name) { continue }
                do {
                    try removal.remove(entry.name, in: directory) { parts in
                        deleted(parts.reduce(path) { SourcePath.join($0, $1) })
                    }
                } catch {
                    failed(shown, error)
                }
            }
        } catch {
            failed(path, error)
        }
    }

    // MARK: entries

    private func finishEntry(_ node: Node, _ state: inout Finish) {
        let path = state.path(node.name)
        do {
            let place = RestorePlan.Place(directory: state.levels[state.levels.count - 1].number, name: node.name)
            if let first = state.hardLinks.first(node) {
                if first.place == place { return state.hardLinks.pass(node) }
                // A name before the first was left alone, for the overwrite mode said so.
                if first.isPassed { try finishLink(node, to: first, path, state) }
                return
            }
            guard node.type != .file else { return }
            guard let identity = try finishSpecial(node, path, state) else { return }
            state.hardLinks.add(node, at: place, .present(identity))
            state.hardLinks.pass(node)
        } catch {
            failed(path, error)
        }
    }

    /// Makes a link or device; returns which one it made.
    private func finishSpecial(_ node: Node, _ path: ByteString, _ state: Finish) throws -> FileIdentity? {
        let directory = try state.cursor.directory(create: request.isDryRun)
        let present = try directory?.statusIfPresent(node.name)
        guard mayOverwrite(node, present) else {
            skipped(path, bytes: node.size)
            return nil
        }
        guard let kind = Self.kind(node.type) else { throw RestoreProblem.unsupportedType }
        if present?.kind == .directory { try refuseFilledDirectory(node.name, in: directory) }
        if let present, !isSame(node, as: present, in: directory) { observer.replaces(path: path) }
        guard let temporary = state.temporary else {
            finished(.otherRestored, path)
            return nil
        }
        guard let directory else { throw RestoreProblem.missingDirectory }
        let number = state.levels[state.levels.count - 1].number
        let name = temporary.name(for: node.name, in: number)
        var made: FileIdentity?
        let problem = try replace(name, as: node.name, present, in: directory) {
            if kind == 0 {
                try directory.createSymbolicLink(name, target: node.linkTarget)
            } else {
                try directory.createNode(name, mode: kind | 0o600, device: kind == Self.fifo ? 0 : node.device)
            }
            made = try directory.status(name).identity
            return metadata.apply(metadata.metadata(node), to: .entry(name, in: directory))
        }
        finished(.otherRestored, path)
        if let problem { failed(path, problem) }
        return made
    }

    /// Whether a link, pipe or device stands there as the snapshot has it.
    private func isSame(_ node: Node, as present: FileStatus, in directory: Directory?) -> Bool {
        switch node.type {
        case .symlink:
            present.kind == .symbolicLink && (try? directory?.readLink(node.name)) == node.linkTarget
        case .fifo, .device, .characterDevice:
            present.mode & Self.typeBits == Self.kind(node.type) && (node.type == .fifo || present.rdev == node.device)
        case .file, .directory, .socket, .irregular, .other: false
        }
    }

    private static let typeBits: UInt32 = 0o170000
    private static let fifo: UInt32 = 0o010000

    /// Type bits of `st_mode`, 0 for a symbolic link; nil for what cannot be made.
    private static func kind(_ type: NodeType) -> UInt32? {
        switch type {
        case .symlink: 0
        case .fifo: fifo
        case .device: 0o060000
        case .characterDevice: 0o020000
        case .file, .directory, .socket, .irregular, .other: nil
        }
    }

    private func finishLink(_ node: Node, to first: HardLinkTable.First, _ path: ByteString, _ state: Finish) throws {
        let directory = try state.cursor.directory(create: request.isDryRun)
        let present = try directory?.statusIfPresent(node.name)
        guard mayOverwrite(node, present) else { return skipped(path, bytes: 0) }
        if present?.kind == .directory { try refuseFilledDirectory(node.name, in: directory) }
        let known = identity(of: first, state.plan)
        if let present, present.identity != known { observer.replaces(path: path) }
        guard let temporary = state.temporary else { return finished(.otherRestored, path) }
        guard let directory, let target else { throw RestoreProblem.missingDirectory }
        let home =
            first.place.directory == DirectoryTable.root
            ? target : try target.openDirectoryBeneath(state.plan.directories.relativePath(first.place.directory))
        // Only the file that this restore wrote or compared is linked to, never what took its name (H-04).
        guard let identity = known else { throw RestoreProblem.missingDirectory }
        if present?.identity != identity {
            let number = state.levels[state.levels.count - 1].number
            let name = temporary.name(for: node.name, in: number)
            _ = try replace(name, as: node.name, present, in: directory) {
                try directory.createHardLink(name, to: first.place.name, in: home)
                guard try directory.status(name).identity == identity else { throw Errno.stale }
                return nil
            }
        }
        finished(.otherRestored, path)
    }

    private func identity(of first: HardLinkTable.First, _ plan: RestorePlan) -> FileIdentity? {
        switch first.state {
        case .file(let number): plan.files[Int(number)].isFailed ? nil : plan.files[Int(number)].identity
        case .present(let identity): identity
        case .planned: nil
        }
    }

    /// Makes an entry under a temporary name and gives it its own: what stood there stays until there is something better.
    private func replace(
        _ temporary: ByteString,
        as name: ByteString,
        _ present: FileStatus?,
        in directory: Directory,
        make: () throws -> Errno?
    ) throws -> Errno? {
        // What a run that was killed left there.
        try? directory.remove(temporary)
        do {
            let problem = try make()
            try commit(temporary, as: name, in: directory, isExpectedFree: present == nil)
            return problem
        } catch {
            try? directory.remove(temporary)
            throw error
        }
    }
}
