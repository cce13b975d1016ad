package import Bytes
package import HostSystem
import Outcome
import Synchronization

/// A repository in a directory of a file system of this machine.
///
/// ```
/// root/ config  keys/<id>  locks/<id>  snapshots/<id>  index/<id>  data/<2 digits>/<id>
/// ```
/// 1. No descriptor is held between calls, so the disk can be unmounted; every call opens the root by its path and
///    proves that it
///    is the directory that was opened first, by device and inode. A vanished mount is `diskGone` and nothing is
///    written below its mount point (B-09).
/// 2. Below the root no symbolic link is followed (D-05). Links and `..` in the path of the root mean what they say.
/// 3. Nothing but `prepare` creates directories, except the two-digit ones inside `data`, and `locks` beside a config.
/// 4. Files are 0400 and directories 0700; 0440 and 0750 when the config file is readable by its group, as restic has
///    it.
///
/// **Source**: restic internal/backend/local/local.go.
package final class LocalStorage: ObjectStorage {
    package let location: String
    package let connections: Int
    let path: ByteString
    let entropy: any EntropySource
    let hooks: SystemHooks?
    let opened = Mutex<Opened?>(nil)

    /// Names a directory; touches nothing yet.
    ///
    /// `hooks` is for tests.
    package init(
        _ path: ByteString,
        connections: Int = 2,
        entropy: any EntropySource = SystemEntropy(),
        hooks: SystemHooks? = nil
    ) {
        self.path = path
        location = path.display
        self.connections = connections
        self.entropy = entropy
        self.hooks = hooks
    }

    package var localDirectory: ByteString? { path }

    /// Of the root that was opened; false before that, and where the kernel does not tell.
    package var isLocalDisk: Bool { opened.withLock { $0?.isLocalDisk ?? false } }

    package var fromMedium: any ObjectStorage { LocalMedium(storage: self) }

    package func exists() async throws -> Bool {
        // Once opened, the root has to be the same for any answer; before that an absent root is a plain no.
        if opened.withLock({ $0 != nil }) { return try openRoot("open").opened.config != nil }
        do throws(Errno) {
            guard try Directory.open(path, hooks: hooks).status("config").kind == .regular else { return false }
        } catch  where error.kind == .missing {
            return false
        } catch {
            throw failure(error, "open", "config in \(location)")
        }
        return try openRoot("open").opened.config != nil
    }

    package func checkIdentity() async throws {
        _ = try openRoot("check identity")
    }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        try sizeOf(name)
    }

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        try read(name, range)
    }

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        try write(name, bytes)
    }

    package func replaceConfig(_ bytes: Block) async throws {
        try replaceConfigFile(bytes)
    }

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        try listObjects(kind)
    }

    package func remove(_ name: ObjectName) async throws {
        try removeObject(name)
    }

    package func prepare() async throws {
        try createLayout()
    }

    // MARK: Words

    func object(_ name: ObjectName) -> String { "\(name.short) in \(location)" }

    /// The failure of a call that was not the lookup of an object, so it never says `notFound`; with the user when it
    /// was refused (B-12), and with inodes told from bytes when it was full (C-02).
    func failure(
        _ errno: Errno,
        _ operation: String,
        _ object: String,
        detail: String = "",
        state: String = ""
    ) -> StorageFailure {
        switch errno.kind {
        case .permission:
            let user = "user \(currentUser().uid)"
            return StorageFailure(
                errno,
                operation,
                object,
                detail: detail.isEmpty ? user : "\(detail), \(user)",
                state: state
            )
        case .noSpace:
            var failure = StorageFailure(errno, operation, object, detail: detail, state: state)
            if let space = try? Directory.open(path).space(), space.isOutOfInodes {
                failure.code = .noInodes
                failure.retry = StorageCode.noInodes.retry
                failure.what =
                    "no inodes left, although \(space.freeBytes) bytes are free (\(errno.name) in \(errno.callName))"
                failure.next = "remove files from this file system, or make it anew with more inodes"
            }
            return failure
        case .missing:
            // Something that was open or opened just before is gone; that says nothing about whether an object exists.
            var failure = StorageFailure(errno, operation, object, detail: detail, state: state)
            failure.code = .diskGone
            failure.retry = StorageCode.diskGone.retry
            failure.what = "the file or its directory vanished meanwhile (\(errno.name) in \(errno.callName))"
            failure.next =
                "check that the file system of the repository is mounted and that nothing else removes files from it"
            return failure
        case .symbolicLink, .notDirectory:
            var failure = StorageFailure(errno, operation, object, detail: detail, state: state)
            failure.what =
                "something else lies where the repository has a file or directory (\(errno.name) in \(errno.callName))"
            failure.next =
                "if it is a symbolic link, put the real directory in its place, or mount it there with --bind; "
                + "else move it away"
            return failure
        default:
            return StorageFailure(errno, operation, object, detail: detail, state: state)
        }
    }
}
