import Bytes
import HostSystem
import Synchronization

/// The files of a restore while they are written: opened when first needed, a bounded number at a time.
///
/// 1. A new file has a temporary name and mode 0600 until it is complete (S-06); what a kill leaves is recognised by it.
/// 2. Directories are found from the target without leaving it, and a file that is opened again is the one that was made (H-05).
/// 3. One task makes the file, all others find it made.
final class TargetFiles: Sendable {
    /// A file that is being written.
    struct OpenFile {
        let descriptor: FileDescriptor
        /// What it was made with; nil when it was there before, or was opened again.
        let known: KnownMetadata?
    }

    private struct OpenDirectory {
        let directory: Directory
        /// It has attributes (a default access list, a property of its file system) that files made in it may get.
        let passesAttributesOn: Bool
    }

    private struct State {
        var directories: [Int32: OpenDirectory] = [:]
        var directoryOrder: [Int32] = []
        var files: [Int: OpenFile] = [:]
        var fileOrder: [Int] = []
    }

    private let target: Directory
    private let table: DirectoryTable
    private let names: TemporaryNames
    private let isSparse: Bool
    private let state = Mutex(State())

    init(target: Directory, table: DirectoryTable, names: TemporaryNames, isSparse: Bool) {
        self.target = target
        self.table = table
        self.names = names
        self.isSparse = isSparse
    }

    func temporaryName(_ file: FileToRestore) -> ByteString { names.name(for: file.name, in: file.directory) }

    func directory(_ number: Int32) throws(Errno) -> Directory { try openDirectory(number).directory }

    private func openDirectory(_ number: Int32) throws(Errno) -> OpenDirectory {
        if let open = state.withLock({ $0.directories[number] }) { return open }
        let isTarget = number == DirectoryTable.root
        let directory = isTarget ? target : try target.openDirectoryBeneath(table.relativePath(number))
        let opened = OpenDirectory(directory: directory, passesAttributesOn: Self.mayPassAttributesOn(directory))
        state.withLock { state in
            if state.directories.updateValue(opened, forKey: number) == nil { state.directoryOrder.append(number) }
            if state.directoryOrder.count > Limits.targetDirectoriesOpen {
                state.directories[state.directoryOrder.removeFirst()] = nil
            }
        }
        return opened
    }

    /// Labels of the security modules apart, which the system keeps by itself.
    private static func mayPassAttributesOn(_ directory: Directory) -> Bool {
        guard let names = try? directory.attributeNames(of: nil) else { return true }
        return names.contains { !$0.bytes.starts(with: "security.".utf8) }
    }

    /// The open file, created or opened for patching at its first use; nil once it was given up.
    ///
    /// Errors: `ESTALE` when what bears the name is not the file any more.
    func file(_ number: Int, _ file: FileToRestore) throws -> OpenFile? {
        if let open = state.withLock({ $0.files[number] }) { return open }
        let place = try openDirectory(file.directory)
        let directory = place.directory
        let temporary = temporaryName(file)
        let name = file.isInPlace ? file.name : temporary
        let opened = try file.opened(
            create: {
                let made = try create(temporary, size: file.size, in: directory)
                let status = try made.status()
                let known = KnownMetadata(made: status, inheritsAttributes: place.passesAttributesOn)
                return (OpenFile(descriptor: made, known: known), status.identity)
            },
            open: { identity in
                let found = try directory.openFileForUpdate(name)
                let status = try found.status()
                guard status.identity == identity, status.kind == .regular, status.links == 1 else {
                    throw Errno.stale
                }
                return OpenFile(descriptor: found, known: nil)
            }
        )
        guard let opened else { return nil }
        state.withLock { state in
            if state.files.updateValue(opened, forKey: number) == nil { state.fileOrder.append(number) }
            if state.fileOrder.count > Limits.targetFilesOpen { state.files[state.fileOrder.removeFirst()] = nil }
        }
        return opened
    }

    private func create(_ name: ByteString, size: UInt64, in directory: Directory) throws(Errno) -> FileDescriptor {
        let descriptor = try createAnew(name, in: directory)
        if isSparse { try descriptor.truncate(to: size) }
        return descriptor
    }

    private func createAnew(_ name: ByteString, in directory: Directory) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try directory.createFile(name)
        } catch {
            if error.kind != .exists { throw error }
        }
        // Left by a run that was killed, and of no use.
        try directory.remove(name)
        return try directory.createFile(name)
    }

    /// Lets go of a file that is finished or given up.
    func forget(_ number: Int) {
        state.withLock { state in
            state.files[number] = nil
            if let position = state.fileOrder.firstIndex(of: number) { state.fileOrder.remove(at: position) }
        }
    }
}
