package import Bytes
import CHost
import Glibc

/// Reads a whole small file, such as a password file or a list of patterns; symbolic links are followed.
///
/// **Bounds**: EFBIG when it has more than `limit` bytes, so that an endless file ends here.
package func readFile(_ path: ByteString, limit: Int) throws(Errno) -> [UInt8] {
    let number = try path.withPath { text throws(Errno) in
        Int32(try retryInterrupted("open") { Int(open(text, O_RDONLY | O_CLOEXEC | O_NOCTTY)) })
    }
    return try readAll(FileDescriptor(number), limit: limit)
}

/// Reads to the end; EFBIG when there are more than `limit` bytes.
package func readAll(_ file: FileDescriptor, limit: Int) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    let piece = Block(capacity: min(64 << 10, max(limit, 1)))
    while true {
        piece.reset()
        try piece.fill { room throws(Errno) in try file.read(into: room) }
        if piece.isEmpty { return bytes }
        guard bytes.count + piece.count <= limit else { throw Errno(EFBIG, in: "read") }
        piece.withBytes { bytes.append(contentsOf: $0) }
    }
}

/// Opens a file for writing from its start, as a shell's `>` does: created with mode 0666 less the umask where it is
/// missing, emptied where it exists; devices and pipes are opened as they are, symbolic links are followed.
package func openForOverwriting(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let number = try path.withPath { text throws(Errno) in
        Int32(
            try retryInterrupted("open") { Int(open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0o666)) }
        )
    }
    return FileDescriptor(number)
}

/// The directory the process was started in, or changed to.
package func currentDirectory() throws(Errno) -> ByteString {
    guard let text = getcwd(nil, 0) else { throw Errno.current("getcwd") }
    defer { free(text) }
    return ByteString(cString: text)
}

/// The value of an environment variable, nil when it is not set.
package func environmentVariable(_ name: String) -> ByteString? {
    guard let value = getenv(name) else { return nil }
    return ByteString(cString: value)
}

extension ByteString {
    /// Copies up to the NUL.
    init(cString: UnsafePointer<CChar>) {
        self.init([UInt8](UnsafeRawBufferPointer(start: cString, count: strlen(cString))))
    }
}

/// Free room of a file system, as it says itself; quotas and reserves are not in it, so it advises and never decides
/// (C-08).
package struct FileSystemSpace: Sendable, Hashable {
    package var freeBytes: UInt64
    package var totalBytes: UInt64
    package var freeInodes: UInt64
    /// 0 on file systems that do not count inodes.
    package var totalInodes: UInt64
    package var isReadOnly = false

    /// True when files cannot be created although bytes are free (C-02).
    package var isOutOfInodes: Bool { totalInodes > 0 && freeInodes == 0 && freeBytes > 0 }
}

extension Directory {
    /// False when the directory lies on a share of another machine, or on what another program serves (FUSE), which may be one.
    package func isOnLocalDisk() throws(Errno) -> Bool {
        try retryInterrupted("fstatfs") { Int(chost_is_on_share(number)) } == 0
    }

    /// Free room of the file system that holds the directory, for this user.
    package func space() throws(Errno) -> FileSystemSpace {
        var raw = statvfs()
        _ = try retryInterrupted("fstatvfs") { Int(fstatvfs(number, &raw)) }
        return FileSystemSpace(raw)
    }
}

extension FileSystemSpace {
    /// Free room of the file system that holds what `path` leads to, for this user.
    package static func at(_ path: ByteString) throws(Errno) -> FileSystemSpace {
        try path.withPath { text throws(Errno) in
            var raw = statvfs()
            _ = try retryInterrupted("statvfs") { Int(statvfs(text, &raw)) }
            return FileSystemSpace(raw)
        }
    }

    fileprivate init(_ raw: statvfs) {
        self.init(
            freeBytes: UInt64(raw.f_bavail).multipliedReportingOverflow(by: UInt64(raw.f_frsize)).partialValue,
            totalBytes: UInt64(raw.f_blocks).multipliedReportingOverflow(by: UInt64(raw.f_frsize)).partialValue,
            freeInodes: UInt64(raw.f_favail),
            totalInodes: UInt64(raw.f_files),
            isReadOnly: raw.f_flag & UInt(ST_RDONLY) != 0
        )
    }
}
