import Bytes
import ObjectStorage
import Synchronization

/// A store that moves at most so many bytes a second each way (`--limit-upload`, `--limit-download`).
///
/// Each transfer waits for the time that its bytes and all before it take; sizes, listings and removals pass at once.
struct LimitedStorage: ObjectStorage {
    private let inner: any ObjectStorage
    private let upload: Throttle?
    private let download: Throttle?

    init(_ inner: any ObjectStorage, uploadBytesPerSecond: UInt64, downloadBytesPerSecond: UInt64, time: any TimeSource)
    {
        self.inner = inner
        upload = uploadBytesPerSecond > 0 ? Throttle(uploadBytesPerSecond, time) : nil
        download = downloadBytesPerSecond > 0 ? Throttle(downloadBytesPerSecond, time) : nil
    }

    var location: String { inner.location }
    var connections: Int { inner.connections }
    var localDirectory: ByteString? { inner.localDirectory }
    var isLocalDisk: Bool { inner.isLocalDisk }

    func prepare() async throws { try await inner.prepare() }
    func exists() async throws -> Bool { try await inner.exists() }
    func size(_ name: ObjectName) async throws -> UInt64 { try await inner.size(name) }
    func listing(_ kind: ObjectKind) async throws -> ObjectListing { try await inner.listing(kind) }
    func remove(_ name: ObjectName) async throws { try await inner.remove(name) }
    func checkIdentity() async throws { try await inner.checkIdentity() }

    func put(_ name: ObjectName, _ bytes: Block) async throws {
        if name.kind != .lock { try await upload?.take(bytes.count) }
        try await inner.put(name, bytes)
    }

    func replaceConfig(_ bytes: Block) async throws { try await inner.replaceConfig(bytes) }

    func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let block = try await inner.get(name, range: range)
        if name.kind != .lock { try await download?.take(block.count) }
        return block
    }
}

/// Hands out bytes at a steady rate.
private final class Throttle: Sendable {
    private let bytesPerSecond: UInt64
    private let time: any TimeSource
    private let freeAt = Mutex<UInt64>(0)

    init(_ bytesPerSecond: UInt64, _ time: any TimeSource) {
        self.bytesPerSecond = bytesPerSecond
        self.time = time
    }

    func take(_ count: Int) async throws {
        let now = time.monotonicNanoseconds()
        let cost = UInt64(Double(count) / Double(bytesPerSecond) * 1e9)
        let start = freeAt.withLock { freeAt in
            let start = max(freeAt, now)
            freeAt = start + cost
            return start
        }
        if start + cost > now { try await time.sleep(nanoseconds: start + cost - now) }
    }
}
