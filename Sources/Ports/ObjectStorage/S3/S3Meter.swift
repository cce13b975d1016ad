import HTTPTransport
import Synchronization

/// Counts what a service bills: bytes both ways, and requests by their two classes.
///
/// Deletions cost nothing anywhere.
package final class S3Meter: Sendable {
    /// What was moved.
    package struct Counts: Sendable, Hashable {
        package var uploadedBytes: UInt64 = 0
        package var downloadedBytes: UInt64 = 0
        /// Requests that write or list.
        package var writes: UInt64 = 0
        /// Requests that read.
        package var reads: UInt64 = 0
    }

    private let counts = Mutex(Counts())

    package init() {}

    /// What was counted and not yet taken.
    package var current: Counts { counts.withLock { $0 } }

    /// What was counted since it was last taken.
    package func take() -> Counts {
        counts.withLock { counts in
            defer { counts = Counts() }
            return counts
        }
    }

    /// A request counts as it is sent, answered or not; `key` is empty for what asks the bucket itself, as listings do.
    func sent(_ method: HTTPMethod, key: String, bytes: Int) {
        counts.withLock { counts in
            counts.uploadedBytes += UInt64(bytes)
            switch method {
            case .get where !key.isEmpty, .head: counts.reads += 1
            case .delete: break
            default: counts.writes += 1
            }
        }
    }

    func received(_ bytes: Int) { counts.withLock { $0.downloadedBytes += UInt64(bytes) } }
}
