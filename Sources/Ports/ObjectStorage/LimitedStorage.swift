package import Bytes
import Synchronization

/// A store that moves at most so many bytes a second each way.
///
/// Each transfer waits for the time that its bytes and all before it take: a write before it begins, a read before its bytes are handed
/// out. Sizes, listings and removals pass at once, and so do locks and the config: a lock that waits behind packs would go stale.
package struct LimitedStorage: ObjectStorage {
    /// Bytes a second that may be moved now; nil: no bound.
    ///
    /// Asked before each transfer, and once a minute of a wait.
    package typealias Rate = @Sendable () -> UInt64?

    private var inner: any ObjectStorage
    private let upload: Throttle?
    private let download: Throttle?

    /// Nil: no bound at any time.
    package init(_ inner: any ObjectStorage, upload: Rate?, download: Rate?, time: any TimeSource) {
        self.inner = inner
        self.upload = upload.map { Throttle($0, time) }
        self.download = download.map { Throttle($0, time) }
    }

    /// The same at all times.
    ///
    /// Bounds: a rate of zero is none.
    package init(
        _ inner: any ObjectStorage,
        uploadBytesPerSecond: UInt64,
        downloadBytesPerSecond: UInt64,
        time: any TimeSource
    ) {
        func rate(_ bytes: UInt64) -> Rate? {
            let always: Rate = { bytes }
            return bytes > 0 ? always : nil
        }
        self.init(inner, upload: rate(uploadBytesPerSecond), download: rate(downloadBytesPerSecond), time: time)
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

/// Hands out bytes at the rate of the hour.
private final class Throttle: Sendable {
    private static let looksEveryNanoseconds: UInt64 = 60_000_000_000

    private let rate: LimitedStorage.Rate
    private let time: any TimeSource
    /// The moment at which all bytes handed out so far are paid for.
    private let freeAt = Mutex<UInt64>(0)

    init(_ rate: @escaping LimitedStorage.Rate, _ time: any TimeSource) {
        self.rate = rate
        self.time = time
    }

    func take(_ count: Int) async throws {
        guard let bytesPerSecond = rate() else { return freeAt.withLock { $0 = 0 } }
        let now = time.monotonicNanoseconds()
        // An object has at most a GiB, so that this is below 2^63.
        let cost = UInt64(Double(count) / Double(bytesPerSecond) * 1e9)
        let end = freeAt.withLock { freeAt in
            let (sum, isOver) = max(freeAt, now).addingReportingOverflow(cost)
            freeAt = isOver ? .max : sum
            return freeAt
        }
        // Whoever waits when the bound ends goes on.
        var left = end - min(end, now)
        while left > 0, rate() != nil {
            let pause = min(left, Self.looksEveryNanoseconds)
            try await time.sleep(nanoseconds: pause)
            left -= pause
        }
    }
}
