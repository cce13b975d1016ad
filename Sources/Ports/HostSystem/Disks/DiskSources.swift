package import Bytes
import Glibc

/// Where the facts about disks are read: the machine's own `/proc`, `/sys`, `/run` and `/dev`, or a recorded tree.
package struct DiskSources: Sendable {
    /// Bounds of what is read (L5).
    package enum Limits {
        /// Bytes of one attribute of sysfs; the kernel writes one page at most.
        package static let attributeBytes = 64 << 10
        /// Entries of one directory.
        package static let entries = 4096
        /// Layers between a path and its disks: partitions, mappings, arrays, files that hold a file system.
        package static let depth = 16
        /// Devices looked at for one question.
        package static let devices = 1024
    }

    /// What stands before each path; empty for the machine itself.
    package let root: ByteString

    /// With a `root`, mounts and device nodes are told from the recorded texts alone.
    package init(root: ByteString = "") { self.root = root }

    var isLive: Bool { root.isEmpty }

    func path(_ path: ByteString) -> ByteString { root + path }

    /// The trimmed content of an attribute; nil when it is missing, empty or too long, or may not be read.
    func attribute(_ path: ByteString) -> ByteString? {
        guard let text = rawAttribute(path).map({ ByteString($0).trimmed }), !text.isEmpty else { return nil }
        return text
    }

    /// The bytes of an attribute; nil when it is missing or too long, or may not be read.
    func rawAttribute(_ path: ByteString) -> [UInt8]? {
        try? readFile(self.path(path), limit: Limits.attributeBytes)
    }

    /// Names in a directory, ordered; none when it does not exist.
    ///
    /// **Errors**: any other failure, since "no layers below" and "cannot look" are different answers; EFBIG beyond the bound.
    func names(_ path: ByteString) throws(Errno) -> [ByteString] {
        let directory: Directory
        do throws(Errno) {
            directory = try Directory.open(self.path(path))
        } catch  where error.kind == .missing || error.kind == .notDirectory {
            return []
        }
        let names = try directory.entries().map(\.name).sorted()
        guard names.count <= Limits.entries else { throw Errno(EFBIG, in: "getdents64") }
        return names
    }

    /// The target of a symbolic link, nil when there is none.
    func linkTarget(_ path: ByteString) -> ByteString? {
        var parts = path.components
        guard let name = parts.popLast() else { return nil }
        return try? Directory.open(self.path(absolute(parts))).readLink(name)
    }

    /// Whether there is such a file; "not allowed to look" is thrown, since it is no answer.
    func exists(_ path: ByteString) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try status(at: self.path(path), followLinks: true)
            return true
        } catch  where error.kind == .missing || error.kind == .notDirectory {
            return false
        }
    }
}

/// `/a/b` of its components, with `..` applied as text; right where directories on the way are not links, as below `/sys/devices`.
func absolute(_ components: some Sequence<ByteString>) -> ByteString {
    var kept: [ByteString] = []
    for part in components {
        switch part {
        case ".": continue
        case "..": _ = kept.popLast()
        default: kept.append(part)
        }
    }
    return kept.isEmpty ? "/" : kept.reduce(ByteString()) { $0 + "/" + $1 }
}
