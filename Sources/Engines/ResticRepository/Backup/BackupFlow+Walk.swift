import Bytes
import HostSystem
import Outcome
import ResticFormat

/// The walk over the source: one task, one stack, no recursion, each entry's status taken once.
///
/// Cost for an unchanged file: one `fstatat`; for a directory: open, status, two `getdents64`, attributes when it changed.
/// Bound: at most `openDirectories` descriptors for the walk, however deep the tree.
extension BackupFlow {
    static var openDirectories: Int { 24 }

    /// `parentTrees` gives the parent snapshot's trees, as far as the source has the same directories.
    func walk(parentTrees: TreeStream?) async throws {
        defer { parentTrees?.end() }
        try await SourceWalk(flow: self, parentTrees: parentTrees).run()
    }
}

private final class SourceWalk {
    private let flow: BackupFlow
    private let selection: SourceSelection
    private let worker: BlobWorker
    private var stack: [WalkFrame] = []
    /// Nil once the source and the parent snapshot went different ways.
    private var parentTrees: TreeStream?

    init(flow: BackupFlow, parentTrees: TreeStream?) {
        self.flow = flow
        self.parentTrees = parentTrees
        selection = SourceSelection(flow.request.filter, cacheDirectory: flow.repository.options.cacheDirectory)
        worker = flow.repository.makeWorker()
    }

    private var request: BackupRequest { flow.request }

    func run() async throws {
        let root = OpenTree(parent: nil, slot: 0, name: "", node: nil, previous: nil, startedNanoseconds: flow.now)
        let parentTree = await load(request.parent?.document.tree, in: nil, at: "/")
        if let stream = request.stream { return try await place(stream, in: root) }
        let plan: SourcePlan
        do {
            plan = try SourcePlan.make(
                request.targets,
                from: request.workingDirectory,
                hooks: request.systemHooks
            )
        } catch {
            throw RepositoryFailure(
                .source,
                operation: "backup",
                object: request.targets.map(\.display).joined(separator: " "),
                what: "cannot be listed: \(error)",
                state: "no snapshot was written",
                next: "check the path and its permissions",
                cause: error
            )
        }
        push(plan, tree: root, parentTree: parentTree, sourcePath: request.workingDirectory)
        while let frame = stack.last {
            try Task.checkCancellation()
            guard let position = frame.nextPosition() else {
                try await leave(frame)
                continue
            }
            switch frame.contents {
            case .plan(let children): try await visit(children[position], in: frame)
            case .directory(let directory): try await visit(position, of: directory, in: frame)
            }
        }
    }

    private func push(_ plan: SourcePlan, tree: OpenTree, parentTree: ParentTree?, sourcePath: ByteString) {
        let children = plan.sortedNames.compactMap { name in plan.children[name].map { (name, $0) } }
        stack.append(WalkFrame(tree: tree, parentTree: parentTree, sourcePath: sourcePath, contents: .plan(children)))
    }

    private func leave(_ frame: WalkFrame) async throws {
        stack.removeLast()
        if case .directory(let listed) = frame.contents,
            let above = stack.last, case .directory(let parent) = above.contents, let handle = listed.handle
        {
            do throws(Errno) { try parent.reopen(from: handle) } catch {
                flow.failed(above.absolutePath(), error)
            }
        }
        if frame.tree.endOfListing() { try await flow.jobs.send(.tree(frame.tree)) }
    }

    /// The path is built when there is something to say: it is as long as the tree is deep.
    private func load(_ id: BlobID?, in frame: WalkFrame?, at path: @autoclosure () -> ByteString) async -> ParentTree?
    {
        guard let id else { return nil }
        if let parentTrees {
            let (document, isOver) = await parentTrees.next(id)
            if isOver { self.parentTrees = nil }
            if let document { return ParentTree(document: document, isLookingAhead: false) }
        }
        do {
            var ahead = frame?.parentTree?.ahead ?? .none
            frame?.parentTree?.ahead = .none
            defer { frame?.parentTree?.ahead = ahead }
            let document = try await ahead.load(id, from: flow.repository, worker: worker)
            return ParentTree(document: document, isLookingAhead: stack.count < Limits.treesAheadLevels)
        } catch is CancellationError {
            return nil
        } catch {
            flow.failed(path(), SourceProblem.tree(error))
            return nil
        }
    }

    // MARK: the plan

    private func visit(_ child: (name: ByteString, plan: SourcePlan), in frame: WalkFrame) async throws {
        let entry = frame.parentTree?.find(child.name)
        let previous = entry?.node
        if let target = child.plan.target {
            return try await visitTarget(target, child.plan, name: child.name, previous: entry, in: frame)
        }
        let source = child.plan.metadataPath ?? "/"
        let path = SourcePath.absolute(source, from: request.workingDirectory)
        do {
            // Ancestors are entered through links, as the user named them; their attributes may be unreadable, which is no error.
            let directory = try Directory.open(path, hooks: request.systemHooks)
            var node = flow.nodes.node(child.name, try directory.status())
            node.extendedAttributes = NodeMaker.attributes(
                names: { () throws(Errno) in try directory.attributeNames(of: nil) },
                value: { (name) throws(Errno) in try directory.attribute(name, of: nil) },
                failed: { _ in }
            )
            let parentTree = await load(previous?.subtree, in: frame, at: path)
            let tree = open(child.name, node, previous: previous, parentTree, in: frame)
            push(child.plan, tree: tree, parentTree: parentTree, sourcePath: path)
        } catch {
            flow.failed(path, error)
        }
    }

    private func visitTarget(
        _ target: ByteString,
        _ plan: SourcePlan,
        name: ByteString,
        previous: ParentTree.Entry?,
        in frame: WalkFrame
    ) async throws {
        let path = SourcePath.absolute(target, from: request.workingDirectory)
        let started = flow.now
        let (parentPath, sourceName) = SourcePath.split(path)
        if !plan.isExplicit, selection.excludes(path) { return flow.observer.excluded(path: path) }
        do {
            let directory = try plan.parent ?? Directory.open(parentPath, hooks: request.systemHooks)
            let status = try statusOfTarget(path, sourceName, in: directory, device: plan.device)
            let entry = SourceEntry(
                directory: directory,
                sourceName: sourceName,
                name: name,
                status: status,
                homeDevice: plan.isExplicit ? status.device : try directory.status().device,
                started: started
            )
            if !plan.isExplicit, selection.excludes(entry, path: { path }, markers: nil) {
                return flow.observer.excluded(path: path)
            }
            try await visit(entry, previous: previous, in: frame, sourcePath: path)
        } catch let error as Errno {
            // One entry of `.` among many may go, as any other; a path that was named must be there.
            let parent = plan.parent ?? (try? Directory.open(parentPath))
            if !plan.isExplicit, error.isAbsence, parent?.isGone(sourceName) == true { return }
            flow.failed(path, error)
        }
    }

    /// The status of a target; refuses a directory that is on another file system than when the backup began.
    private func statusOfTarget(
        _ path: ByteString,
        _ name: ByteString,
        in directory: Directory,
        device: UInt64?
    ) throws -> FileStatus {
        let status = try directory.status(name)
        guard status.kind == .directory, let device, status.device != device else { return status }
        // What is mounted on demand comes back when it is opened.
        guard try Directory.open(path).status().device == device else { throw gone(path) }
        return try directory.status(name)
    }

    /// What is there now is not what was asked for: mostly the empty directory below a mount point (G-17).
    private func gone(_ path: ByteString) -> RepositoryFailure {
        RepositoryFailure(
            .source,
            retry: .afterRepair,
            operation: "backup",
            object: path.display,
            what:
                "is on another file system than when the backup began: it was unmounted, or something was mounted over it",
            state: "no snapshot was written",
            next: "mount it again and repeat the backup; what was stored already is reused"
        )
    }

    // MARK: real directories

    private func visit(_ position: Int, of listed: ListedDirectory, in frame: WalkFrame) async throws {
        let started = flow.now
        let name = listed.listing.name(at: position)
        let previous = frame.parentTree?.find(name)
        if selection.hasPatterns {
            let path = frame.absolutePath(of: name)
            if selection.excludes(path) { return flow.observer.excluded(path: path) }
        }
        guard let directory = listed.handle else {
            return flow.failed(frame.absolutePath(of: name), SourceProblem.changedType)
        }
        do {
            let status = try directory.status(of: position, in: listed.listing)
            let entry = SourceEntry(
                directory: directory,
                sourceName: name,
                name: name,
                status: status,
                homeDevice: listed.homeDevice,
                started: started
            )
            if selection.excludes(entry, path: { frame.absolutePath(of: name) }, markers: listed) {
                return flow.observer.excluded(path: frame.absolutePath(of: name))
            }
            try await visit(entry, previous: previous, in: frame, sourcePath: nil)
        } catch let error as Errno {
            // Gone since it was listed: nothing to save, and nothing wrong (G-04).
            if error.isAbsence, directory.isGone(name) { return }
            flow.failed(frame.absolutePath(of: name), error)
        }
    }

    private func visit(
        _ entry: SourceEntry,
        previous: ParentTree.Entry?,
        in frame: WalkFrame,
        sourcePath: ByteString?
    ) async throws {
        switch entry.status.kind {
        case .regular: try await visitFile(entry, previous: previous, in: frame)
        case .directory: try await enter(entry, previous: previous?.node, in: frame, sourcePath: sourcePath)
        case .socket: return
        case .symbolicLink, .characterDevice, .blockDevice, .fifo:
            try visitOther(entry, previous: previous?.node, in: frame)
        case .unknown: flow.failed(frame.absolutePath(of: entry.name), SourceProblem.unknownType)
        }
    }

    private func visitFile(
        _ entry: SourceEntry,
        previous parentEntry: ParentTree.Entry?,
        in frame: WalkFrame
    ) async throws {
        let previous = parentEntry?.node
        if let previous, isUnchanged(entry.status, previous), let content = previous.content {
            if flow.repository.index.containsAll(content) {
                var node = flow.nodes.node(entry.name, entry.status)
                node.content = content
                node.extendedAttributes = attributes(entry, previous: previous, in: frame)
                flow.unchanged(node, started: entry.started) { frame.tree.path(of: entry.name) }
                // The same in everything: its bytes are what encoding it would give.
                let json = parentEntry.flatMap { node == previous ? $0.json : nil }
                let encoded = json.map { EncodedNode(name: node.name, as: $0) } ?? EncodedNode(node)
                _ = frame.tree.fill(frame.tree.reserveSlot(), encoded)
                return
            }
            flow.failed(frame.absolutePath(of: entry.name), SourceProblem.contentMissing)
        }
        let place = FilePlace(
            tree: frame.tree,
            slot: frame.tree.reserveSlot(),
            name: entry.name,
            previous: previous,
            startedNanoseconds: entry.started
        )
        let job = FileJob(
            directory: entry.directory,
            sourceName: entry.sourceName,
            status: entry.status,
            place: place
        )
        try await flow.jobs.send(.file(job))
    }

    /// Spec 7.2: size, mtime, ctime and inode equal; the device never takes part.
    private func isUnchanged(_ status: FileStatus, _ previous: Node) -> Bool {
        guard previous.type == .file, previous.size == status.size, previous.mtime.moment == status.modified else {
            return false
        }
        if !request.ignoreCtime, !request.ignoreInode, previous.ctime.moment != status.changed { return false }
        return request.ignoreInode || previous.inode == status.inode
    }

    /// Attributes of an entry; those of the parent snapshot when its ctime, which every change of them moves, is the same.
    private func attributes(_ entry: SourceEntry, previous: Node?, in frame: WalkFrame) -> [ExtendedAttribute] {
        if let previous, previous.ctime.moment == entry.status.changed, previous.inode == entry.status.inode,
            previous.type == NodeMaker.type(entry.status.kind), !request.ignoreCtime
        {
            return previous.extendedAttributes
        }
        return NodeMaker.attributes(
            names: { () throws(Errno) in try entry.directory.attributeNames(of: entry.sourceName) },
            value: { (name) throws(Errno) in try entry.directory.attribute(name, of: entry.sourceName) },
            failed: { flow.failed(frame.absolutePath(of: entry.name), SourceProblem.attributes($0)) }
        )
    }

    private func visitOther(_ entry: SourceEntry, previous: Node?, in frame: WalkFrame) throws {
        var node = flow.nodes.node(entry.name, entry.status)
        if node.type == .symlink { node.linkTarget = try entry.directory.readLink(entry.sourceName) }
        node.extendedAttributes = attributes(entry, previous: previous, in: frame)
        _ = frame.tree.fill(frame.tree.reserveSlot(), node)
    }

    private func enter(
        _ entry: SourceEntry,
        previous: Node?,
        in frame: WalkFrame,
        sourcePath: ByteString?
    ) async throws {
        let directory = try entry.directory.openDirectory(entry.sourceName)
        let status = try directory.status()
        var node = flow.nodes.node(entry.name, status)
        node.extendedAttributes = attributes(entry, previous: previous, in: frame)
        let listing = try directory.listing(sorted: true)
        let parentTree = await load(previous?.subtree, in: frame, at: frame.absolutePath(of: entry.name))
        let tree = open(entry.name, node, previous: previous, parentTree, in: frame, started: entry.started)
        let listed = ListedDirectory(handle: directory, listing: listing, status: status, homeDevice: entry.homeDevice)
        if let sourcePath {
            stack.append(
                WalkFrame(tree: tree, parentTree: parentTree, sourcePath: sourcePath, contents: .directory(listed))
            )
        } else {
            let below = WalkFrame(
                tree: tree,
                parentTree: parentTree,
                name: entry.sourceName,
                above: frame,
                contents: .directory(listed)
            )
            stack.append(below)
        }
        releaseDistantDirectory()
    }

    /// Keeps the number of open directories bounded: the one far above is opened again on the way back.
    private func releaseDistantDirectory() {
        let distant = stack.count - 1 - BackupFlow.openDirectories
        guard distant >= 0, case .directory(let listed) = stack[distant].contents,
            distant + 1 < stack.count, case .directory = stack[distant + 1].contents
        else { return }
        listed.release()
    }

    private func open(
        _ name: ByteString,
        _ node: Node,
        previous: Node?,
        _ parentTree: ParentTree?,
        in frame: WalkFrame,
        started: UInt64? = nil
    ) -> OpenTree {
        OpenTree(
            parent: frame.tree,
            slot: frame.tree.reserveSlot(),
            name: name,
            node: node,
            previous: previous,
            previousDocument: parentTree?.document,
            startedNanoseconds: started ?? flow.now
        )
    }

    // MARK: streams

    /// Directories leading to the stream's file exist in the snapshot only.
    private func place(_ stream: StreamSource, in root: OpenTree) async throws {
        var tree = root
        var open = [root]
        let components = SourcePath.components(stream.path)
        for name in components.dropLast() {
            var node = Node(name: name, type: .directory)
            node.mode = GoMode.directory | 0o755
            node.mtime = request.time
            node.atime = request.time
            node.ctime = request.time
            node.uid = flow.repository.environment.userID
            node.gid = flow.repository.environment.groupID
            tree = OpenTree(
                parent: tree,
                slot: tree.reserveSlot(),
                name: name,
                node: node,
                previous: nil,
                startedNanoseconds: flow.now
            )
            open.append(tree)
        }
        guard let name = components.last else { return }
        let place = FilePlace(
            tree: tree,
            slot: tree.reserveSlot(),
            name: name,
            previous: nil,
            startedNanoseconds: flow.now
        )
        try await flow.jobs.send(.stream(stream, place))
        for tree in open.reversed() where tree.endOfListing() { try await flow.jobs.send(.tree(tree)) }
    }
}

/// One entry of the source, looked at once.
struct SourceEntry {
    var directory: Directory
    var sourceName: ByteString
    /// Name in the snapshot.
    var name: ByteString
    var status: FileStatus
    var homeDevice: UInt64
    var started: UInt64
}
