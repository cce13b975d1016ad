package import Bytes
package import Chunking
import Compression
package import ObjectStorage
import Outcome
package import ResticFormat
package import Sealing
import Synchronization

/// A repository in restic's format, opened with its master key.
///
/// It stores and loads the two kinds of objects: unpacked files (index, snapshot, lock) and blobs in packs. Whoever changes it
/// holds a lock (`withLock`), and asks `commitCheck` before each file that makes something true.
package final class Repository: Sendable {
    package let store: any ObjectStorage
    package let config: RepositoryConfig
    package let keyID: KeyID
    package let environment: RepositoryEnvironment
    package let options: RepositoryOptions
    package let index = BlobIndex()
    package let key: ResticKey
    package let cache: MetadataCache?
    /// What this machine knows of earlier runs; nil when nothing is to be remembered.
    let highWater: HighWater?
    let packWindows = PackWindows()
    /// Snapshots' documents that were read while the lock settled, each until it is asked for.
    let earlySnapshots = Mutex<[Digest: [UInt8]]>([:])
    let heldLock = Mutex<HeldLock?>(nil)
    /// Lock files of ours that may be in the store: written, and not known to be gone.
    let lockFiles = Mutex<Set<LockID>>([])
    let unindexed = Mutex(PendingIndex())
    /// Packs that this handle wrote and verified (`BlobWriter`, 4); 32 bytes for each.
    private let provenInMemory = Mutex<Set<PackID>>([])
    /// True while a writer works: the claims in `index` are its own.
    private let hasWriter = Mutex(false)

    init(
        store: any ObjectStorage,
        config: RepositoryConfig,
        key: ResticKey,
        keyID: KeyID,
        environment: RepositoryEnvironment,
        options: RepositoryOptions,
        cache: MetadataCache?,
        highWater: HighWater? = nil
    ) {
        self.store = store
        self.config = config
        self.key = key
        self.keyID = keyID
        self.environment = environment
        self.options = options
        self.cache = cache
        self.highWater = highWater
    }

    /// Version 2 compresses, version 1 does not.
    package var isCompressing: Bool { config.version >= 2 }

    /// The polynomial of this repository's chunker, checked when it was opened.
    package var chunkerPolynomial: Polynomial {
        guard let polynomial = Polynomial(bits: config.polynomial) else {
            preconditionFailure("a repository was opened with a polynomial that was not checked")
        }
        return polynomial
    }

    /// New tools for one task.
    package func makeWorker() -> BlobWorker {
        BlobWorker(
            key: key,
            mode: options.compression == .off ? .auto : options.compression,
            entropy: environment.entropy
        )
    }

    /// All objects of a kind.
    package func list(_ kind: ObjectKind) async throws -> [ObjectEntry] { try await store.list(kind) }

    /// Gives an object to the store and looks whether it is there; nothing in a dry run.
    func put(_ kind: ObjectKind, _ digest: Digest, _ block: Block) async throws {
        guard !options.isDryRun else { return }
        try await store.putConfirmed(ObjectName(kind, digest), block)
    }

    /// Whether this handle wrote the pack and verified all of it before that: reading it back is hashing it.
    package func isProvenInMemory(_ pack: PackID) -> Bool { provenInMemory.withLock { $0.contains(pack) } }

    func noteProvenInMemory(_ pack: PackID) { provenInMemory.withLock { _ = $0.insert(pack) } }

    /// Called before each commit: the store is the one that was opened (B-09), and our lock still stands (L-03).
    func commitCheck() async throws {
        guard !options.isDryRun else { return }
        try await store.checkIdentity()
        try await validateLock()
    }

    /// Runs `body` with a writer, then stores what it left: packs, then index files (L2).
    ///
    /// One at a time: what a writer claims counts as stored for everyone, and only it knows whether that comes true. Errors: of
    /// `body` and the store, `E-REQUEST` beside another writer. After a failure the claims are void.
    package func withBlobWriter<Result: Sendable>(
        _ body: (BlobWriter) async throws -> Result
    ) async throws -> Result {
        try beginWriting()
        defer { endWriting() }
        let writer = BlobWriter(repository: self)
        let pool = environment.pool
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, store.connections) {
                group.addTask(executorPreference: pool) { try await writer.storePacks() }
            }
            do {
                let result = try await body(writer)
                try await writer.finishPacks()
                try await group.waitForAll()
                try await writer.flushIndex()
                return result
            } catch {
                writer.abort(error)
                group.cancelAll()
                throw error
            }
        }
    }

    private func beginWriting() throws {
        let isFree = hasWriter.withLock { hasWriter in
            defer { hasWriter = true }
            return !hasWriter
        }
        guard !isFree else { return }
        throw RepositoryFailure(
            .invalidRequest,
            operation: "store",
            object: store.location,
            what: "something else writes through this handle of the repository",
            state: "nothing was stored by this request; the other one goes on",
            next: "open the repository once for each writer"
        )
    }

    private func endWriting() {
        index.abandonAll()
        hasWriter.withLock { $0 = false }
    }
}
