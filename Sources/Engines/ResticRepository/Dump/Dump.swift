package import Bytes
import HostSystem
package import ResticFormat

/// The archives that a directory can be dumped as.
package enum ArchiveFormat: String, Sendable {
    case tar, zip
}

/// One member of an archive: its path without a slash in front, and the node it comes from.
struct ArchiveMember {
    var path: ByteString
    var node: Node
}

/// An archive being written: `begin`, contents, `end` for each member, and `finish` at the end of all.
protocol ArchiveWriter: AnyObject {
    func begin(_ member: ArchiveMember) throws
    func write(_ bytes: UnsafeRawBufferPointer) throws
    func end() throws
    func finish() throws
}

/// Why a path of a snapshot cannot be dumped.
package enum DumpProblem: Error, Hashable {
    /// The first part of the path that is not there.
    case notFound(ByteString)
    case notADirectory(ByteString, NodeType)
    case notAFile(ByteString, NodeType)
    /// What an archive cannot hold.
    case unwritable(String)
    /// A member of an archive and why it failed.
    case member(ByteString, String)
}

/// What a path of a snapshot turned out to be.
package enum DumpItem: Sendable {
    case file(Node)
    /// A directory's tree, and its path inside the dumped tree, `/` for the whole.
    case directory(BlobID, ByteString)
}

extension Repository {
    /// Finds what lies at `path` below `tree`; the path counts from there, with or without a slash in front.
    ///
    /// Errors: `DumpProblem`, those of `loadTree`. Memory: one tree at a time.
    package func dumpItem(_ path: ByteString, in tree: BlobID, worker: BlobWorker) async throws -> DumpItem {
        let clean = SourcePath.clean(path)
        if clean == "/" { return .directory(tree, "/") }
        let parts = clean.bytes.split(separator: UInt8(ascii: "/")).map { ByteString(Array($0)) }
        var tree = tree
        var item: ByteString = "/"
        for (number, part) in parts.enumerated() {
            try Task.checkCancellation()
            item = SourcePath.join(item, part)
            guard let node = try await node(named: part, in: tree, worker: worker) else {
                throw DumpProblem.notFound(item)
            }
            let isLast = number == parts.count - 1
            if isLast, node.type == .file { return .file(node) }
            guard node.type == .directory, let subtree = node.subtree else {
                throw isLast ? DumpProblem.notAFile(item, node.type) : DumpProblem.notADirectory(item, node.type)
            }
            if isLast { return .directory(subtree, item) }
            tree = subtree
        }
        throw DumpProblem.notFound("/")
    }

    private func node(named name: ByteString, in tree: BlobID, worker: BlobWorker) async throws -> Node? {
        var reader = TreeReader(try await loadTree(tree, worker: worker))
        while let node = try reader.next() {
            if node.name == name { return node }
        }
        return nil
    }

    /// Writes a file's contents, or a directory as an archive.
    ///
    /// Errors: those of reading; `DumpProblem`; what the output throws. After an error the output is incomplete.
    /// Memory: one file's read-ahead (`Limits.readAheadBytes`), the trees on the way to the current one; a zip archive's directory.
    package func dump(
        _ item: DumpItem,
        as format: ArchiveFormat,
        to output: DumpOutput,
        worker: BlobWorker
    ) async throws {
        switch item {
        case .file(let node):
            try await streamBlobs(node.content ?? [], worker: worker) { try output.write($0) }
            try output.flush()
        case .directory(let tree, let path):
            let archive: any ArchiveWriter = format == .tar ? TarArchive(output) : ZipArchive(output)
            try await dumpTree(tree, at: path, to: archive, worker: worker)
            try archive.finish()
        }
    }

    private func dumpTree(
        _ tree: BlobID,
        at root: ByteString,
        to archive: any ArchiveWriter,
        worker: BlobWorker
    ) async throws {
        var walker = TreeWalker(self, worker: worker)
        try await walker.enter(tree)
        // Paths of the directories entered, each with a slash behind it, the first without one in front.
        var directories = [root == "/" ? [] : Array(root.bytes.dropFirst()) + [UInt8(ascii: "/")]]
        while let event = try walker.next() {
            switch event {
            case .problem(let error): throw error
            case .leave: directories.removeLast()
            case .entry(let node):
                guard node.name.isSingleComponent else { throw WalkProblem.hostileName(node.name) }
                let path = ByteString((directories.last ?? []) + node.name.bytes)
                // Devices and pipes appear only where they lie directly in the dumped directory, as in restic.
                guard walker.depth == 1 || [.file, .directory, .symlink].contains(node.type) else { continue }
                try await write(ArchiveMember(path: path, node: node), to: archive, worker: worker)
                guard node.type == .directory else { continue }
                guard let subtree = node.subtree else {
                    throw DumpProblem.member(path, "directory has no subtree")
                }
                try await walker.enter(subtree, name: node.name)
                directories.append(path.bytes + [UInt8(ascii: "/")])
            }
        }
    }

    private func write(_ member: ArchiveMember, to archive: any ArchiveWriter, worker: BlobWorker) async throws {
        do { try archive.begin(member) } catch DumpProblem.unwritable(let why) {
            throw DumpProblem.member(member.path, "writing header for \"/\(member.path.display)\": \(why)")
        }
        do {
            try await streamBlobs(member.node.content ?? [], worker: worker) { try archive.write($0) }
            try archive.end()
        } catch DumpProblem.unwritable(let why) {
            throw DumpProblem.member(member.path, "\"/\(member.path.display)\": \(why)")
        }
    }
}
