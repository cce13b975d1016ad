import Bytes
import ObjectStorage
import Synchronization

/// A store that asks before each call, which may wait, throw, or look around, and then passes it on.
struct WatchedStore: ObjectStorage {
    typealias Before = @Sendable (Int, StorageOperation, ObjectName?, Block?) async throws -> Void

    private final class Counter: Sendable {
        let next = Atomic<Int>(0)
    }

    let inner: MemoryStorage
    /// What a proof reads from, where that is another store.
    var medium: (any ObjectStorage)?
    private let before: Before
    private let counter = Counter()

    /// `before` hears the number of the call, from 0; the name of a listing is that of no object.
    init(_ inner: MemoryStorage, before: @escaping Before) {
        self.inner = inner
        self.before = before
    }

    /// Calls so far.
    var callCount: Int { counter.next.load(ordering: .relaxed) }

    private func ask(_ operation: StorageOperation, _ name: ObjectName? = nil, _ bytes: Block? = nil) async throws {
        try await before(counter.next.add(1, ordering: .relaxed).oldValue, operation, name, bytes)
    }

    var location: String { inner.location }
    var connections: Int { inner.connections }
    var listedPerRequest: Int? { inner.listedPerRequest }
    var fromMedium: any ObjectStorage { medium ?? self }

    func prepare() async throws {
        try await ask(.prepare)
        try await inner.prepare()
    }

    func exists() async throws -> Bool {
        try await ask(.exists)
        return try await inner.exists()
    }

    func put(_ name: ObjectName, _ bytes: Block) async throws {
        try await ask(.put, name, bytes)
        try await inner.put(name, bytes)
    }

    func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        try await ask(.get, name)
        return try await inner.get(name, range: range)
    }

    func size(_ name: ObjectName) async throws -> UInt64 {
        try await ask(.size, name)
        return try await inner.size(name)
    }

    func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        try await ask(.list, ObjectName(kind, .zero))
        return try await inner.listing(kind)
    }

    func remove(_ name: ObjectName) async throws {
        try await ask(.remove, name)
        try await inner.remove(name)
    }

    func checkIdentity() async throws {
        try await ask(.checkIdentity)
        try await inner.checkIdentity()
    }
}
