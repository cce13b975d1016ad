import Bytes
import HostSystem
import ObjectStorage
import Synchronization

/// Copies in the cache that were read lately, held open: the least recently used of 32 is closed first.
///
/// Isolation: any task; nothing is opened while the mutex is held.
final class CachedFiles: Sendable {
    static let filesMax = 32

    private let files = Mutex(LeastRecentlyUsed<ObjectName, FileDescriptor>(limit: CachedFiles.filesMax))

    /// The open file, or what `open` gives.
    func file(_ name: ObjectName, open: () -> FileDescriptor?) -> FileDescriptor? {
        if let known = files.withLock({ $0[name] }) { return known }
        guard let file = open() else { return nil }
        files.withLock { $0.insert(file, for: name) }
        return file
    }

    /// Closes it once nobody reads it any more.
    func drop(_ name: ObjectName) { files.withLock { $0.remove(name) } }
}
