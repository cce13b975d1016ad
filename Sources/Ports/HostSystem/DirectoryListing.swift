import CHost
package import Bytes
import Glibc

/// The entries of one directory at one moment, without `.` and `..`.
///
/// **Shape**: all names stand one behind the other in one buffer, each with a NUL behind it, so that the kernel can
/// be asked about an entry without building a string; an entry is 16 bytes beside it. **Cost**: 200,000 files take
/// about 8 MB, one system call for each 128 KiB of records, no allocation for an entry.
package struct DirectoryListing: Sendable {
    struct Record: Sendable {
        var inode: UInt64
        var offset: UInt32
        var length: UInt16
        var kind: FileKind
    }

    var names: [UInt8] = []
    var records: [Record] = []

    /// A listing without entries.
    package init() {}

    package var count: Int { records.count }
    package var isEmpty: Bool { records.isEmpty }
    package var indices: Range<Int> { records.indices }

    /// What the entry is according to the directory; `unknown` where the file system does not say, and never proof.
    package func kind(at index: Int) -> FileKind { records[index].kind }
    /// The inode number according to the directory.
    package func inode(at index: Int) -> UInt64 { records[index].inode }

    /// The name, copied.
    package func name(at index: Int) -> ByteString {
        let record = records[index]
        let start = Int(record.offset)
        return ByteString(Array(names[start..<start + Int(record.length)]))
    }

    /// Lends the bytes of the name without copying; the NUL behind them is not among them.
    @inline(__always)
    package func withName<R, E: Error>(
        at index: Int,
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let start = Int(records[index].offset)
        let end = start + Int(records[index].length)
        return try names.withUnsafeBufferPointer { (all) throws(E) -> R in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[start..<end])))
        }
    }

    /// Orders the entries by the bytes of their names, as trees have them.
    package mutating func sort() {
        names.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return }
            records.sort { left, right in
                let shared = Int(min(left.length, right.length))
                let order = memcmp(base + Int(left.offset), base + Int(right.offset), shared)
                return order != 0 ? order < 0 : left.length < right.length
            }
        }
    }

    /// Appends what one call returned; EIO when a record does not fit its own length or the bounds are exceeded.
    fileprivate mutating func append(_ buffer: UnsafeRawBufferPointer) throws(Errno) {
        // struct linux_dirent64: inode 0..<8, offset 8..<16, record length 16..<18, type 18, name 19... with NUL
        var position = 0
        while position + 19 < buffer.count {
            let length = Int(buffer.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
            guard length > 19, position + length <= buffer.count else { throw Errno(EIO, in: "getdents64") }
            let text = buffer[(position + 19)..<(position + length)].prefix { $0 != 0 }
            let isSelfOrParent = text.count <= 2 && text.count >= 1 && text.allSatisfy { $0 == 0x2e }
            if !isSelfOrParent, !text.isEmpty {
                guard names.count + text.count + 1 <= Int(UInt32.max) else { throw Errno(EOVERFLOW, in: "getdents64") }
                records.append(
                    Record(
                        inode: buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self),
                        offset: UInt32(names.count),
                        length: UInt16(text.count),
                        kind: FileKind(entryType: buffer[position + 18])
                    )
                )
                names.append(contentsOf: text)
                names.append(0)
            }
            position += length
        }
    }
}

/// One entry by itself, for callers that are not in a hot loop.
package struct DirectoryEntry: Sendable, Hashable {
    package var name: ByteString
    package var kind: FileKind
    package var inode: UInt64
}

extension Directory {
    /// Bytes of the buffer for one `getdents64`.
    private static let bufferSize = 128 << 10

    /// Reads the whole directory; `sorted` orders by name bytes.
    ///
    /// Fails rather than returning a part.
    ///
    /// Entries that come and go meanwhile may or may not be in it. **Cost**: see `DirectoryListing`.
    package func listing(sorted: Bool = false) throws(Errno) -> DirectoryListing {
        var listing = DirectoryListing()
        var failure: Errno?
        withUnsafeTemporaryAllocation(byteCount: Self.bufferSize, alignment: 8) { buffer in
            do throws(Errno) {
                guard lseek(number, 0, SEEK_SET) >= 0 else { throw Errno.current("lseek") }
                while true {
                    let count = try hooks.around(.list, "getdents64") { () throws(Errno) in
                        try retryInterrupted("getdents64") {
                            chost_directory_entries(number, buffer.baseAddress, buffer.count)
                        }
                    }
                    if count == 0 { return }
                    try listing.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if sorted { listing.sort() }
        return listing
    }

    /// The entries with their names as values, in the order of the directory.
    package func entries() throws(Errno) -> [DirectoryEntry] {
        let listing = try listing()
        return listing.indices.map {
            DirectoryEntry(name: listing.name(at: $0), kind: listing.kind(at: $0), inode: listing.inode(at: $0))
        }
    }

    /// The status of an entry of a listing, without building its name.
    package func status(of index: Int, in listing: DirectoryListing) throws(Errno) -> FileStatus {
        try listing.withPath(at: index) { name throws(Errno) in try status(name) }
    }

    /// Opens a file of a listing as `openFile(_:)` does.
    package func openFile(of index: Int, in listing: DirectoryListing, keepAccessTime: Bool = true) throws(Errno)
        -> FileDescriptor
    {
        try listing.withPath(at: index) { name throws(Errno) in try openFile(name, keepAccessTime: keepAccessTime) }
    }

    /// Opens a directory of a listing as `openDirectory(_:)` does.
    package func openDirectory(of index: Int, in listing: DirectoryListing) throws(Errno) -> Directory {
        try listing.withPath(at: index) { name throws(Errno) in try openDirectory(name) }
    }
}

extension DirectoryListing {
    /// Lends the name with the NUL behind it.
    ///
    /// Names come from the kernel, which has neither slashes nor `..` in them.
    @inline(__always)
    func withPath<R>(at index: Int, _ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
        let offset = Int(records[index].offset)
        return try names.withUnsafeBufferPointer { all throws(Errno) in
            guard let base = all.baseAddress else { preconditionFailure("a listing with entries has names") }
            return try UnsafeRawPointer(base + offset).withMemoryRebound(to: CChar.self, capacity: 1) {
                pointer throws(Errno) in
                try body(pointer)
            }
        }
    }
}
