import CHost
package import Bytes
import Glibc

/// What changes a directory: creating, renaming and removing entries, and the metadata of entries by name.
///
/// None of it follows a symbolic link, and none of it replaces anything unless it says so.
extension Directory {
    // MARK: Creating

    /// Creates a file that did not exist and opens it for reading and writing; the permissions are exact, whatever
    /// the umask (S-06).
    package func createFile(_ name: ByteString, permissions: UInt32 = 0o600) throws(Errno) -> FileDescriptor {
        try withName(name) { name throws(Errno) in
            let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY
            let file = FileDescriptor(
                try open(name, flags: flags, mode: permissions & 0o7777, call: .create),
                hooks: hooks
            )
            // The umask can only have taken bits away; ask again where there were any to take.
            if permissions & 0o077 != 0 { try? file.setPermissions(permissions) }
            return file
        }
    }

    /// Creates a file under a fresh name `prefix` + 16 hexadecimal digits, mode 0600.
    package func createTemporaryFile(
        prefix: ByteString,
        entropy: any EntropySource
    ) throws(Errno) -> (name: ByteString, file: FileDescriptor) {
        var attempt = 0
        while true {
            let name = temporaryName(prefix: prefix, entropy: entropy)
            do throws(Errno) {
                return (name, try createFile(name))
            } catch  where error.code == EEXIST && attempt < 100 {
                attempt += 1
            }
        }
    }

    /// Creates a directory; the permissions are exact, whatever the umask.
    package func createDirectory(_ name: ByteString, permissions: UInt32 = 0o700) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try hooks.around(.createDirectory, "mkdirat") { () throws(Errno) in
                try checked("mkdirat", mkdirat(number, name, permissions & 0o7777))
            }
        }
        if permissions & 0o7077 != 0 { try? setPermissions(permissions, of: name) }
    }

    /// Opens the directory at `path` and creates it, and those above it, where they are missing; names and
    /// directories are durable then.
    package static func createAll(
        _ path: ByteString,
        permissions: UInt32 = 0o700,
        hooks: SystemHooks? = nil
    ) throws(Errno) -> Directory {
        let isAbsolute = path.bytes.first == 0x2f
        var current = try Directory.open(isAbsolute ? "/" : ".", hooks: hooks)
        for part in path.bytes.split(separator: 0x2f) where Array(part) != [0x2e] {
            current = try current.openOrCreate(ByteString(Array(part)), permissions: permissions)
        }
        return current
    }

    private func openOrCreate(_ name: ByteString, permissions: UInt32) throws(Errno) -> Directory {
        do throws(Errno) {
            return try openFollowing(name)
        } catch  where error.code == ENOENT {
            do throws(Errno) {
                try createDirectory(name, permissions: permissions)
                try sync()
            } catch  where error.code == EEXIST {
                // Another process was faster.
            }
            return try openFollowing(name)
        }
    }

    /// Opens one component of a path that the user gave, where links and `..` mean what they say.
    private func openFollowing(_ name: ByteString) throws(Errno) -> Directory {
        try name.withPath { text throws(Errno) in
            let number = try open(text, flags: Self.openFlags, mode: 0, call: .open)
            return Directory(descriptor: FileDescriptor(number, hooks: hooks))
        }
    }

    /// Creates a symbolic link; the target is stored as given and may be any non-empty bytes without NUL.
    package func createSymbolicLink(_ name: ByteString, target: ByteString) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try target.withPath { target throws(Errno) in
                try hooks.around(.createSymbolicLink, "symlinkat") { () throws(Errno) in
                    try checked("symlinkat", symlinkat(target, number, name))
                }
            }
        }
    }

    /// Creates a FIFO, socket or device node: `mode` has type and permission bits, `device` counts for devices alone.
    package func createNode(_ name: ByteString, mode: UInt32, device: UInt64) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try hooks.around(.createNode, "mknodat") { () throws(Errno) in
                try checked("mknodat", mknodat(number, name, mode, dev_t(device)))
            }
        }
    }

    /// Gives the entry `existing` of `directory` a second name here; the link itself when it is a symbolic one.
    package func createHardLink(
        _ name: ByteString,
        to existing: ByteString,
        in directory: Directory
    ) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try directory.withName(existing) { existing throws(Errno) in
                try hooks.around(.link, "linkat") { () throws(Errno) in
                    try checked("linkat", linkat(directory.number, existing, number, name, 0))
                }
            }
        }
    }

    // MARK: Renaming and removing

    /// Renames an entry; replaces what is there.
    package func rename(
        _ name: ByteString,
        to newName: ByteString,
        in directory: Directory
    ) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try directory.withName(newName) { newName throws(Errno) in
                try hooks.around(.rename, "renameat") { () throws(Errno) in
                    try checked("renameat", renameat(number, name, directory.number, newName))
                }
            }
        }
    }

    /// Renames an entry; EEXIST when the new name is taken.
    ///
    /// Atomic where the file system offers it; elsewhere (EINVAL, ENOSYS of `renameat2`) the name is looked up first,
    /// and a writer between the two calls would be replaced.
    package func renameWithoutReplacing(
        _ name: ByteString,
        to newName: ByteString,
        in directory: Directory
    ) throws(Errno) {
        do throws(Errno) {
            try withName(name) { name throws(Errno) in
                try directory.withName(newName) { newName throws(Errno) in
                    try hooks.around(.rename, "renameat2") { () throws(Errno) in
                        try checked("renameat2", chost_rename_no_replace(number, name, directory.number, newName))
                    }
                }
            }
        } catch  where error.code == EINVAL || error.code == ENOSYS {
            if try directory.exists(newName) { throw Errno(EEXIST, in: "renameat2") }
            try rename(name, to: newName, in: directory)
        }
    }

    /// Whether the name is taken; only a clear "no such file" is a no.
    package func exists(_ name: ByteString) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try status(name)
            return true
        } catch  where error.code == ENOENT {
            return false
        }
    }

    /// Removes an entry that is not a directory.
    package func remove(_ name: ByteString) throws(Errno) { try remove(name, flags: 0) }

    /// Removes an empty directory.
    package func removeDirectory(_ name: ByteString) throws(Errno) { try remove(name, flags: AT_REMOVEDIR) }

    private func remove(_ name: ByteString, flags: Int32) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try hooks.around(.remove, "unlinkat") { () throws(Errno) in
                try checked("unlinkat", unlinkat(number, name, flags))
            }
        }
    }

    /// Makes the names in this directory durable.
    ///
    /// File systems that cannot sync a directory (SMB, some FUSE: ENOTSUP, EINVAL, ENOENT, ENOSYS) count as success
    /// (B-08).
    package func sync() throws(Errno) {
        do throws(Errno) {
            try hooks.around(.syncDirectory, "fsync") { () throws(Errno) in
                _ = try retryInterrupted("fsync") { Int(fsync(number)) }
            }
        } catch  where [EOPNOTSUPP, EINVAL, ENOENT, ENOSYS].contains(error.code) {
            return
        }
    }

    /// Makes everything written to this directory's file system durable, one call for any number of files.
    package func syncFileSystem() throws(Errno) {
        try hooks.around(.syncDirectory, "syncfs") { () throws(Errno) in
            try checked("syncfs", chost_sync_file_system(number))
        }
    }

    // MARK: Metadata of an entry

    /// Sets the twelve permission bits of an entry; EOPNOTSUPP for a symbolic link, which has none.
    package func setPermissions(_ permissions: UInt32, of name: ByteString) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try hooks.around(.setMetadata, "fchmodat") { () throws(Errno) in
                try checked("fchmodat", fchmodat(number, name, permissions & 0o7777, AT_SYMLINK_NOFOLLOW))
            }
        }
    }

    /// Sets user and group of an entry, of the link itself when it is one.
    package func setOwner(uid: UInt32, gid: UInt32, of name: ByteString) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try hooks.around(.setMetadata, "fchownat") { () throws(Errno) in
                try checked("fchownat", fchownat(number, name, uid, gid, AT_SYMLINK_NOFOLLOW))
            }
        }
    }

    /// Sets access and modification time of an entry to the nanosecond, of the link itself when it is one.
    package func setTimes(accessed: Timestamp, modified: Timestamp, of name: ByteString) throws(Errno) {
        try withName(name) { name throws(Errno) in
            try hooks.around(.setMetadata, "utimensat") { () throws(Errno) in
                try withTimes(accessed, modified) { times throws(Errno) in
                    try checked("utimensat", utimensat(number, name, times, AT_SYMLINK_NOFOLLOW))
                }
            }
        }
    }
}

/// `prefix` and 16 random hexadecimal digits.
package func temporaryName(prefix: ByteString, entropy: any EntropySource) -> ByteString {
    var name = prefix.bytes
    for byte in entropy.bytes(8) {
        for nibble in [byte >> 4, byte & 15] { name.append(nibble < 10 ? 48 + nibble : 87 + nibble) }
    }
    return ByteString(name)
}
