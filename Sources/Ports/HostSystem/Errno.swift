import Glibc

/// A system call that failed: which one, and with which number.
///
/// What a number means stands in one table (`ErrnoTable.swift`); a number that is not in it has the kind `unknown`,
/// which no caller may treat as "not there" (B-08).
package struct Errno: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kernel's number.
    package var code: Int32
    /// The name of the system call: `openat`.
    package var call: StaticString

    package init(_ code: Int32, in call: StaticString) {
        self.code = code
        self.call = call
    }

    /// What bears the name is not the file any more that was meant.
    package static var stale: Errno { Errno(ESTALE, in: "openat") }

    /// Reads the thread's `errno`; only directly after the failed call.
    static func current(_ call: StaticString) -> Errno { Errno(errno, in: call) }

    package static func == (left: Errno, right: Errno) -> Bool {
        left.code == right.code && left.callName == right.callName
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The name of the system call as text.
    package var callName: String { call.description }
    /// `ENOSPC`; `errno 4711` when the table does not know it.
    package var name: String { ErrnoEntry.of(code)?.name ?? "errno \(code)" }
    /// `No space left on device`.
    package var message: String { ErrnoEntry.of(code)?.sentence ?? "Unknown error \(code)" }
    /// What the operator does about it; never empty.
    package var remedy: String {
        ErrnoEntry.of(code)?.remedy
            ?? "look into the kernel log (dmesg); the call failed in a way that is not known here"
    }
    /// What the number means to a caller that has to decide.
    package var kind: ErrnoKind { ErrnoEntry.of(code)?.kind ?? .unknown }
    /// `No space left on device (ENOSPC in write)`.
    package var description: String { "\(message) (\(name) in \(callName))" }
}

/// What a system call's failure means to a caller that has to decide; every known number has exactly one.
package enum ErrnoKind: String, Sendable, Hashable, CaseIterable {
    /// The name does not exist. Whether the object is gone or the disk below it is for the caller to find out (B-09).
    case missing
    case exists, permission, readOnly, noSpace, quota, fileTooLarge
    /// The device reported a failed transfer.
    case io
    /// The device or the mount is not there any more.
    case gone
    case busy, tooManyFiles, outOfMemory
    /// The file system or the kernel does not offer the operation.
    case unsupported
    case notDirectory, isDirectory, notEmpty, symbolicLink, nameTooLong, crossDevice, badName
    case tooManyLinks, interrupted, wouldBlock, timedOut, brokenPipe
    /// An extended attribute is absent, or changed its length between two calls.
    case noAttribute, range
    /// No such process.
    case noProcess
    /// A mistake of the program: bad descriptor, bad address.
    case misuse
    case unknown
}

/// Runs `body` until it is not interrupted by a signal; throws what it failed with.
@inline(__always)
func retryInterrupted(_ call: StaticString, _ body: () -> Int) throws(Errno) -> Int {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw Errno(code, in: call) }
    }
}

/// Runs `body` once; throws what it failed with.
@inline(__always)
func checked(_ call: StaticString, _ result: Int32) throws(Errno) {
    if result < 0 { throw Errno.current(call) }
}
