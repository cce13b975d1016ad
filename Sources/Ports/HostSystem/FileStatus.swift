import CHost
package import Bytes
import Glibc

/// What an entry of a file system is.
package enum FileKind: UInt8, Sendable, Hashable {
    case unknown, regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket

    /// From the type bits of `st_mode`.
    package init(mode: UInt32) {
        switch mode & UInt32(S_IFMT) {
        case UInt32(S_IFREG): self = .regular
        case UInt32(S_IFDIR): self = .directory
        case UInt32(S_IFLNK): self = .symbolicLink
        case UInt32(S_IFCHR): self = .characterDevice
        case UInt32(S_IFBLK): self = .blockDevice
        case UInt32(S_IFIFO): self = .fifo
        case UInt32(S_IFSOCK): self = .socket
        default: self = .unknown
        }
    }

    /// From `d_type` of a directory entry; `unknown` where the file system does not say.
    init(entryType: UInt8) {
        switch entryType {
        case 1: self = .fifo
        case 2: self = .characterDevice
        case 4: self = .directory
        case 6: self = .blockDevice
        case 8: self = .regular
        case 10: self = .symbolicLink
        case 12: self = .socket
        default: self = .unknown
        }
    }
}

/// Device and inode: which file a name meant when it was looked up.
package struct FileIdentity: Sendable, Hashable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// The metadata of one entry, of the entry itself and never of what a symbolic link points to.
package struct FileStatus: Sendable, Hashable {
    package var kind: FileKind
    /// `st_mode`: type and permission bits as the kernel has them.
    package var mode: UInt32
    /// Bytes.
    package var size: UInt64
    package var inode: UInt64
    /// `st_dev` in the C library's encoding, as restic records it.
    package var device: UInt64
    /// `st_rdev`, the device a device node stands for.
    package var rdev: UInt64
    package var links: UInt64
    package var uid: UInt32
    package var gid: UInt32
    package var modified: Timestamp
    package var accessed: Timestamp
    package var changed: Timestamp
    /// Allocated units of 512 bytes.
    package var blocks: UInt64

    package var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
    /// The twelve permission bits.
    package var permissions: UInt32 { mode & 0o7777 }

    init(_ raw: chost_status) {
        kind = FileKind(mode: raw.mode)
        mode = raw.mode
        size = raw.size
        inode = raw.inode
        device = raw.device
        rdev = raw.rdev
        links = raw.links
        uid = raw.uid
        gid = raw.gid
        modified = Timestamp(seconds: raw.mtime_seconds, nanoseconds: raw.mtime_nanoseconds)
        accessed = Timestamp(seconds: raw.atime_seconds, nanoseconds: raw.atime_nanoseconds)
        changed = Timestamp(seconds: raw.ctime_seconds, nanoseconds: raw.ctime_nanoseconds)
        blocks = raw.blocks
    }

    /// Looks `name` up below the descriptor; the descriptor's own status when `name` is the empty string.
    static func at(_ descriptor: Int32, _ name: UnsafePointer<CChar>, follow: Bool = false) throws(Errno) -> FileStatus
    {
        var raw = chost_status()
        while chost_status_at(descriptor, name, follow ? 1 : 0, &raw) != 0 {
            if errno != EINTR { throw Errno.current("fstatat") }
        }
        return FileStatus(raw)
    }
}

extension ByteString {
    /// Lends the bytes with a NUL behind them; fails with EINVAL when they contain one, which no path can.
    @inline(__always)
    package func withPath<R>(_ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
        var result: Result<R, Errno>?
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() {
                if byte == 0 {
                    result = .failure(Errno(EINVAL, in: "path with NUL"))
                    return
                }
                buffer[index] = CChar(bitPattern: byte)
            }
            buffer[bytes.count] = 0
            guard let base = buffer.baseAddress else { return }
            do throws(Errno) {
                result = .success(try body(base))
            } catch {
                result = .failure(error)
            }
        }
        guard let result else { preconditionFailure("a temporary buffer without address") }
        return try result.get()
    }
}

/// The status of the entry at `path`; of what it points to when `followLinks`.
package func status(at path: ByteString, followLinks: Bool = false) throws(Errno) -> FileStatus {
    try path.withPath { text throws(Errno) in
        if text.pointee == 0 { throw Errno(ENOENT, in: "fstatat") }
        return try FileStatus.at(AT_FDCWD, text, follow: followLinks)
    }
}
