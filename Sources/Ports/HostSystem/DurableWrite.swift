package import Bytes
import Glibc

/// What a durable write does when the final name is taken.
package enum ExistingFile: Sendable, Hashable {
    case replace
    /// Fails with EEXIST and leaves both names as they were.
    case fail
}

/// Writes a whole file so that it is either complete and durable under its name, or not there (L1).
///
/// 1. The bytes go to a new file `temporaryPrefix` + random in the same directory; it is synced and closed without
///    error before it gets its name.
/// 2. A failed sync means lost bytes: that file is discarded and everything is written once more under another
///    temporary name (B-03). Sync is never repeated on the same file. After a failed sync of the directory the name
///    exists already, so the second file is renamed over the first.
/// 3. When the function returns, file and name are on the disk, as far as the file system can tell.
///
/// **Errors**: the first failing call; the temporary file is removed. EEXIST with `ifExists: .fail`. A file system
/// that cannot sync files or set permissions (ENOTSUP and kin) is accepted. **Cost**: two syncs, no copy of the
/// bytes.
package func writeDurably(
    _ bytes: UnsafeRawBufferPointer,
    to name: ByteString,
    in directory: Directory,
    permissions: UInt32 = 0o600,
    ifExists: ExistingFile = .replace,
    temporaryPrefix: ByteString? = nil,
    entropy: any EntropySource
) throws(Errno) {
    let prefix = temporaryPrefix ?? ByteString(name.bytes + temporaryMark)
    var policy = ifExists
    var isLastAttempt = false
    while true {
        let temporary = temporaryName(prefix: prefix, entropy: entropy)
        do throws(DurableWriteFailure) {
            try attempt(bytes, temporary: temporary, name: name, directory, permissions, policy)
            return
        } catch {
            guard error.isLostSync, !isLastAttempt else { throw error.errno }
            isLastAttempt = true
            if error.isNamed { policy = .replace }
        }
    }
}

/// As above, for an array.
package func writeDurably(
    _ bytes: [UInt8],
    to name: ByteString,
    in directory: Directory,
    permissions: UInt32 = 0o600,
    ifExists: ExistingFile = .replace,
    entropy: any EntropySource
) throws(Errno) {
    try bytes.withRawBytes { bytes throws(Errno) in
        try writeDurably(bytes, to: name, in: directory, permissions: permissions, ifExists: ifExists, entropy: entropy)
    }
}

/// Between the final name and the random digits of the temporary one.
private let temporaryMark = Array("-tmp-".utf8)

/// The final name that a temporary name of a durable write stands for; nil for every other name.
package func durableName(ofTemporary name: ByteString) -> ByteString? {
    let digits = name.bytes.suffix(16)
    let head = name.bytes.dropLast(16)
    let isRandom = digits.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
    }
    guard digits.count == 16, isRandom, head.count > temporaryMark.count,
        head.suffix(temporaryMark.count).elementsEqual(temporaryMark)
    else { return nil }
    return ByteString(Array(head.dropLast(temporaryMark.count)))
}

private struct DurableWriteFailure: Error {
    var errno: Errno
    /// The device took the bytes and lost them; a new file may fare better.
    var isLostSync = false
    /// The final name stands already, and stands for our bytes.
    var isNamed = false
}

private func attempt(
    _ bytes: UnsafeRawBufferPointer,
    temporary: ByteString,
    name: ByteString,
    _ directory: Directory,
    _ permissions: UInt32,
    _ policy: ExistingFile
) throws(DurableWriteFailure) {
    do throws(DurableWriteFailure) {
        try writeTemporary(bytes, temporary, directory, permissions)
        try wrap { () throws(Errno) in
            switch policy {
            case .replace: try directory.rename(temporary, to: name, in: directory)
            case .fail: try directory.renameWithoutReplacing(temporary, to: name, in: directory)
            }
        }
    } catch {
        try? directory.remove(temporary)
        throw error
    }
    do throws(Errno) {
        try directory.sync()
    } catch {
        throw DurableWriteFailure(errno: error, isLostSync: error.kind == .io, isNamed: true)
    }
}

private func writeTemporary(
    _ bytes: UnsafeRawBufferPointer,
    _ temporary: ByteString,
    _ directory: Directory,
    _ permissions: UInt32
) throws(DurableWriteFailure) {
    let file = try wrap { () throws(Errno) in try directory.createFile(temporary) }
    // Reserving is a wish: file systems without it, and those that lie about free space, are found out by the write
    // (C-08).
    try? file.allocate(UInt64(bytes.count))
    try wrap { () throws(Errno) in
        try file.write(bytes)
        try ignoringUnsupported(alsoRefused: true) { () throws(Errno) in try file.setPermissions(permissions) }
    }
    do throws(Errno) {
        try ignoringUnsupported(alsoRefused: false) { () throws(Errno) in try file.sync() }
    } catch {
        throw DurableWriteFailure(errno: error, isLostSync: error.kind == .io)
    }
    try wrap { () throws(Errno) in try file.close() }
}

/// Some file systems have no permissions to set (EPERM on FAT) and some cannot sync; neither is a reason not to store.
private func ignoringUnsupported(
    alsoRefused: Bool,
    _ body: () throws(Errno) -> Void
) throws(Errno) {
    do throws(Errno) {
        try body()
    } catch  where error.code == EOPNOTSUPP || alsoRefused && [EINVAL, ENOSYS, EPERM, EACCES].contains(error.code) {
        return
    }
}

private func wrap<R>(_ body: () throws(Errno) -> R) throws(DurableWriteFailure) -> R {
    do throws(Errno) {
        return try body()
    } catch {
        throw DurableWriteFailure(errno: error)
    }
}
