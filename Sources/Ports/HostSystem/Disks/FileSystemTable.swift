package import Bytes

/// What the operator wrote down to be mounted, and where: the mount points of `/etc/fstab`.
package struct FileSystemTable: Sendable {
    /// Bounds of what is read (L5).
    package enum Limits {
        /// Bytes of the file; real ones have a few hundred.
        package static let textBytes = 1 << 20
    }

    /// Absolute, without a slash at the end, in the order of the file; swap and the like have none.
    package let points: [ByteString]

    /// Reads the text of the file; lines that are none of its kind are passed over, as `mount` does.
    package init(parsing text: [UInt8]) {
        points = text.prefix(Limits.textBytes).split(separator: 0x0a).compactMap { line in
            let fields = line.split { $0 == 0x20 || $0 == 0x09 }
            guard fields.count >= 2, fields[0].first != UInt8(ascii: "#") else { return nil }
            let point = unescaped(fields[1])
            guard point.bytes.first == UInt8(ascii: "/") else { return nil }
            return ByteString(point.components.flatMap { [UInt8(ascii: "/")] + $0.bytes })
        }
    }

    /// The file of now.
    ///
    /// **Errors**: whatever reading it failed with; EFBIG beyond the bound.
    package static func read(_ path: ByteString = "/etc/fstab") throws(Errno) -> FileSystemTable {
        FileSystemTable(parsing: try readFile(path, limit: Limits.textBytes))
    }

    /// The innermost mount point that is the path or holds it; the root counts as none.
    package func innermostPoint(holding path: ByteString) -> ByteString? {
        let wanted = path.components
        return points.filter { !$0.components.isEmpty && wanted.starts(with: $0.components) }
            .max { $0.components.count < $1.components.count }
    }
}

extension Mount {
    /// The mount that begins at a folder, links followed; nil where it is an ordinary folder of the mount above.
    ///
    /// What is mounted on demand is mounted by asking. **Errors**: ENOENT and kin when the folder does not open.
    package static func beginning(at point: ByteString) throws(Errno) -> Mount? {
        guard let mount = try holding(point), let above = try holding(ByteString(point.bytes + Array("/..".utf8)))
        else { return nil }
        return mount.id == above.id ? nil : mount
    }
}
