package import Bytes
import Synchronization

/// A store in memory, with the manners of a perfect one: for tests, simulation and trial runs.
package final class MemoryStorage: ObjectStorage {
    private struct State {
        var objects: [ObjectName: Block] = [:]
        var isPrepared = false
    }

    private let state = Mutex(State())
    package let location: String
    package let connections: Int
    package var listedPerRequest: Int? { 1000 }

    package init(location: String = "memory", connections: Int = 4) {
        self.location = location
        self.connections = connections
    }

    package func prepare() async throws { state.withLock { $0.isPrepared = true } }

    package func exists() async throws -> Bool { state.withLock { $0.objects[.config] != nil } }

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        let existing = try state.withLock { state throws(StorageFailure) -> Block? in
            guard state.isPrepared else { throw unprepared("write") }
            if let existing = state.objects[name] { return existing }
            state.objects[name] = bytes
            return nil
        }
        guard let existing else { return }
        if name.kind != .config, existing.bytes == bytes.bytes { return }
        throw StorageFailure(
            .exists,
            "write",
            object(name),
            name.kind == .config
                ? "there is a config already" : "an object of this name with different content is there",
            state: "the existing object was not changed",
            next: name.kind == .config ? "open this repository, or choose another place" : "run check --read-data"
        )
    }

    package func replaceConfig(_ bytes: Block) async throws {
        _ = try find(.config, "replace")
        state.withLock { $0.objects[.config] = bytes }
    }

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let block = try find(name, "read")
        guard let range else { return block }
        guard range.upperBound <= UInt64(block.count) else {
            throw StorageFailure(
                .tooShort,
                "read",
                object(name),
                "has \(block.count) bytes; bytes \(range.lowerBound) to \(range.upperBound) were asked for",
                next: "run check --read-data to see what is damaged"
            )
        }
        return block.withBytes { bytes in
            Block(copying: UnsafeRawBufferPointer(rebasing: bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }

    package func size(_ name: ObjectName) async throws -> UInt64 { UInt64(try find(name, "look up").count) }

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        try state.withLock { state throws(StorageFailure) in
            guard state.isPrepared else { throw unprepared("list") }
            let found = state.objects.filter { $0.key.kind == kind }
            // In one order, so that the same run of a test makes the same calls.
            return ObjectListing(
                entries: found.map { ObjectEntry(digest: $0.key.digest, size: UInt64($0.value.count)) }
                    .sorted { $0.digest < $1.digest }
            )
        }
    }

    package func remove(_ name: ObjectName) async throws {
        let removed = state.withLock { $0.objects.removeValue(forKey: name) }
        if removed == nil { throw missing(name, "remove") }
    }

    package func checkIdentity() async throws {}

    /// Puts bytes under a name whatever is there, as a failing disk would: for tests of damage.
    package func overwrite(_ name: ObjectName, _ bytes: Block) {
        state.withLock { state in
            state.isPrepared = true
            state.objects[name] = bytes
        }
    }

    /// Everything that is stored, as a power cut would leave it.
    package var contents: [ObjectName: Block] { state.withLock { $0.objects } }

    /// A second store with the same objects, independent from here on.
    package func copy() -> MemoryStorage {
        let copy = MemoryStorage(location: location, connections: connections)
        let (objects, isPrepared) = state.withLock { ($0.objects, $0.isPrepared) }
        copy.state.withLock { state in
            state.objects = objects
            state.isPrepared = isPrepared
        }
        return copy
    }

    private func find(_ name: ObjectName, _ operation: String) throws(StorageFailure) -> Block {
        guard let block = state.withLock({ $0.objects[name] }) else { throw missing(name, operation) }
        return block
    }

    private func object(_ name: ObjectName) -> String { "\(name.short) in \(location)" }

    private func missing(_ name: ObjectName, _ operation: String) -> StorageFailure {
        StorageFailure(
            .notFound,
            operation,
            object(name),
            "there is no such object",
            next: "run check to see what else is missing"
        )
    }

    private func unprepared(_ operation: String) -> StorageFailure {
        StorageFailure(
            .layout,
            operation,
            "repository in \(location)",
            "it was not created",
            next: "run init"
        )
    }
}
