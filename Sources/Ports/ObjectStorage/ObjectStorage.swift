package import Bytes
import Outcome

/// A place that keeps objects: a directory, a bucket, a server.
///
/// Objects are written once under the name of their content and never changed. Every failure is a `StorageFailure`;
/// the engine above decides about retries by its `retry`. Methods may block their thread: call them on a
/// `WorkerPool`.
///
/// 1. `put` returned: the object is durable and listed (L1). `put` threw: it is absent, or complete and right.
/// 2. An object that is there is never replaced by different bytes.
/// 3. "Not found" means that the store was reached, is the one that was opened, and has no such object (B-08, B-09).
/// 4. What a store returns is unproven: the engine checks digest and MAC before use (L3).
package protocol ObjectStorage: Sendable {
    /// Where it is, for people; never holds a secret.
    var location: String { get }
    /// The directory that holds it, when it is one of this machine; nil elsewhere.
    var localDirectory: ByteString? { get }
    /// True when the objects lie on a disk of this machine, so that copies of them in a cache would be no nearer.
    var isLocalDisk: Bool { get }
    /// Requests that are worth having in flight at a time.
    var connections: Int { get }
    /// Objects that one request lists with their sizes; nil where a listing costs more than asking for each object of it.
    ///
    /// Whoever has to know that many objects are there chooses by it.
    var listedPerRequest: Int? { get }
    /// The same store, whose reads come from its medium and not out of this machine's memory, as far as the system lets us.
    ///
    /// For proofs: what was written a moment ago lies in memory still, and says nothing about the disk.
    var fromMedium: any ObjectStorage { get }

    /// Creates what `init` needs: the root and the directories of the layout. Changes nothing that is there.
    func prepare() async throws
    /// Whether there is a config; false only when that is certain.
    func exists() async throws -> Bool
    /// Why nothing is there, when more than the config is missing: `the bucket lab-dr does not exist`; nil when that is all.
    func absence() async -> String?
    /// Stores an object, durable on return. The same bytes under the same name are success; different ones fail with
    /// `exists`. The config fails with `exists` whenever there is one.
    func put(_ name: ObjectName, _ bytes: Block) async throws
    /// Puts another config in the place of the one that is there, durable on return; `notFound` when there is none.
    ///
    /// The one exception from rule 2. In one step where the store can: a break leaves the old or the new one, whole.
    func replaceConfig(_ bytes: Block) async throws
    /// Reads an object or a range of it: exactly that many bytes, or `tooShort`.
    func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block
    /// Stored bytes of an object.
    func size(_ name: ObjectName) async throws -> UInt64
    /// All objects of a kind, complete or a failure. What is not named as an object is passed over and counted.
    func listing(_ kind: ObjectKind) async throws -> ObjectListing
    /// Removes an object; `notFound` when there is none, from stores that tell (object stores count what is absent as removed).
    func remove(_ name: ObjectName) async throws
    /// Moves the end of an object's lock to that moment, where a lock is declared; a later end stays.
    func extendLock(_ name: ObjectName, until end: Timestamp) async throws
    /// Fails with `diskGone` unless the store is still the one that was opened; called before every commit (B-09).
    func checkIdentity() async throws
}

extension ObjectStorage {
    package func absence() async -> String? { nil }
    package var localDirectory: ByteString? { nil }
    package var isLocalDisk: Bool { false }
    package var fromMedium: any ObjectStorage { self }
    package var listedPerRequest: Int? { nil }

    package func extendLock(_ name: ObjectName, until _: Timestamp) async throws {
        let next = "leave `lock` out, or use a bucket with Object Lock"
        throw StorageFailure(
            .unsupported,
            "lock",
            "\(name.short) in \(location)",
            "this store has no locks",
            next: next
        )
    }

    /// For stores that cannot do it in one step: there is no config in between.
    package func replaceConfig(_ bytes: Block) async throws {
        try await remove(.config)
        try await put(.config, bytes)
    }

    package func get(_ name: ObjectName) async throws -> Block { try await get(name, range: nil) }

    /// All objects of a kind, without what is foreign.
    package func list(_ kind: ObjectKind) async throws -> [ObjectEntry] { try await listing(kind).entries }

    /// Whether the object is there; false only when that is certain.
    package func has(_ name: ObjectName) async throws -> Bool {
        do {
            _ = try await size(name)
            return true
        } catch let failure as StorageFailure where failure.code == .notFound {
            return false
        }
    }
}

/// Bounds of every store.
package enum StorageLimits {
    /// Most bytes of one object, or of one range, that are read into memory.
    ///
    /// restic's largest pack is 128 MiB and its indexes stay below that.
    package static let objectBytesMax: UInt64 = 1 << 30
}
