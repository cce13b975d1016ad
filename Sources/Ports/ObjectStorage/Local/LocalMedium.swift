import Bytes

/// The reads of a directory's objects from the disk itself.
///
/// The kernel drops its copy in memory when it is asked to, unless the bytes are not on the disk yet, or the file system keeps
/// everything in memory: what was written durably is read from the disk. Nothing of what is read stays in memory either, so that a proof of a
/// whole night does not push out what the machine works with.
struct LocalMedium: ObjectStorage {
    let storage: LocalStorage

    var location: String { storage.location }
    var connections: Int { storage.connections }
    var localDirectory: ByteString? { storage.localDirectory }
    var isLocalDisk: Bool { storage.isLocalDisk }
    var fromMedium: any ObjectStorage { self }

    func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        try storage.read(name, range, isFromMedium: true)
    }

    func prepare() async throws { try await storage.prepare() }
    func exists() async throws -> Bool { try await storage.exists() }
    func size(_ name: ObjectName) async throws -> UInt64 { try await storage.size(name) }
    func listing(_ kind: ObjectKind) async throws -> ObjectListing { try await storage.listing(kind) }
    func put(_ name: ObjectName, _ bytes: Block) async throws { try await storage.put(name, bytes) }
    func replaceConfig(_ bytes: Block) async throws { try await storage.replaceConfig(bytes) }
    func remove(_ name: ObjectName) async throws { try await storage.remove(name) }
    func checkIdentity() async throws { try await storage.checkIdentity() }
}
