import Bytes
import HostSystem
import ResticFormat
import Sealing
import Synchronization

/// The files of a restore while they are written: opened when first needed, a bounded number at a time.
///
/// 1. A new file has a temporary name until it is complete; what a kill leaves is recognised by it and replaced by the next run.
/// 2. Directories are found from the target without leaving it (H-05).
final class TargetFiles: Sendable {
    private struct State {
        var directories: [Int32: Directory] = [:]
        var directoryOrder: [Int32] = []
        var files: [Int: FileDescriptor] = [:]
        var fileOrder: [Int] = []
        var created: Set<Int> = []
    }

    private let target: Directory
    private let table: DirectoryTable
    private let isSparse: Bool
    private let state = Mutex(State())

    init(target: Directory, table: DirectoryTable, isSparse: Bool) {
        self.target = target
        self.table = table
        self.isSparse = isSparse
    }

    /// Name of a file before it is complete: hidden, and told by its end.
    static func temporaryName(_ name: ByteString) -> ByteString {
        let digest = sha256(name.bytes)
        return ByteString(".holdfast-" + digest.hex.prefix(24) + ".partial")
    }

    func directory(_ number: Int32) throws(Errno) -> Directory {
        if number == DirectoryTable.root { return target }
        if let open = state.withLock({ $0.directories[number] }) { return open }
        let opened = try target.openDirectoryBeneath(table.relativePath(number))
        state.withLock { state in
            if state.directories.updateValue(opened, forKey: number) == nil { state.directoryOrder.append(number) }
            if state.directoryOrder.count > Limits.targetDirectoriesOpen {
                state.directories[state.directoryOrder.removeFirst()] = nil
            }
        }
        return opened
    }

    /// The open file, created or opened for patching at its first use.
    func file(_ number: Int, _ file: FileToRestore) throws(Errno) -> FileDescriptor {
        if let open = state.withLock({ $0.files[number] }) { return open }
        let directory = try directory(file.directory)
        let isFirst = state.withLock { $0.created.insert(number).inserted }
        let descriptor: FileDescriptor
        if file.isUpdate {
            descriptor = try directory.openFileForUpdate(file.node.name)
        } else if isFirst {
            descriptor = try create(Self.temporaryName(file.node.name), size: file.size, in: directory)
        } else {
            descriptor = try directory.openFileForUpdate(Self.temporaryName(file.node.name))
        }
        state.withLock { state in
            if state.files.updateValue(descriptor, forKey: number) == nil { state.fileOrder.append(number) }
            if state.fileOrder.count > Limits.targetFilesOpen { state.files[state.fileOrder.removeFirst()] = nil }
        }
        return descriptor
    }

    private func create(_ name: ByteString, size: UInt64, in directory: Directory) throws(Errno) -> FileDescriptor {
        let descriptor: FileDescriptor
        do throws(Errno) {
            descriptor = try directory.createFile(name)
        } catch  where error.kind == .exists {
            // Left by a run that was killed.
            try directory.remove(name)
            descriptor = try directory.createFile(name)
        }
        if isSparse { try descriptor.truncate(to: size) }
        return descriptor
    }

    /// Lets go of a file that is finished or given up.
    func forget(_ number: Int) {
        state.withLock { state in
            state.files[number] = nil
            if let position = state.fileOrder.firstIndex(of: number) { state.fileOrder.remove(at: position) }
        }
    }
}
