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
    let heldLock = Mutex<HeldLock?>(nil)
    /// Lock files of ours that may be in the store: written, and not known to be gone.
    let lockFiles = Mutex<Set<LockID>>([])
    let unindexed = Mutex(PendingIndex())
    /// True while a writer works: the claims in `index` are its own.
    private let hasWriter = Mutex(false)

    init(
        store: any ObjectStorage,
        config: RepositoryConfig,
        key: ResticKey,
        keyID: KeyID,
        environment: RepositoryEnvironment,
        options: RepositoryOptions,
        cache: MetadataCache?
    ) {
        self.store = store
        self.config = config
        self.key = key
        self.keyID = keyID
        self.environment = environment
        self.options = options
        self.cache = cache
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

    // MARK: sealing

    struct SealedBlob {
        /// Bytes in the worker's `sealed` scratch.
        var count: Int
        /// 0 when stored raw.
        var uncompressedLength: UInt32
    }

    /// Compresses, seals and verifies a blob into the worker's scratch.
    ///
    /// Trees are always compressed in version 2, since a prune packs raw ones anew; so is everything with `mustCompress`.
    /// Data that does not shrink is stored raw (entry types 0 and 1): nothing is gained by a frame around it, and reading it
    /// costs one step less. Errors: `E-VERIFY` when the sealed bytes do not open to the same content (D-08, D-09).
    func seal(
        _ type: BlobType,
        _ plaintext: UnsafeRawBufferPointer,
        id: BlobID,
        frame: UnsafeRawBufferPointer? = nil,
        mustCompress: Bool = false,
        worker: BlobWorker
    ) throws -> SealedBlob {
        guard plaintext.count < 1 << 31 else {
            throw RepositoryFailure(
                .tooLarge,
                operation: "store",
                object: "blob \(id.short)",
                what: "has \(plaintext.count) bytes; the format's limit here is 2 GiB",
                next: "exclude the directory that has so many entries"
            )
        }
        spoil(.hashed, plaintext)
        var content = plaintext
        var uncompressedLength: UInt32 = 0
        let isForced = type == .tree || mustCompress
        let mayCompress = isCompressing && !plaintext.isEmpty && (isForced || options.compression != .off)
        if isCompressing, let frame {
            content = frame
            uncompressedLength = UInt32(plaintext.count)
        } else if mayCompress, isForced || !looksIncompressible(plaintext) {
            let bound = worker.compressor.bound(plaintext.count)
            worker.compressed.reserve(bound)
            let count = try worker.compressor.compress(plaintext, into: worker.compressed.slice(bound))
            if isForced || count < plaintext.count {
                content = UnsafeRawBufferPointer(worker.compressed.slice(count))
                spoil(.compressed, content)
                uncompressedLength = UInt32(plaintext.count)
            }
        }
        let sealedCount = content.count + ResticCipher.overhead
        worker.sealed.reserve(sealedCount)
        let output = worker.sealed.slice(sealedCount)
        worker.cipher.seal(content, iv: worker.nextInitializationVector(), into: output)
        spoil(.sealed, UnsafeRawBufferPointer(output))
        if options.extraVerify {
            try verify(UnsafeRawBufferPointer(output), type, id, uncompressedLength, worker)
        }
        spoil(.verified, UnsafeRawBufferPointer(output))
        return SealedBlob(count: sealedCount, uncompressedLength: uncompressedLength)
    }

    /// Lets a test spoil the bytes; the memory is ours and writable, whatever the view of it says.
    @inline(__always)
    func spoil(_ stage: BlobStage, _ bytes: UnsafeRawBufferPointer) {
        guard let spoil = options.spoil else { return }
        spoil(stage, UnsafeMutableRawBufferPointer(mutating: bytes))
    }

    private func verify(
        _ sealed: UnsafeRawBufferPointer,
        _ type: BlobType,
        _ id: BlobID,
        _ uncompressedLength: UInt32,
        _ worker: BlobWorker
    ) throws {
        let location = BlobLocation(
            id: id,
            type: type,
            pack: PackID(.zero),
            offset: 0,
            length: UInt32(sealed.count),
            uncompressedLength: uncompressedLength
        )
        do {
            try worker.open(sealed, as: location) { _ in }
        } catch {
            throw RepositoryFailure(
                .verification,
                operation: "store",
                object: "blob \(id.short)",
                what:
                    "\((error as? BlobDamage)?.rawValue ?? "cannot be opened") right after it was sealed: memory or processor fault",
                state: "nothing of it was stored; earlier snapshots are not touched",
                next: "test this machine's memory, then run again",
                cause: error
            )
        }
    }
}
