import Bytes
import Glibc
import HostSystem
import Outcome
import Synchronization

extension LocalStorage {
    /// Stores an object durably (L1): temporary file in its directory, sync, close, rename that replaces nothing,
    /// sync of the directory.
    func write(_ name: ObjectName, _ bytes: Block) throws {
        let root = try openRoot("write")
        if name.kind == .config, root.opened.config != nil { throw configExists(nil) }
        let directory = try openDirectoryForWriting(name, root)
        do throws(Errno) {
            if name.kind != .config, try directory.exists(ByteString(name.fileName)) {
                throw Errno(EEXIST, in: "fstatat")
            }
            try bytes.withBytes { bytes throws(Errno) in
                try writeDurably(
                    bytes,
                    to: ByteString(name.fileName),
                    in: directory,
                    permissions: root.opened.filePermissions,
                    ifExists: .fail,
                    temporaryPrefix: ByteString("\(name.fileName)-tmp-"),
                    entropy: entropy
                )
            }
            if name.kind == .config { try rememberAgain(root.directory) }
        } catch  where error.code == EEXIST {
            if name.kind == .config { throw configExists(error) }
            try confirmSame(name, bytes, in: directory)
        } catch {
            throw writeFailure(error, name, bytes.count)
        }
    }

    /// Renames a new config over the old one (L1): a break leaves one of them, whole.
    func replaceConfigFile(_ bytes: Block) throws {
        let root = try openRoot("replace")
        guard root.opened.config != nil else { throw objectFailure(Errno(ENOENT, in: "fstatat"), "replace", .config) }
        do throws(Errno) {
            try bytes.withBytes { bytes throws(Errno) in
                try writeDurably(
                    bytes,
                    to: ByteString(ObjectName.config.fileName),
                    in: root.directory,
                    permissions: root.opened.filePermissions,
                    ifExists: .replace,
                    entropy: entropy
                )
            }
            try rememberAgain(root.directory)
        } catch {
            // The name may be that of the new file already.
            try? rememberAgain(root.directory)
            throw writeFailure(error, .config, bytes.count)
        }
    }

    private func writeFailure(_ errno: Errno, _ name: ObjectName, _ count: Int) -> StorageFailure {
        failure(
            errno,
            "write",
            object(name),
            detail: "\(count) bytes",
            state: "the object is not in the repository; everything stored before is untouched"
        )
    }

    private func configExists(_ errno: Errno?) -> StorageFailure {
        StorageFailure(
            .exists,
            "create",
            "repository in \(location)",
            "there is a config already",
            state: "nothing was changed",
            next: "open this repository with its password, or choose an empty directory",
            because: errno
        )
    }

    /// Opens the directory of an object; a pack's is made when it is missing inside the `data` of the layout, `locks`
    /// when it is missing beside a config, and nothing else ever.
    private func openDirectoryForWriting(_ name: ObjectName, _ root: Root) throws -> Directory {
        if try isLockDirectoryAbsent(name.kind, root) { try createLockDirectory(root) }
        let parent = try openDirectory(name.kind, in: root, "write")
        guard let subdirectory = name.subdirectory.map({ ByteString($0) }) else { return parent }
        do throws(Errno) {
            do throws(Errno) {
                return try sameDevice(parent.openDirectory(subdirectory), as: parent)
            } catch  where error.kind == .missing {
                do throws(Errno) {
                    try parent.createDirectory(subdirectory, permissions: root.opened.directoryPermissions)
                    try parent.sync()
                } catch  where error.kind == .exists {
                    // Another writer was faster.
                }
                return try sameDevice(parent.openDirectory(subdirectory), as: parent)
            }
        } catch {
            throw failure(error, "write", object(name))
        }
    }

    /// Makes the one directory that copies of repositories lack, inside the root that was proven to be ours.
    private func createLockDirectory(_ root: Root) throws {
        do throws(Errno) {
            let name = ByteString(ObjectKind.lock.directoryName)
            do throws(Errno) {
                try root.directory.createDirectory(name, permissions: root.opened.directoryPermissions)
                try root.directory.sync()
            } catch  where error.kind == .exists {
                // Another writer was faster.
            }
        } catch {
            throw failure(error, "create", "directory locks of the repository in \(location)")
        }
    }

    private func sameDevice(_ directory: Directory, as parent: Directory) throws(Errno) -> Directory {
        guard try directory.status().device == parent.status().device else {
            // Something is mounted in the middle of the repository.
            throw Errno(EXDEV, in: "device of directory")
        }
        return directory
    }

    /// An object of that name is there: success when it has our bytes, made durable as if we had written them.
    private func confirmSame(_ name: ObjectName, _ bytes: Block, in directory: Directory) throws {
        let isSame: Bool
        do throws(Errno) {
            let file = try directory.openFile(ByteString(name.fileName))
            let status = try file.status()
            isSame = status.kind == .regular && status.size == UInt64(bytes.count) ? try hasBytes(file, bytes) : false
            if isSame {
                try file.sync()
                try directory.sync()
            }
        } catch {
            throw failure(error, "compare", object(name))
        }
        guard !isSame else { return }
        throw StorageFailure(
            .exists,
            "write",
            object(name),
            "an object of this name with different content is there",
            state: "the existing object was not changed",
            next: "run check --read-data: the existing object is damaged; move it away, then back up again"
        )
    }

    private func hasBytes(_ file: FileDescriptor, _ bytes: Block) throws(Errno) -> Bool {
        let scratch = Block(capacity: 1 << 20)
        return try bytes.withBytes { expected throws(Errno) in
            var position = 0
            while position < expected.count {
                scratch.reset()
                try scratch.fill { room throws(Errno) in
                    let part = UnsafeMutableRawBufferPointer(rebasing: room.prefix(expected.count - position))
                    return try file.read(into: part, at: UInt64(position))
                }
                guard !scratch.isEmpty, let start = expected.baseAddress else { return false }
                let isEqual = scratch.withBytes { piece in
                    piece.baseAddress.map { memcmp($0, start + position, piece.count) == 0 } ?? false
                }
                guard isEqual else { return false }
                position += scratch.count
            }
            return true
        }
    }

    /// Removes an object.
    ///
    /// Pointers (snapshot, index, key, config) are durably gone on return, so that what they point to may follow (L2).
    func removeObject(_ name: ObjectName) throws {
        let root = try openRoot("remove")
        do {
            var directory = try openDirectory(name.kind, in: root, "remove")
            if let subdirectory = name.subdirectory {
                directory = try directory.openDirectory(ByteString(subdirectory))
            }
            try directory.remove(ByteString(name.fileName))
            switch name.kind {
            case .config, .key, .snapshot, .index: try directory.sync()
            case .lock, .pack: break
            }
            if name.kind == .config { opened.withLock { $0?.config = nil } }
        } catch let error as Errno {
            throw objectFailure(error, "remove", name)
        }
    }

    /// Creates the root and the layout where they are missing, durably.
    func createLayout() throws {
        do throws(Errno) {
            let root = try Directory.createAll(path, hooks: hooks)
            for kind in ObjectKind.listed { try createIfMissing(ByteString(kind.directoryName), in: root) }
            let data = try root.openDirectory(ByteString(ObjectKind.pack.directoryName))
            for number in 0..<256 {
                let digits = String(number, radix: 16)
                try createIfMissing(ByteString(digits.count == 1 ? "0" + digits : digits), in: data)
            }
            try data.sync()
            try root.sync()
            try rememberAgain(root)
        } catch {
            throw failure(error, "create", "repository in \(location)", state: "no repository was created")
        }
    }

    private func createIfMissing(_ name: ByteString, in directory: Directory) throws(Errno) {
        do throws(Errno) {
            try directory.createDirectory(name)
        } catch  where error.kind == .exists {
            // Ours from an earlier try, or anything else, which the next call refuses.
        }
    }
}
