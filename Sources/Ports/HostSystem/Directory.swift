import CHost
package import Bytes
import Glibc

/// An open directory, and everything that is done to the entries in it by name.
///
/// 1. Names are single components: a name with a slash, `.` and `..` are refused with EINVAL, so nothing here leaves
///    the directory.
/// 2. Symbolic links are never followed; `open(_:)` alone follows those in the path that the user gave.
/// 3. One descriptor each, closed with the last owner. A walk of a tree 10,000 deep keeps a few of them: it goes down
///    with `openDirectory`, and back up with `openParent(expecting:)`, which proves that it came out where it went
///    in.
package final class Directory: Sendable {
    /// The open directory, for metadata by descriptor.
    package let descriptor: FileDescriptor

    var number: Int32 { descriptor.rawValue }
    var hooks: SystemHooks? { descriptor.hooks }

    init(descriptor: FileDescriptor) { self.descriptor = descriptor }

    static let openFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK

    /// Opens a path of any length, also beyond PATH_MAX.
    ///
    /// Symbolic links in it are followed unless `followLinks` is false, which refuses one at the end of the path.
    package static func open(
        _ path: ByteString,
        followLinks: Bool = true,
        hooks: SystemHooks? = nil
    ) throws(Errno) -> Directory {
        guard !path.bytes.isEmpty else { throw Errno(ENOENT, in: "openat") }
        let flags = openFlags | (followLinks ? 0 : O_NOFOLLOW)
        var current: Directory?
        var rest = path.bytes[...]
        while true {
            let piece = nextPiece(&rest)
            let base = current?.number ?? AT_FDCWD
            let number = try open(
                ByteString(Array(piece)),
                at: base,
                flags: rest.isEmpty ? flags : openFlags,
                hooks: hooks
            )
            current = Directory(descriptor: FileDescriptor(number, hooks: hooks))
            if rest.isEmpty, let current { return current }
        }
    }

    /// Cuts off the longest run of components that the kernel takes in one call.
    private static func nextPiece(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let limit = 4000
        guard rest.count > limit else {
            defer { rest = [] }
            return rest
        }
        guard let slash = rest.prefix(limit).lastIndex(of: 0x2f), slash > rest.startIndex else {
            defer { rest = [] }
            return rest
        }
        let piece = rest[..<slash]
        rest = rest[slash...].drop { $0 == 0x2f }
        return piece
    }

    private static func open(
        _ path: ByteString,
        at base: Int32,
        flags: Int32,
        hooks: SystemHooks?
    ) throws(Errno) -> Int32 {
        try path.withPath { text throws(Errno) in
            try hooks.around(.open, "openat") { () throws(Errno) in
                Int32(try retryInterrupted("openat") { Int(chost_open_at(base, text, flags, 0)) })
            }
        }
    }

    /// A second handle of the same directory.
    package func duplicate() throws(Errno) -> Directory {
        let copy = Int32(try retryInterrupted("fcntl") { Int(fcntl(number, F_DUPFD_CLOEXEC, 3)) })
        return Directory(descriptor: FileDescriptor(copy, hooks: hooks))
    }

    // MARK: Looking

    /// The status of the directory itself.
    package func status() throws(Errno) -> FileStatus { try descriptor.status() }

    /// The status of an entry, of the link itself when it is one.
    package func status(_ name: ByteString) throws(Errno) -> FileStatus {
        try withName(name) { name throws(Errno) in try status(name) }
    }

    func status(_ name: UnsafePointer<CChar>) throws(Errno) -> FileStatus {
        try hooks.around(.status, "fstatat") { () throws(Errno) in try FileStatus.at(number, name) }
    }

    /// The target of a symbolic link, at most 1 MiB long.
    package func readLink(_ name: ByteString) throws(Errno) -> ByteString {
        try withName(name) { name throws(Errno) in
            try hooks.around(.readLink, "readlinkat") { () throws(Errno) in try readTarget(name) }
        }
    }

    private func readTarget(_ name: UnsafePointer<CChar>) throws(Errno) -> ByteString {
        var capacity = 256
        while true {
            var length = -1
            let target = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                buffer.withMemoryRebound(to: CChar.self) {
                    if let base = $0.baseAddress { length = readlinkat(number, name, base, capacity) }
                }
                count = max(length, 0)
            }
            if length < 0 { throw Errno.current("readlinkat") }
            if length < capacity { return ByteString(target) }
            if capacity >= 1 << 20 { throw Errno(ENAMETOOLONG, in: "readlinkat") }
            capacity *= 4
        }
    }

    // MARK: Opening

    /// Opens a directory in this one; ELOOP or ENOTDIR when the entry is something else by now.
    package func openDirectory(_ name: ByteString) throws(Errno) -> Directory {
        try withName(name) { name throws(Errno) in try openDirectory(name) }
    }

    func openDirectory(_ name: UnsafePointer<CChar>) throws(Errno) -> Directory {
        let number = try open(name, flags: Self.openFlags | O_NOFOLLOW, mode: 0, call: .open)
        return Directory(descriptor: FileDescriptor(number, hooks: hooks))
    }

    /// Opens the directory above, which must be the one described; ESTALE when the tree was moved meanwhile.
    package func openParent(expecting expected: FileIdentity) throws(Errno) -> Directory {
        let number = try open("..", flags: Self.openFlags | O_NOFOLLOW, mode: 0, call: .open)
        let parent = Directory(descriptor: FileDescriptor(number, hooks: hooks))
        guard try parent.status().identity == expected else { throw Errno(ESTALE, in: "openat") }
        return parent
    }

    /// Opens the directory above, whichever it is; of the root, the root.
    package func openAbove() throws(Errno) -> Directory {
        let number = try open("..", flags: Self.openFlags | O_NOFOLLOW, mode: 0, call: .open)
        return Directory(descriptor: FileDescriptor(number, hooks: hooks))
    }

    /// As above, for the status that was seen on the way down.
    package func openParent(expecting expected: FileStatus) throws(Errno) -> Directory {
        try openParent(expecting: expected.identity)
    }

    /// Opens a regular file for reading; never blocks on a FIFO or device (G-05): the caller compares `status()` of
    /// the result with what it saw before.
    ///
    /// The access time stays where the kernel allows that.
    package func openFile(_ name: ByteString, keepAccessTime: Bool = true) throws(Errno) -> FileDescriptor {
        try withName(name) { name throws(Errno) in try openFile(name, keepAccessTime: keepAccessTime) }
    }

    func openFile(_ name: UnsafePointer<CChar>, keepAccessTime: Bool) throws(Errno) -> FileDescriptor {
        let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        if keepAccessTime {
            do throws(Errno) {
                return FileDescriptor(
                    try open(name, flags: flags | chost_no_access_time(), mode: 0, call: .open),
                    hooks: hooks
                )
            } catch  where error.code == EPERM {
                // Only the owner may ask for it.
            }
        }
        return FileDescriptor(try open(name, flags: flags, mode: 0, call: .open), hooks: hooks)
    }

    /// Opens an existing regular file for reading and writing, without following a link and without blocking.
    package func openFileForUpdate(_ name: ByteString) throws(Errno) -> FileDescriptor {
        try withName(name) { name throws(Errno) in
            let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
            return FileDescriptor(try open(name, flags: flags, mode: 0, call: .open), hooks: hooks)
        }
    }

    /// Opens `path`, components separated by slashes, below this directory without ever leaving it or following a
    /// link (H-05).
    package func openDirectoryBeneath(_ path: ByteString) throws(Errno) -> Directory {
        let number = try openBeneath(path, flags: Self.openFlags)
        return Directory(descriptor: FileDescriptor(number, hooks: hooks))
    }

    /// As `openDirectoryBeneath`, for a regular file to be read.
    package func openFileBeneath(_ path: ByteString) throws(Errno) -> FileDescriptor {
        let number = try openBeneath(path, flags: O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        return FileDescriptor(number, hooks: hooks)
    }

    private func openBeneath(_ path: ByteString, flags: Int32) throws(Errno) -> Int32 {
        let resolve = CHOST_RESOLVE_BENEATH | CHOST_RESOLVE_NO_SYMLINKS | CHOST_RESOLVE_NO_MAGICLINKS
        do throws(Errno) {
            return try path.withPath { text throws(Errno) in
                try hooks.around(.open, "openat2") { () throws(Errno) in
                    Int32(try retryBusy { chost_open_at_2(number, text, flags | O_NOFOLLOW, 0, resolve) })
                }
            }
        } catch  where error.code == ENOSYS || error.code == EPERM || error.code == E2BIG || error.code == ENAMETOOLONG
        {
            // Before Linux 5.6, under a filter that does not know the call, or a path longer than PATH_MAX.
            return try openStepwise(path, flags: flags)
        }
    }

    /// openat2 answers EAGAIN when a rename elsewhere made it unsure; bounded, since an attacker may rename for ever.
    private func retryBusy(_ body: () -> Int32) throws(Errno) -> Int {
        for _ in 0..<1000 {
            let result = body()
            if result >= 0 { return Int(result) }
            if errno != EAGAIN, errno != EINTR { throw Errno.current("openat2") }
        }
        throw Errno(EAGAIN, in: "openat2")
    }

    private func openStepwise(_ path: ByteString, flags: Int32) throws(Errno) -> Int32 {
        var current = self
        let parts = path.bytes.split(separator: 0x2f).filter { $0 != [0x2e] }
        guard let last = parts.last, path.bytes.first != 0x2f else { throw Errno(EXDEV, in: "openat") }
        for part in parts.dropLast() { current = try current.openDirectory(ByteString(Array(part))) }
        let directory = current
        return try directory.withName(ByteString(Array(last))) { name throws(Errno) in
            try directory.open(name, flags: flags | O_NOFOLLOW, mode: 0, call: .open)
        }
    }

    // MARK: Inside

    func open(_ name: UnsafePointer<CChar>, flags: Int32, mode: UInt32, call: SystemCall) throws(Errno) -> Int32 {
        try hooks.around(call, "openat") { () throws(Errno) in
            Int32(try retryInterrupted("openat") { Int(chost_open_at(number, name, flags, mode)) })
        }
    }

    /// Lends a single component with a NUL behind it; EINVAL for anything that could lead elsewhere.
    @inline(__always)
    func withName<R>(
        _ name: ByteString,
        _ body: (UnsafePointer<CChar>) throws(Errno) -> R
    ) throws(Errno) -> R {
        guard name.isSingleComponent else { throw Errno(EINVAL, in: "name") }
        return try name.withPath(body)
    }
}

extension ByteString {
    /// True when the bytes can name an entry of a directory: not empty, no slash, not `.` or `..`, no NUL.
    package var isSingleComponent: Bool {
        if bytes.isEmpty || bytes == [0x2e] || bytes == [0x2e, 0x2e] { return false }
        return !bytes.contains { $0 == 0x2f || $0 == 0 }
    }
}
