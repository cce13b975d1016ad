import Bytes
import Console
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

/// A backup that ended without its snapshot, and why.
struct UnsavedSnapshot: Error {
    var cause: any Error
}
