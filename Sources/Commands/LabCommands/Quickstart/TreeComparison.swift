package import Bytes
import HostSystem

/// What a comparison of restored files with their source found.
package struct TreeComparison: Sendable, Equatable {
    /// Everything that is no directory.
    package var files = 0
    /// Bytes of regular files that were read on both sides.
    package var bytes: UInt64 = 0
    package var equal = 0
    /// Absolute paths of source files that were changed or removed after the backup began, in order of the walk.
    package var changedSince: [ByteString] = []
    /// Files that differ although nothing says that the source was changed: path and what differs.
    package var differing: [Difference] = []

    /// One file that differs.
    package struct Difference: Sendable, Equatable {
        package var path: ByteString
        package var what: String

        package init(path: ByteString, what: String) {
            self.path = path
            self.what = what
        }
    }
}

/// Compares every entry below `restored` with the entry of the same path below `source`, byte by byte.
///
/// `since` is the moment at which the backup began: a source whose change time is later is named as changed, and not as different.
/// Kinds, permissions, modification times and link targets are compared, too; for directories kind and permissions. Isolation: blocks;
/// run it on a pool. **Cost**: two buffers of 1 MiB, each file read once on each side; iterative.
package struct TreeComparer {
    let restored: ByteString
    /// The folder whose entries were saved with their paths from it; "" for the root of the machine.
    let source: ByteString
    let since: Timestamp
    private static let bufferBytes = 1 << 20

    package init(restored: ByteString, source: ByteString = "", since: Timestamp) {
        self.restored = restored
        self.source = source
        self.since = since
    }

    /// Compares and reports.
    ///
    /// Errors: `E-FOLDER` when the restored side cannot be read, cancellation.
    package func run(progress: (TreeComparison) -> Void = { _ in }) throws -> TreeComparison {
        var result = TreeComparison()
        var pending: [ByteString] = [""]
        while let folder = pending.popLast() {
            try Task.checkCancellation()
            let copy = try open(restored.appending(folder))
            let original = source.appending(folder)
            let source = try? Directory.open(original.bytes.isEmpty ? "/" : original, followLinks: false)
            for entry in try list(copy, folder) {
                let path = folder.appending("/").appending(entry)
                if try compare(entry, self.source.appending(path), copy, source, &result) == .directory {
                    pending.append(path)
                }
            }
            progress(result)
        }
        return result
    }

    private func open(_ path: ByteString) throws -> Directory {
        do throws(Errno) { return try Directory.open(path, followLinks: false) } catch {
            throw LabFailure.folder("open", path.display, error)
        }
    }

    private func list(_ directory: Directory, _ folder: ByteString) throws -> [ByteString] {
        do throws(Errno) { return try directory.entries().map(\.name).sorted(by: >) } catch {
            throw LabFailure.folder("list", folder.display, error)
        }
    }

    /// Compares one entry and says what kind the restored one is.
    private func compare(
        _ name: ByteString,
        _ path: ByteString,
        _ copy: Directory,
        _ source: Directory?,
        _ result: inout TreeComparison
    ) throws -> FileKind {
        let have: FileStatus
        do throws(Errno) { have = try copy.status(name) } catch {
            throw LabFailure.folder("look at", path.display, error)
        }
        if have.kind != .directory { result.files += 1 }
        guard let source, let want = try? source.status(name) else {
            result.changedSince.append(path)
            return have.kind
        }
        let found = difference(name, copy, have, source, want, &result)
        if have.kind != .directory, found == nil { result.equal += 1 }
        if let found {
            if since < want.changed
                || have.kind != .directory && want.modified != have.modified && since < want.modified
            {
                result.changedSince.append(path)
            } else {
                result.differing.append(TreeComparison.Difference(path: path, what: found))
            }
        }
        return have.kind
    }

    private func difference(
        _ name: ByteString,
        _ copy: Directory,
        _ have: FileStatus,
        _ source: Directory,
        _ want: FileStatus,
        _ result: inout TreeComparison
    ) -> String? {
        guard have.kind == want.kind else { return "is a \(have.kind), was a \(want.kind)" }
        if have.kind == .symbolicLink {
            return (try? copy.readLink(name)) == (try? source.readLink(name)) ? nil : "points elsewhere"
        }
        guard have.permissions == want.permissions else {
            return "has mode \(String(have.permissions, radix: 8)), had \(String(want.permissions, radix: 8))"
        }
        guard have.kind == .regular else { return nil }
        guard have.size == want.size else { return "has \(have.size) bytes, had \(want.size)" }
        guard have.modified == want.modified else { return "has another modification time" }
        do {
            let left = try copy.openFile(name)
            let right = try source.openFile(name)
            result.bytes += have.size
            return try isSame(left, right) ? nil : "has other content"
        } catch {
            return "cannot be read: \(error)"
        }
    }

    private func isSame(_ left: FileDescriptor, _ right: FileDescriptor) throws -> Bool {
        try withUnsafeTemporaryAllocation(byteCount: 2 * Self.bufferBytes, alignment: 4096) { buffer in
            let one = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Self.bufferBytes])
            let two = UnsafeMutableRawBufferPointer(rebasing: buffer[Self.bufferBytes...])
            while true {
                let count = try left.readFully(into: one)
                guard try right.readFully(into: two) == count else { return false }
                guard one[..<count].elementsEqual(two[..<count]) else { return false }
                if count < Self.bufferBytes { return true }
            }
        }
    }
}

extension ByteString {
    /// This and then the other.
    func appending(_ other: ByteString) -> ByteString { ByteString(bytes + other.bytes) }
}
