package import Bytes
import Compression
import ObjectStorage
package import ResticFormat
import Sealing
import Synchronization

/// What became of one blob given to `BlobWriter.save`.
package struct SavedBlob: Sendable, Hashable {
    package var id: BlobID
    /// False when the repository had it, or another task is storing it.
    package var isNew: Bool
    /// Bytes it takes in a pack, its header entry included; 0 when not new.
    package var storedBytes: Int
}

/// Turns plaintext blobs into stored packs and index files.
///
/// 1. L2: a pack is durable before the index in memory or on disk names it; index files are durable before `withBlobWriter` returns.
/// 2. Each sealed blob was opened, unpacked and hashed again before it entered a pack, and still authenticates in the pack when that
///    is sent (unless extra verification is off).
/// 3. Of all tasks that bring the same content, one stores it.
/// Memory: four open packs, one waiting, and one for each connection.
package final class BlobWriter: Sendable {
    private let repository: Repository
    private let queue: Handover<FinishedPack>
    private let dataPacks: Mutex<OpenPacks>
    private let treePacks: Mutex<OpenPacks>
    private let storedBytes = Atomic<Int>(0)

    init(repository: Repository) {
        self.repository = repository
        queue = Handover(capacity: Limits.packsWaitingMax)
        dataPacks = Mutex(OpenPacks())
        treePacks = Mutex(OpenPacks())
        let now = repository.environment.time.monotonicNanoseconds()
        repository.unindexed.withLock { $0.startedNanoseconds = now }
    }

    /// Bytes of packs and index files given to the store so far.
    package var bytesWritten: Int { storedBytes.load(ordering: .relaxed) }

    /// Stores the blob unless it is known; `plaintext` need only live until the call returns.
    package func save(
        _ type: BlobType,
        _ plaintext: UnsafeRawBufferPointer,
        worker: BlobWorker
    ) async throws -> SavedBlob {
        let id = BlobID(worker.digest(plaintext))
        guard repository.index.claim(type, id) == .claimed else {
            return SavedBlob(id: id, isNew: false, storedBytes: 0)
        }
        return try await store(type, plaintext, id: id, frame: nil, worker: worker)
    }

    /// Stores a blob of another repository unless it is known; its zstd frame stays unless this repository would compress otherwise.
    func save(_ blob: OpenedBlob, worker: BlobWorker) async throws -> SavedBlob {
        let (type, id) = (blob.location.type, blob.location.id)
        guard repository.index.claim(type, id) == .claimed else {
            return SavedBlob(id: id, isNew: false, storedBytes: 0)
        }
        let frame = repository.options.compression == .auto ? blob.frame : nil
        return try await store(type, blob.plaintext, id: id, frame: frame, worker: worker)
    }

    /// Stores a blob of this repository a second time, as it is sealed already; or compressed anew.
    func saveAgain(_ blob: OpenedBlob, compressing: Bool, worker: BlobWorker) async throws {
        let (type, id) = (blob.location.type, blob.location.id)
        if let sealed = blob.sealed, !compressing {
            _ = try await pack(sealed, type, id, blob.location.uncompressedLength, worker)
        } else {
            let frame = compressing ? nil : blob.frame
            _ = try await store(type, blob.plaintext, id: id, frame: frame, mustCompress: compressing, worker: worker)
        }
    }

    /// Seals and packs a claimed blob; the claim is given back when that fails.
    private func store(
        _ type: BlobType,
        _ plaintext: UnsafeRawBufferPointer,
        id: BlobID,
        frame: UnsafeRawBufferPointer?,
        mustCompress: Bool = false,
        worker: BlobWorker
    ) async throws -> SavedBlob {
        do {
            let sealed = try repository.seal(
                type,
                plaintext,
                id: id,
                frame: frame,
                mustCompress: mustCompress,
                worker: worker
            )
            let bytes = UnsafeRawBufferPointer(worker.sealed.slice(sealed.count))
            return try await pack(bytes, type, id, sealed.uncompressedLength, worker)
        } catch {
            repository.index.abandon(type, id)
            throw error
        }
    }

    private func pack(
        _ sealed: UnsafeRawBufferPointer,
        _ type: BlobType,
        _ id: BlobID,
        _ uncompressedLength: UInt32,
        _ worker: BlobWorker
    ) async throws -> SavedBlob {
        let target = repository.options.packSizeBytes
        let isOwnPack = sealed.count >= target
        let full: OpenPack? = withPacks(type) { open in
            if isOwnPack {
                let pack = OpenPack(type: type, capacity: OpenPack.capacity(target: 0, largestBlob: sealed.count))
                pack.append(sealed, id: id, uncompressedLength: uncompressedLength)
                return pack
            }
            return open.append(
                sealed,
                id: id,
                uncompressedLength: uncompressedLength,
                type: type,
                target: target,
                choice: Int(worker.nextInitializationVector().0 & 1)
            )
        }
        if let full { try await queue.send(full.finish(worker: worker)) }
        let entry = PackHeader.entrySize(compressed: uncompressedLength != 0)
        return SavedBlob(id: id, isNew: true, storedBytes: sealed.count + entry)
    }

    private func withPacks<R: Sendable>(_ type: BlobType, _ body: (inout sending OpenPacks) -> sending R) -> R {
        switch type {
        case .data: dataPacks.withLock(body)
        case .tree: treePacks.withLock(body)
        }
    }

    /// Stores finished packs until the queue ends; run by one task for each connection of the store.
    func storePacks() async throws {
        let cipher = ResticCipher(key: repository.key)
        do {
            while let pack = await queue.receive() {
                try Task.checkCancellation()
                pack.block.withBytes { repository.spoil(.packed, $0) }
                if repository.options.extraVerify { try pack.refuseChanged(cipher) }
                try await repository.put(.pack, pack.id.digest, pack.block)
                storedBytes.add(pack.block.count, ordering: .relaxed)
                if pack.type == .tree { repository.cache?.store(.pack, pack.id.digest, pack.block) }
                repository.index.store(pack: pack.id, blobs: pack.blobs)
                try await flushIndexIfDue(adding: pack)
            }
        } catch {
            queue.fail(error)
            throw error
        }
    }

    /// Closes the open packs and hands them over; nothing may be saved afterwards.
    func finishPacks() async throws {
        let worker = repository.makeWorker()
        for type in [BlobType.data, .tree] {
            let target = repository.options.packSizeBytes
            let remaining = withPacks(type) { $0.takeAll(target: target) }
            for pack in remaining { try await queue.send(pack.finish(worker: worker)) }
        }
        queue.finish()
    }

    /// Ends every waiting call with `error`.
    func abort(_ error: any Error) { queue.fail(error) }

    // MARK: index files

    private func flushIndexIfDue(adding pack: FinishedPack) async throws {
        let now = repository.environment.time.monotonicNanoseconds()
        let due: [IndexedPack] = repository.unindexed.withLock { pending in
            pending.packs.append(IndexedPack(id: pack.id, blobs: pack.blobs))
            pending.blobCount += pack.blobs.count
            let age = now &- pending.startedNanoseconds
            guard pending.blobCount >= Limits.indexFlushBlobs || age > Limits.indexFlushSeconds * 1_000_000_000 else {
                return []
            }
            return pending.take(now: now)
        }
        try await save(due)
    }

    /// Writes what no index file names yet (L2: after its packs, before any snapshot).
    func flushIndex() async throws {
        let now = repository.environment.time.monotonicNanoseconds()
        try await save(repository.unindexed.withLock { $0.take(now: now) })
    }

    private func save(_ packs: [IndexedPack]) async throws {
        guard !packs.isEmpty else { return }
        do { try await writeIndex(of: packs) } catch {
            repository.unindexed.withLock { $0.giveBack(packs) }
            throw error
        }
    }

    private func writeIndex(of packs: [IndexedPack]) async throws {
        var writer = IndexWriter()
        for pack in packs { writer.append(pack: pack.id, blobs: pack.blobs) }
        try await repository.commitCheck()
        _ = try await repository.saveUnpacked(.index, writer.finish())
    }
}

/// Blobs of one stored pack, waiting for an index file.
struct IndexedPack: Sendable {
    let id: PackID
    let blobs: [PackedBlob]
}

/// Stored packs that no index file names yet.
///
/// It belongs to the repository: packs of a writer that failed are in the index in memory, so the next writer has to name them.
struct PendingIndex {
    var packs: [IndexedPack] = []
    var blobCount = 0
    var startedNanoseconds: UInt64 = 0

    mutating func take(now: UInt64) -> [IndexedPack] {
        defer {
            packs = []
            blobCount = 0
            startedNanoseconds = now
        }
        return packs
    }

    mutating func giveBack(_ unsaved: [IndexedPack]) {
        packs.append(contentsOf: unsaved)
        blobCount += unsaved.reduce(0) { $0 + $1.blobs.count }
    }
}

/// The open packs of one blob type.
private struct OpenPacks {
    var slots: [OpenPack?] = Array(repeating: nil, count: Limits.openPacksPerType)

    /// Appends to the chosen pack; returns a pack that is full now and was taken out.
    mutating func append(
        _ sealed: UnsafeRawBufferPointer,
        id: BlobID,
        uncompressedLength: UInt32,
        type: BlobType,
        target: Int,
        choice: Int
    ) -> OpenPack? {
        var closed: OpenPack?
        if let open = slots[choice], !open.hasRoom(for: sealed.count) {
            closed = open
            slots[choice] = nil
        }
        let pack: OpenPack
        if let open = slots[choice] {
            pack = open
        } else {
            pack = OpenPack(type: type, capacity: OpenPack.capacity(target: target, largestBlob: sealed.count))
            slots[choice] = pack
        }
        pack.append(sealed, id: id, uncompressedLength: uncompressedLength)
        if closed == nil, pack.isFull(target: target) {
            slots[choice] = nil
            return pack
        }
        return closed
    }

    /// Takes out what is left, merged where two packs together stay below the target.
    mutating func takeAll(target: Int) -> [OpenPack] {
        var left = slots.compactMap { $0 }.filter { !$0.isEmpty }
        slots = Array(repeating: nil, count: Limits.openPacksPerType)
        if left.count == 2, left[0].blobBytes + left[1].blobBytes < target, left[0].hasRoom(for: left[1].blobBytes) {
            left[0].absorb(left[1])
            left.removeLast()
        }
        return left
    }
}
