import CHost
package import Bytes
import Glibc
import Synchronization

/// An open file, closed when its last owner lets go.
///
/// Reads and writes loop over short results and EINTR; a failed call throws and says which one.
/// Closing while another task uses the descriptor is a bug of the owner.
package final class FileDescriptor: Sendable {
    private let number: Atomic<Int32>
    private let isOwned: Bool
    let hooks: SystemHooks?

    /// Takes over an open descriptor; with `owned` false it is left open, as the standard streams are.
    package init(_ number: Int32, owned: Bool = true, hooks: SystemHooks? = nil) {
        self.number = Atomic(number)
        isOwned = owned
        self.hooks = hooks
    }

    deinit {
        let open = number.load(ordering: .relaxed)
        if isOwned, open >= 0 { _ = Glibc.close(open) }
    }

    package static let standardInput = FileDescriptor(0, owned: false)
    package static let standardOutput = FileDescriptor(1, owned: false)
    package static let standardError = FileDescriptor(2, owned: false)

    /// The kernel's number, -1 after closing.
    package var rawValue: Int32 { number.load(ordering: .relaxed) }

    /// Closes and reports the error that closing had: on some file systems the last write fails here (B-04).
    ///
    /// The descriptor is gone even when this throws; EINTR counts as closed, as Linux does it.
    package func close() throws(Errno) {
        let open = number.exchange(-1, ordering: .relaxed)
        guard open >= 0, isOwned else { return }
        let verdict = hooks?.verdict(.close) ?? .proceed
        let result = Glibc.close(open)
        let code = errno
        switch verdict {
        case .fail(let injected), .failAfter(let injected): throw Errno(injected, in: "close")
        case .proceed, .shorten: break
        }
        if result != 0, code != EINTR { throw Errno(code, in: "close") }
    }

    /// Hands the descriptor to somebody else, who closes it.
    package func release() -> Int32 { number.exchange(-1, ordering: .relaxed) }

    // MARK: Reading

    /// Reads up to `buffer.count` bytes from the current position; 0 means the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            do throws(Errno) {
                return try hooks.around(.read, "read", count: buffer.count) { count throws(Errno) in
                    try retryInterrupted("read") { Glibc.read(rawValue, buffer.baseAddress, count) }
                }
            } catch  where error.code == EAGAIN {
                try wait(for: Int16(POLLIN))
            }
        }
    }

    /// Reads as `read(into:)` does from a pipe or terminal that may stay silent, and hears a cancellation within 100 ms.
    ///
    /// Errors: `Errno`; `CancellationError` when the task was cancelled before anything came.
    package func readUnlessCancelled(into buffer: UnsafeMutableRawBufferPointer) async throws -> Int {
        while try !pollReadable([(rawValue, Int16(POLLIN))], timeoutMilliseconds: 100)[0] {
            try Task.checkCancellation()
        }
        return try read(into: buffer)
    }

    /// Reads until `buffer` is full or the file ends; returns how many bytes it got.
    package func readFully(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Reads at `offset` bytes until `buffer` is full or the file ends; returns how many bytes it got.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let position = try signedOffset(offset, adding: filled)
            let count = try hooks.around(.read, "pread", count: rest.count) { count throws(Errno) in
                try retryInterrupted("pread") { pread(rawValue, rest.baseAddress, count, position) }
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    // MARK: Writing

    /// Writes all bytes at the current position.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        try writeAll(bytes, call: "write") { rest, count, _ in Glibc.write(rawValue, rest.baseAddress, count) }
    }

    /// Writes all bytes at the current position.
    package func write(_ bytes: [UInt8]) throws(Errno) {
        try bytes.withRawBytes { bytes throws(Errno) in try write(bytes) }
    }

    /// Writes all bytes at `offset` bytes from the start.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
        _ = try signedOffset(offset, adding: bytes.count)
        try writeAll(bytes, call: "pwrite") { rest, count, done in
            pwrite(rawValue, rest.baseAddress, count, off_t(offset) + off_t(done))
        }
    }

    private func writeAll(
        _ bytes: UnsafeRawBufferPointer,
        call: StaticString,
        _ body: (UnsafeRawBufferPointer, _ count: Int, _ done: Int) -> Int
    ) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            do throws(Errno) {
                let count = try hooks.around(.write, call, count: rest.count) { count throws(Errno) in
                    try retryInterrupted(call) { body(rest, count, done) }
                }
                // Nothing moved and no reason given: going on would loop for ever.
                if count == 0 { throw Errno(EIO, in: call) }
                done += count
            } catch  where error.code == EAGAIN {
                try wait(for: Int16(POLLOUT))
            }
        }
    }

    /// Waits until the descriptor can move bytes again.
    private func wait(for events: Int16) throws(Errno) {
        var request = pollfd(fd: rawValue, events: events, revents: 0)
        _ = try retryInterrupted("poll") { Int(poll(&request, 1, -1)) }
    }

    private func signedOffset(_ offset: UInt64, adding count: Int) throws(Errno) -> off_t {
        let (sum, overflow) = offset.addingReportingOverflow(UInt64(count))
        guard !overflow, let position = off_t(exactly: sum) else { throw Errno(EOVERFLOW, in: "offset") }
        return position
    }

    // MARK: The file behind it

    /// The status of the open file, whatever its name means by now.
    package func status() throws(Errno) -> FileStatus {
        try hooks.around(.status, "fstat") { () throws(Errno) in try FileStatus.at(rawValue, "") }
    }

    /// Makes content and metadata durable.
    ///
    /// A failure means that the content is lost: discard the file, never sync again (B-03).
    package func sync() throws(Errno) {
        try hooks.around(.sync, "fsync") { () throws(Errno) in
            _ = try retryInterrupted("fsync") { Int(fsync(rawValue)) }
        }
    }

    /// Sets the length in bytes; what is added reads as zeros.
    package func truncate(to size: UInt64) throws(Errno) {
        let length = try signedOffset(size, adding: 0)
        try hooks.around(.write, "ftruncate") { () throws(Errno) in
            _ = try retryInterrupted("ftruncate") { Int(ftruncate(rawValue, length)) }
        }
    }

    /// Reserves room for `size` bytes without changing the file's length.
    package func allocate(_ size: UInt64) throws(Errno) {
        let length = try signedOffset(size, adding: 0)
        guard length > 0 else { return }
        try hooks.around(.allocate, "fallocate") { () throws(Errno) in
            _ = try retryInterrupted("fallocate") { Int(chost_reserve(rawValue, Int64(length))) }
        }
    }

    /// Frees the blocks of a range, which then reads as zeros; the length stays.
    package func punchHole(at offset: UInt64, count: UInt64) throws(Errno) {
        let start = try signedOffset(offset, adding: 0)
        let length = try signedOffset(count, adding: 0)
        guard length > 0 else { return }
        try hooks.around(.allocate, "fallocate") { () throws(Errno) in
            _ = try retryInterrupted("fallocate") {
                Int(chost_punch_hole(rawValue, Int64(start), Int64(length)))
            }
        }
    }

    /// Asks the disk to begin with those bytes, without waiting for it; a hint, never an error.
    package func startWriting(at offset: UInt64, count: Int) {
        chost_start_writing(rawValue, Int64(clamping: offset), Int64(count))
    }

    /// Tells the kernel that the file is read once from front to back; a hint, never an error.
    package func adviseSequential() { _ = posix_fadvise(rawValue, 0, 0, POSIX_FADV_SEQUENTIAL) }

    /// Tells the kernel that a range will not be read again; a hint, never an error.
    package func adviseDone(at offset: UInt64, count: UInt64) {
        _ = posix_fadvise(
            rawValue,
            off_t(truncatingIfNeeded: offset),
            off_t(truncatingIfNeeded: count),
            POSIX_FADV_DONTNEED
        )
    }

    /// Takes the advisory whole-file lock (flock); false when another holds it.
    package func tryLock(exclusive: Bool) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try retryInterrupted("flock") { Int(flock(rawValue, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB)) }
            return true
        } catch  where error.code == EWOULDBLOCK {
            return false
        }
    }

    /// Gives the advisory lock back.
    package func unlock() { _ = flock(rawValue, LOCK_UN) }

    /// Identifier of the mount the file lives on; nil when the kernel does not tell.
    package var mountID: UInt64? {
        let identifier = chost_mount_id(rawValue)
        return identifier == 0 ? nil : identifier
    }

    // MARK: Metadata

    /// Sets the twelve permission bits exactly, whatever the umask.
    package func setPermissions(_ permissions: UInt32) throws(Errno) {
        try hooks.around(.setMetadata, "fchmod") { () throws(Errno) in
            try checked("fchmod", fchmod(rawValue, permissions & 0o7777))
        }
    }

    /// Sets user and group.
    package func setOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        try hooks.around(.setMetadata, "fchown") { () throws(Errno) in try checked("fchown", fchown(rawValue, uid, gid))
        }
    }

    /// Sets access and modification time to the nanosecond.
    package func setTimes(accessed: Timestamp, modified: Timestamp) throws(Errno) {
        try hooks.around(.setMetadata, "futimens") { () throws(Errno) in
            try withTimes(accessed, modified) { times throws(Errno) in
                try checked("futimens", futimens(rawValue, times))
            }
        }
    }
}

/// Lends access and modification time as the C library wants them.
func withTimes(
    _ accessed: Timestamp,
    _ modified: Timestamp,
    _ body: (UnsafePointer<timespec>) throws(Errno) -> Void
) throws(Errno) {
    var pair = (
        timespec(tv_sec: Int(accessed.seconds), tv_nsec: Int(accessed.nanoseconds)),
        timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanoseconds))
    )
    var outcome: Result<Void, Errno> = .success(())
    withUnsafePointer(to: &pair) { pair in
        pair.withMemoryRebound(to: timespec.self, capacity: 2) { times in
            do throws(Errno) { try body(times) } catch { outcome = .failure(error) }
        }
    }
    try outcome.get()
}

extension [UInt8] {
    /// Lends the bytes without copying, keeping the error type.
    @inline(__always)
    func withRawBytes<R>(_ body: (UnsafeRawBufferPointer) throws(Errno) -> R) throws(Errno) -> R {
        try withUnsafeBufferPointer { buffer throws(Errno) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}

/// A pipe, both ends closed on exec.
package func makePipe() throws(Errno) -> (reader: FileDescriptor, writer: FileDescriptor) {
    var ends: [Int32] = [-1, -1]
    try checked("pipe2", chost_pipe(&ends))
    return (FileDescriptor(ends[0]), FileDescriptor(ends[1]))
}
