import Bytes
import HostSystem
import Outcome

extension LocalStorage {
    /// Reads; with `isFromMedium` the kernel lets go of its copy first, and of what it keeps of the reading.
    func read(_ name: ObjectName, _ range: Range<UInt64>?, isFromMedium: Bool = false) throws -> Block {
        let root = try openRoot("read")
        let file: FileDescriptor
        let status: FileStatus
        do throws(Errno) {
            file = try root.directory.openFileBeneath(ByteString(name.path))
            status = try file.status()
        } catch {
            throw objectFailure(error, "read", name)
        }
        guard status.kind == .regular else { throw notAFile(status.kind, "read", name) }
        let wanted = range ?? 0..<status.size
        guard wanted.upperBound <= status.size else { throw tooShort(name, has: status.size, wanted: wanted) }
        guard UInt64(wanted.count) <= StorageLimits.objectBytesMax else { throw tooLarge(name, UInt64(wanted.count)) }
        let block = Block(capacity: wanted.count)
        if isFromMedium { letGo(of: wanted, in: file) }
        defer { if isFromMedium { letGo(of: wanted, in: file) } }
        do throws(Errno) {
            try block.fill { room throws(Errno) in
                let part = UnsafeMutableRawBufferPointer(rebasing: room[..<wanted.count])
                return try file.read(into: part, at: wanted.lowerBound)
            }
        } catch {
            throw failure(error, "read", object(name), detail: "\(wanted.count) bytes at \(wanted.lowerBound)")
        }
        guard block.count == wanted.count else {
            throw tooShort(name, has: wanted.lowerBound + UInt64(block.count), wanted: wanted)
        }
        return block
    }

    /// Whole pages, since the kernel keeps those that are only touched.
    private func letGo(of range: Range<UInt64>, in file: borrowing FileDescriptor) {
        let page: UInt64 = 1 << 16
        let start = range.lowerBound / page * page
        file.adviseDone(at: start, count: (range.upperBound - start + page - 1) / page * page)
    }

    func sizeOf(_ name: ObjectName) throws -> UInt64 {
        let root = try openRoot("look up")
        let status: FileStatus
        do throws(Errno) {
            status = try root.directory.openFileBeneath(ByteString(name.path)).status()
        } catch {
            throw objectFailure(error, "look up", name)
        }
        guard status.kind == .regular else { throw notAFile(status.kind, "look up", name) }
        return status.size
    }

    func listObjects(_ kind: ObjectKind) throws -> ObjectListing {
        let root = try openRoot("list")
        var result = ObjectListing()
        if kind == .config {
            let status: FileStatus? = try? root.directory.status("config")
            if let status, status.kind == .regular {
                result.entries.append(ObjectEntry(digest: .zero, size: status.size))
            }
            return result
        }
        if try isLockDirectoryAbsent(kind, root) { return result }
        let directory = try openDirectory(kind, in: root, "list")
        do throws(Errno) {
            if kind == .pack {
                try listPacks(in: directory, into: &result)
            } else {
                try list(directory, "\(kind.directoryName)/", into: &result) { _ in true }
            }
        } catch {
            throw failure(error, "list", "directory \(kind.directoryName) of the repository in \(location)")
        }
        return result
    }

    /// True when `locks` is missing in a repository that has a config.
    ///
    /// It is empty most of the time, and tools that copy repositories leave empty directories out; restic takes that
    /// for no locks, too.
    func isLockDirectoryAbsent(_ kind: ObjectKind, _ root: Root) throws -> Bool {
        guard kind == .lock, root.opened.config != nil, root.opened.directories[.lock] == nil else { return false }
        do throws(Errno) {
            return try !root.directory.exists(ByteString(kind.directoryName))
        } catch {
            throw failure(error, "list", "directory \(kind.directoryName) of the repository in \(location)")
        }
    }

    private func listPacks(in data: Directory, into result: inout ObjectListing) throws(Errno) {
        let subdirectories = try data.listing()
        for index in subdirectories.indices {
            let name = subdirectories.name(at: index)
            guard let prefix = twoDigits(name), let directory = try openIfDirectory(index, in: subdirectories, of: data)
            else {
                result.noteForeign("data/\(name.display)")
                continue
            }
            // A pack under the prefix of another is not where anybody reads it.
            try list(directory, "data/\(name.display)/", into: &result) { $0.firstByte == prefix }
        }
    }

    /// Nil when the entry is something else than a directory, a link to one included.
    private func openIfDirectory(
        _ index: Int,
        in listing: DirectoryListing,
        of data: Directory
    ) throws(Errno) -> Directory? {
        guard [.directory, .unknown].contains(listing.kind(at: index)) else { return nil }
        do throws(Errno) {
            return try data.openDirectory(of: index, in: listing)
        } catch  where [.notDirectory, .symbolicLink, .missing].contains(error.kind) {
            return nil
        }
    }

    private func list(
        _ directory: Directory,
        _ prefix: String,
        into result: inout ObjectListing,
        where belongs: (Digest) -> Bool
    ) throws(Errno) {
        let listing = try directory.listing()
        result.entries.reserveCapacity(result.entries.count + listing.count)
        for index in listing.indices {
            guard let digest = listing.withName(at: index, { Digest(hex: $0) }), !digest.isZero, belongs(digest) else {
                result.noteForeign(prefix + listing.name(at: index).display)
                continue
            }
            do throws(Errno) {
                let status = try directory.status(of: index, in: listing)
                if status.kind == .regular {
                    result.entries.append(ObjectEntry(digest: digest, size: status.size))
                } else {
                    result.noteForeign(prefix + listing.name(at: index).display)
                }
            } catch  where error.kind == .missing {
                // Removed since the directory was read: as if it had been before.
            }
        }
    }

    private func twoDigits(_ name: ByteString) -> UInt8? {
        guard name.bytes.count == 2 else { return nil }
        var value: UInt8 = 0
        for digit in name.bytes {
            switch digit {
            case 48...57: value = value << 4 | (digit - 48)
            case 97...102: value = value << 4 | (digit - 87)
            default: return nil
            }
        }
        return value
    }

    // MARK: Words

    func notAFile(_ kind: FileKind, _ operation: String, _ name: ObjectName) -> StorageFailure {
        StorageFailure(
            .layout,
            operation,
            object(name),
            "is a \(kind) where the repository has a file",
            next: "move it away, then run check"
        )
    }

    private func tooShort(_ name: ObjectName, has size: UInt64, wanted: Range<UInt64>) -> StorageFailure {
        StorageFailure(
            .tooShort,
            "read",
            object(name),
            "has \(size) bytes; bytes \(wanted.lowerBound) to \(wanted.upperBound) were asked for",
            next: "run check --read-data to see what is damaged"
        )
    }

    private func tooLarge(_ name: ObjectName, _ count: UInt64) -> StorageFailure {
        StorageFailure(
            .tooLarge,
            "read",
            object(name),
            "\(count) bytes are more than the \(StorageLimits.objectBytesMax) that are read at once",
            next: "run check: no object of a repository is that large"
        )
    }
}
