package import Bytes
import CHost
import Glibc

/// What is mounted where, as this process sees it at one moment.
///
/// 1. A path is answered by the mount that the kernel names for the opened file, not by comparing texts: after a lazy unmount the
///    same path belongs to the mount above (B-09).
/// 2. What cannot be told is nil, and never the root mount for want of a better one.
package struct MountTable: Sendable {
    /// Bounds of what is read (L5).
    package enum Limits {
        /// Bytes of mountinfo; 16 MiB are some 100,000 mounts, the kernel's own limit for a namespace.
        package static let textBytes = 16 << 20
    }

    /// In the order of the kernel: what is mounted on a mount comes after it.
    package let mounts: [Mount]
    /// Lines that could not be read; a path on one of them has no answer.
    package let malformedLines: Int

    /// Reads the text of mountinfo; never fails, and counts what it had to leave out.
    package init(parsing text: [UInt8]) {
        var mounts: [Mount] = []
        var malformed = 0
        for line in text.prefix(Limits.textBytes).split(separator: 0x0a) {
            if let mount = Mount(line: line) { mounts.append(mount) } else { malformed += 1 }
        }
        self.mounts = mounts
        malformedLines = malformed
    }

    /// The table of now.
    ///
    /// **Errors**: whatever opening or reading `/proc/self/mountinfo` failed with; EFBIG beyond the bound.
    package static func current(_ sources: DiskSources = DiskSources()) throws(Errno) -> MountTable {
        MountTable(parsing: try readFile(sources.path("/proc/self/mountinfo"), limit: Limits.textBytes))
    }

    /// The mount with this number, nil when it is not in the table.
    package func mount(id: UInt64) -> Mount? { mounts.last { $0.id == id } }

    /// The innermost mount that holds an absolute path without links and dots, by the tree of mounts alone; nil for other paths and
    /// for tables without a root.
    ///
    /// From the root on, the first mount point on the way is entered, as the kernel walks: a mount that another one hides is not
    /// found, and of two on one point the upper one is.
    package func innermostMount(lexically path: ByteString) -> Mount? {
        guard path.bytes.first == 0x2f, !path.components.contains(where: { $0 == "." || $0 == ".." }) else {
            return nil
        }
        let wanted = path.components
        let known = Set(mounts.map(\.id))
        let onTheWay = mounts.filter { wanted.starts(with: $0.point.components) }
        var current = onTheWay.last { $0.point == "/" && ($0.parent == $0.id || !known.contains($0.parent)) }
        var visited: Set<UInt64> = []
        while let mount = current, visited.insert(mount.id).inserted {
            let next = onTheWay.filter { $0.parent == mount.id && $0.id != mount.id }
                .min { ($0.point.components.count, $1.id) < ($1.point.components.count, $0.id) }
            guard let next else { return mount }
            current = next
        }
        return nil
    }
}

extension Mount {
    /// The mount that holds what `path` leads to now, links followed; nil when it cannot be told, as for a mount outside the root
    /// directory of this process.
    ///
    /// What is mounted on demand is mounted by asking. **Errors**: ENOENT and kin when the path does not open. **Cost**: one open, one
    /// read of the table; a share whose server is silent holds the caller.
    package static func holding(_ path: ByteString, _ sources: DiskSources = DiskSources()) throws(Errno) -> Mount? {
        guard sources.isLive else { return try MountTable.current(sources).innermostMount(lexically: path) }
        let file = try openWithoutAccess(path)
        // The table is read in pieces, so one that changes meanwhile may lack a line.
        for _ in 0..<3 {
            if let mount = try Mount.holding(file, in: MountTable.current(sources)) { return mount }
        }
        return nil
    }

    /// The mount of an open file; nil when the table does not have it.
    ///
    /// An open file stays on its mount when that is unmounted lazily: then the answer is nil, while its path has another (B-09).
    package static func holding(_ file: FileDescriptor, in table: MountTable) throws(Errno) -> Mount? {
        let id = chost_mount_id(file.rawValue)
        if id != 0 { return table.mount(id: id) }
        return try mountID(ofDescriptor: file.rawValue).flatMap { table.mount(id: $0) }
    }
}

/// Opens anything, directories, devices and FIFOs too, for being asked about and nothing else.
///
/// Asked for as a directory first: that alone mounts what is to be mounted at the path itself, which would otherwise be answered by
/// the empty place that waits for it (autofs, `x-systemd.automount`).
private func openWithoutAccess(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let open = { (flags: Int32) throws(Errno) -> FileDescriptor in
        let number = try path.withPath { text throws(Errno) in
            try retryInterrupted("open") {
                Int(chost_open_at(AT_FDCWD, text, chost_path_only() | O_CLOEXEC | flags, 0))
            }
        }
        return FileDescriptor(Int32(number))
    }
    do throws(Errno) {
        return try open(O_DIRECTORY)
    } catch  where error.kind == .notDirectory {
        return try open(0)
    }
}

/// From fdinfo, for kernels before 5.8.
private func mountID(ofDescriptor number: Int32) throws(Errno) -> UInt64? {
    let text = try readFile(ByteString("/proc/self/fdinfo/\(number)"), limit: 64 << 10)
    let key = Array("mnt_id:".utf8)
    guard let line = text.split(separator: 0x0a).first(where: { $0.starts(with: key) }) else { return nil }
    return decimal(ByteString(Array(line.dropFirst(key.count))).trimmed.bytes)
}
