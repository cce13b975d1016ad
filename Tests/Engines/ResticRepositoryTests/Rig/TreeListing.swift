import Bytes
import Foundation

/// What lies in a directory, read with plain system calls and nothing of the program under test.
struct TreeListing: Equatable {
    struct Entry: Equatable {
        var kind: mode_t
        var mode: mode_t
        var owner: [UInt32]
        /// Seconds and nanoseconds.
        var modified: [Int]
        /// Bytes of a file, or the target of a symbolic link.
        var content: [UInt8] = []
        var attributes: [String: [UInt8]] = [:]
        /// The first path with the same inode, for files with several names.
        var twin: String?
        var device: UInt64 = 0
    }

    /// By path below the root, `/dir/file`; bytes that are no UTF-8 as `%NN`.
    var entries: [String: Entry] = [:]
    /// Inode numbers, which no comparison looks at.
    var inodes: [String: UInt64] = [:]
    /// Units of 512 bytes on the disk.
    var blocks: [String: Int] = [:]

    static func == (left: TreeListing, right: TreeListing) -> Bool { left.entries == right.entries }

    /// Reads everything below `root`, the root's own metadata left out; directories of any depth, a few descriptors at a time.
    init(_ root: String, skipping isSkipped: (String) -> Bool = { _ in false }) {
        var firstNames: [UInt64: String] = [:]
        guard let top = Self.openDirectory(AT_FDCWD, root) else { return }
        var current = top
        var levels = [(path: "", names: Self.names(current)[...])]
        while !levels.isEmpty {
            guard let name = levels[levels.count - 1].names.popFirst() else {
                levels.removeLast()
                if levels.isEmpty { break }
                let above = openat(current, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                close(current)
                current = above
                continue
            }
            let path = levels[levels.count - 1].path + "/" + Self.text(name)
            if isSkipped(path) { continue }
            guard var entry = read(name, at: current, path: path) else { continue }
            if entry.kind == S_IFREG, let inode = inodes[path], Self.links(name, current) > 1 {
                entry.twin = firstNames[inode] ?? path
                firstNames[inode] = entry.twin
            }
            entries[path] = entry
            if entry.kind == S_IFDIR, let below = Self.openDirectory(current, name) {
                close(current)
                current = below
                levels.append((path, Self.names(current)[...]))
            }
        }
        close(current)
    }

    private mutating func read(_ name: [CChar], at directory: Int32, path: String) -> Entry? {
        var status = stat()
        guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        inodes[path] = UInt64(status.st_ino)
        blocks[path] = Int(status.st_blocks)
        let kind = status.st_mode & S_IFMT
        var entry = Entry(
            kind: kind,
            mode: status.st_mode & 0o7777,
            owner: [status.st_uid, status.st_gid],
            modified: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        )
        if kind == S_IFCHR || kind == S_IFBLK { entry.device = UInt64(status.st_rdev) }
        if kind == S_IFREG { entry.content = Self.content(directory, name) }
        if kind == S_IFLNK {
            var buffer = [CChar](repeating: 0, count: 5000)
            let count = readlinkat(directory, name, &buffer, buffer.count)
            entry.content = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        }
        entry.attributes = Self.attributes(directory, name)
        return entry
    }

    private static func links(_ name: [CChar], _ directory: Int32) -> Int {
        var status = stat()
        return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? Int(status.st_nlink) : 0
    }

    static func openDirectory(_ at: Int32, _ name: UnsafePointer<CChar>) -> Int32? {
        let number = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        return number < 0 ? nil : number
    }

    /// Names of the entries in byte order, each with its NUL.
    static func names(_ directory: Int32) -> [[CChar]] {
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard let stream = fdopendir(copy) else { return [] }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                Array(bytes.prefix { $0 != 0 }).map { CChar(bitPattern: $0) } + [0]
            }
            if name != [46, 0], name != [46, 46, 0] { names.append(name) }
        }
        return names.sorted {
            $0.map { UInt8(bitPattern: $0) }.lexicographicallyPrecedes($1.map { UInt8(bitPattern: $0) })
        }
    }

    private static func text(_ name: [CChar]) -> String {
        let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return bytes.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "%" + String($0, radix: 16) }.joined()
    }

    private static func content(_ directory: Int32, _ name: [CChar]) -> [UInt8] {
        let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return Array("unreadable".utf8) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Foundation.read(file, &buffer, buffer.count)
            if count <= 0 { return bytes }
            bytes.append(contentsOf: buffer.prefix(count))
        }
    }

    private typealias ListAttributes = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int) -> Int
    private typealias GetAttribute =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int
        ) -> Int

    // Swift's module of the C library leaves them out.
    private static let listAttributes = dlsym(nil, "llistxattr").map { unsafeBitCast($0, to: ListAttributes.self) }
    private static let getAttribute = dlsym(nil, "lgetxattr").map { unsafeBitCast($0, to: GetAttribute.self) }

    /// Extended attributes of the entry itself, access lists included.
    private static func attributes(_ directory: Int32, _ name: [CChar]) -> [String: [UInt8]] {
        // The list calls want a path; the directory's descriptor makes one that cannot be too long.
        let path = Array("/proc/self/fd/\(directory)/".utf8).map { CChar(bitPattern: $0) } + name
        var list = [CChar](repeating: 0, count: 1 << 16)
        guard let listAttributes, let getAttribute else { return [:] }
        let length = listAttributes(path, &list, list.count)
        guard length > 0 else { return [:] }
        var found: [String: [UInt8]] = [:]
        for name in list.prefix(length).split(separator: 0) {
            var value = [UInt8](repeating: 0, count: 1 << 16)
            let count = getAttribute(path, Array(name) + [0], &value, value.count)
            found[String(decoding: name.map { UInt8(bitPattern: $0) }, as: UTF8.self)] = Array(
                value.prefix(max(0, count))
            )
        }
        return found
    }

    /// The paths in which two listings differ, at most ten, each with what differs.
    func differences(from other: TreeListing) -> [String] {
        var lines: [String] = []
        for path in Set(entries.keys).union(other.entries.keys).sorted() where entries[path] != other.entries[path] {
            func text(_ entry: Entry?) -> String {
                guard var entry else { return "absent" }
                let count = entry.content.count
                entry.content = Array(entry.content.prefix(40))
                return "\(entry) of \(count) bytes"
            }
            lines.append("\(path): \(text(entries[path])) against \(text(other.entries[path]))")
            if lines.count == 10 { break }
        }
        return lines
    }

    /// What a right restore of the entries must leave.
    init(expecting forged: [ForgedEntry]) {
        for entry in forged {
            var found = Entry(
                kind: 0,
                mode: entry.mode,
                owner: [geteuid(), getegid()],
                modified: [Int(entry.modified.seconds), Int(entry.modified.nanoseconds)],
                attributes: entry.attributes
            )
            switch entry.kind {
            case .file(let parts): (found.kind, found.content) = (S_IFREG, parts.flatMap { $0 })
            case .directory: found.kind = S_IFDIR
            case .symlink(let target): (found.kind, found.content) = (S_IFLNK, Array(target.utf8))
            case .fifo: found.kind = S_IFIFO
            case .link(let path):
                guard let first = forged.first(where: { $0.path == path }), case .file(let parts) = first.kind else {
                    continue
                }
                let twin = min(path, entry.path)
                (found.kind, found.content, found.twin) = (S_IFREG, parts.flatMap { $0 }, twin)
                entries[path]?.twin = twin
            }
            entries[entry.path] = found
        }
    }
}
