import Bytes
import Glibc
import HostSystem
import Outcome
import Synchronization

extension LocalStorage {
    /// What the store was when it was first used.
    struct Opened: Sendable {
        var root: FileIdentity
        /// Nil before `init` wrote one.
        var config: FileIdentity?
        var directories: [ObjectKind: FileIdentity] = [:]
        /// Not a share of another machine.
        var isLocalDisk = false
        /// The config is readable by its group, so everything else is, too.
        var isGroupReadable = false

        var filePermissions: UInt32 { isGroupReadable ? 0o440 : 0o400 }
        var directoryPermissions: UInt32 { isGroupReadable ? 0o750 : 0o700 }
    }

    /// The root, opened by its path and proven to be the one of the first call.
    struct Root {
        var directory: Directory
        var opened: Opened
    }

    /// Opens the root; `diskGone` when it, or the config in it, is not the one that was opened first.
    func openRoot(_ operation: String) throws -> Root {
        let known = opened.withLock { $0 }
        do throws(Errno) {
            let directory = try Directory.open(path, hooks: hooks)
            let identity = try directory.status().identity
            guard let known else {
                return Root(directory: directory, opened: remember(try inspect(directory, identity)))
            }
            guard identity == known.root else { throw Errno(Self.staleCode, in: "identity of root") }
            if let config = known.config, try directory.status("config").identity != config {
                throw Errno(Self.staleCode, in: "identity of config")
            }
            return Root(directory: directory, opened: known)
        } catch {
            throw rootFailure(error, operation, wasKnown: known != nil)
        }
    }

    /// What a lookup that finds something else than before counts as.
    private static var staleCode: Int32 { ESTALE }

    private func inspect(_ directory: Directory, _ identity: FileIdentity) throws(Errno) -> Opened {
        var opened = Opened(root: identity)
        opened.isLocalDisk = (try? directory.isOnLocalDisk()) ?? false
        if let config = try statusIfThere("config", directory), config.kind == .regular {
            opened.config = config.identity
            opened.isGroupReadable = config.mode & 0o040 != 0
        }
        for kind in ObjectKind.listed {
            if let status = try statusIfThere(ByteString(kind.directoryName), directory) {
                opened.directories[kind] = status.identity
            }
        }
        return opened
    }

    private func statusIfThere(_ name: ByteString, _ directory: Directory) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try directory.status(name)
        } catch  where error.kind == .missing {
            return nil
        }
    }

    /// Keeps the first identity that any task saw.
    private func remember(_ seen: Opened) -> Opened {
        opened.withLock { opened in
            if let opened { return opened }
            opened = seen
            return seen
        }
    }

    /// Looks again after the layout or the config was made by ourselves.
    func rememberAgain(_ directory: Directory) throws(Errno) {
        let seen = try inspect(directory, try directory.status().identity)
        opened.withLock { $0 = seen }
    }

    private func rootFailure(_ errno: Errno, _ operation: String, wasKnown: Bool) -> StorageFailure {
        guard errno.code == Self.staleCode || errno.kind == .missing else {
            return failure(errno, operation, "repository in \(location)")
        }
        guard wasKnown else {
            // Not "not found": that would say something about an object in a store that nobody has seen.
            return StorageFailure(
                .diskGone,
                operation,
                "repository in \(location)",
                "there is no such directory (\(errno.name) in \(errno.callName))",
                state: "nothing was created",
                next: "check the path, mount the file system of the repository, or run init for a new one",
                because: errno
            )
        }
        return StorageFailure(
            .diskGone,
            operation,
            "repository in \(location)",
            "the directory is not the one that was opened: another file system or an empty mount point lies there now "
                + "(\(errno.name) in \(errno.callName))",
            state: "nothing was written to what lies there now",
            next: "mount the file system of the repository again, then start again",
            because: errno
        )
    }

    /// Opens the directory that holds objects of a kind, without its sub-directories.
    ///
    /// **Errors**: `layout` when it is missing; `diskGone` when it is another one than at first.
    func openDirectory(_ kind: ObjectKind, in root: Root, _ operation: String) throws -> Directory {
        if kind == .config { return root.directory }
        let object = "directory \(kind.directoryName) of the repository in \(location)"
        do throws(Errno) {
            let directory = try root.directory.openDirectory(ByteString(kind.directoryName))
            let identity = try directory.status().identity
            if let known = root.opened.directories[kind] {
                guard identity == known else { throw Errno(Self.staleCode, in: "identity of directory") }
            } else if identity.device != root.opened.root.device {
                throw Errno(Self.staleCode, in: "identity of directory")
            }
            return directory
        } catch  where error.kind == .missing {
            throw StorageFailure(
                .layout,
                operation,
                object,
                "the directory is missing (\(error.name) in \(error.callName))",
                next:
                    "if the repository was copied without its empty directories, create it with mkdir -m 0700; "
                    + "else restore it from a copy",
                because: error
            )
        } catch  where error.code == Self.staleCode {
            throw StorageFailure(
                .diskGone,
                operation,
                object,
                "the directory is not the one that was opened: something else was mounted there, or it was replaced "
                    + "(\(error.callName))",
                next: "mount the file systems of the repository as they were, then start again",
                because: error
            )
        } catch {
            throw failure(error, operation, object)
        }
    }

    /// The failure of a call on an object by name; "missing" holds only while the store is still the same.
    func objectFailure(_ errno: Errno, _ operation: String, _ name: ObjectName) -> any Error {
        guard errno.kind == .missing else { return failure(errno, operation, object(name)) }
        do {
            _ = try openRoot(operation)
        } catch {
            return error
        }
        return StorageFailure(
            .notFound,
            operation,
            object(name),
            "there is no such object (\(errno.name) in \(errno.callName))",
            next: "run check to see what else is missing",
            because: errno
        )
    }
}
