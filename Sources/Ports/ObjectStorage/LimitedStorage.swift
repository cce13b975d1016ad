package import Bytes
import Synchronization

/// A store that moves at most so many bytes a second each way.
///
/// Each transfer waits for the time that its bytes and all before it take: a write before it begins, a read before its bytes are handed
/// out. Sizes, listings and removals pass at once, and so do locks and the config: a lock that waits behind packs would go stale.
package struct LimitedStorage: ObjectStorage {
    private var inner: any ObjectStorage
    private let upload: Throttle?
    private let download: Throttle?

    /// Bounds: a rate of zero is none.
    package init(
        _ inner: any ObjectStorage,
        uploadBytesPerSecond: UInt64,
        downloadBytesPerSecond: UInt64,
        time: any TimeSource
    ) {
        self.inner = inner
        upload = uploadBytesPerSecond > 0 ? Throttle(uploadBytesPerSecond, time) : nil
        download = downloadBytesPerSecond > 0 ? Throttle(downloadBytesPerSecond, time) : nil
    }

    package var location: String { inner.location }
    package var connections: Int { inner.connections }
    package var localDirectory: ByteString? { inner.localDirectory }
    package var isLocalDisk: Bool { inner.isLocalDisk }
    package var listedPerRequest: Int? { inner.listedPerRequest }

    /// Bounded with this one: both share what they may move.
    package var fromMedium: any ObjectStorage {
        var copy = self
        copy.inner = inner.fromMedium
        return copy
    }

    package func prepare() async throws { try await inner.prepare() }
    package func exists() async throws -> Bool { try await inner.exists() }
    package func absence() async -> String? { await inner.absence() }
    package func size(_ name: ObjectName) async throws -> UInt64 { try await inner.size(name) }
    package func listing(_ kind: ObjectKind) async throws -> ObjectListing { try await inner.listing(kind) }
    package func remove(_ name: ObjectName) async throws { try await inner.remove(name) }
    package func checkIdentity() async throws { try await inner.checkIdentity() }

    package func extendLock(_ name: ObjectName, until end: Timestamp) async throws {
        try await inner.extendLock(name, until: end)
    }

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        if name.kind.isLimited { try await upload?.take(bytes.count) }
        try await inner.put(name, bytes)
    }

    package func replaceConfig(_ bytes: Block) async throws { try await inner.replaceConfig(bytes) }

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let block = try await inner.get(name, range: range)
        if name.kind.isLimited { try await download?.take(block.count) }
        return block
    }
}

extension ObjectKind {
    fileprivate var isLimited: Bool { self != .lock && self != .config }
}

/// Hands out bytes at a steady rate.
private final class Throttle: Sendable {
    private let bytesPerSecond: UInt64
    private let time: any TimeSource
    /// The moment at which all bytes handed out so far are paid for.
    private let freeAt = Mutex<UInt64>(0)

    init(_ bytesPerSecond: UInt64, _ time: any TimeSource) {
        self.bytesPerSecond = bytesPerSecond
        self.time = time
    }

    func take(_ count: Int) async throws {
        let now = time.monotonicNanoseconds()
        // An object has at most a GiB, so that this is below 2^63.
        let cost = UInt64(Double(count) / Double(bytesPerSecond) * 1e9)
        let end = freeAt.withLock { freeAt in
            let (sum, isOver) = max(freeAt, now).addingReportingOverflow(cost)
            freeAt = isOver ? .max : sum
            return freeAt
        }
        if end > now { try await time.sleep(nanoseconds: end - now) }
    }
}
