import Bytes
import Console
import Glibc
import HostSystem
import Synchronization

/// The stream of a backup ended badly: no snapshot is made of half a dump (G-14).
struct StreamFailure: Error {
    var path: ByteString
    var message: Text
}

/// Notices a stream without a single byte, which is nearly always a dump that failed.
final class StreamProgress: Sendable {
    private let hasBytes = Atomic<Bool>(false)

    /// Passes the count of a read through.
    func add(_ count: Int) -> Int {
        if count > 0 { hasBytes.store(true, ordering: .relaxed) }
        return count
    }

    /// Throws when nothing came.
    func refuseNothing(_ path: ByteString) throws(StreamFailure) {
        guard hasBytes.load(ordering: .relaxed) else {
            throw StreamFailure(path: path, message: "read \(quotedForDisplay(path)): no data read")
        }
    }
}

/// Reads what standard input has, 0 at its end; waits for it in steps of 100 ms, between which it hears cancellation.
func readStandardInput(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
        try Task.checkCancellation()
        var request = pollfd(fd: FileDescriptor.standardInput.rawValue, events: Int16(POLLIN), revents: 0)
        if poll(&request, 1, 100) > 0 { return try FileDescriptor.standardInput.read(into: buffer) }
    }
}

/// A backup that ended without its snapshot, and why.
struct UnsavedSnapshot: Error {
    var cause: any Error
}
