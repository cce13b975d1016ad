package import Bytes
import Compression
import ObjectStorage
import Outcome
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

/// What was not stored, since something among it was wrong once it was sealed: it went in wrong, or memory spoiled it.
struct RefusedBlobs {
    var ids: Set<BlobID> = []
    /// The first of the reasons; nil when nothing was refused.
    var failure: RepositoryFailure?
}

/// Turns plaintext blobs into stored packs and index files.
///
/// 1. L2: a pack is durable before the index in memory or on disk names it; index files are durable before `withBlobWriter` returns.
/// 2. Each sealed blob was opened, unpacked and hashed again before it entered a pack, or compared with one of which that is known
///    (`Witness`), and still authenticates in the pack when that is sent (unless extra verification is off).
/// 3. Of all tasks that bring the same content, one stores it.
/// 4. A pack is proven in memory (`Repository.isProvenInMemory`) when 2 held for all of it, extra verification included: its blobs were sealed
///    here and not taken over, and it authenticated after its name was made. Such a name is the hash of verified bytes, so that a pack of
///    that hash in the store is right; nothing of it has to be opened again. Not covered: memory that spoils what the header says of a blob
///    (its length when unpacked), or blob and name alike, between verification and hash. The rotating verification opens blobs, and sees it.
/// Memory: four open packs, one for each task that saves, and one for each connection.
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
        try await save(type, [plaintext], worker: worker)[0]
    }

    /// Stores those of the blobs that are not known, and says of each what became of it; hashes them together.
    ///
    /// `plaintexts` need only live until the call returns. Memory: `Limits.sealBatchBytes`, or the largest, twice in scratch.
    package func save(
        _ type: BlobType,
        _ plaintexts: [UnsafeRawBufferPointer],
        worker: BlobWorker
    ) async throws -> [SavedBlob] {
        let ids = try await hash(plaintexts, worker: worker).map { BlobID($0) }
        var saved = ids.map { SavedBlob(id: $0, isNew: false, storedBytes: 0) }
        let claimed = ids.indices.filter { repository.index.claim(type, ids[$0]) == .claimed }
        let blobs = claimed.map { BlobToSeal(id: ids[$0], plaintext: plaintexts[$0]) }
        for (position, bytes) in zip(claimed, try await store(type, blobs, worker: worker)) {
            saved[position].isNew = true
            saved[position].storedBytes = bytes
        }
        return saved
    }

    /// Stores those blobs of another repository that are not known, sealed and verified together.
    ///
    /// Their zstd frames stay unless this repository would compress otherwise.
    func save(_ blobs: [OpenedBlob], worker: BlobWorker) async throws {
        let keepsFrames = repository.options.compression == .auto
        for type in [BlobType.data, .tree] {
            let claimed = blobs.filter { blob in
                blob.location.type == type && repository.index.claim(type, blob.location.id) == .claimed
            }
            let toSeal = claimed.map { blob in
                BlobToSeal(id: blob.location.id, plaintext: blob.plaintext, frame: keepsFrames ? blob.frame : nil)
            }
            _ = try await store(type, toSeal, worker: worker)
        }
    }

    /// Stores those blobs of another repository that are not known, but for what is not what its name says.
    ///
    /// They are unpacked and hashed once, after sealing, or compared with their witness: that proves what was read, and what will be
    /// stored. A group with one that is wrong is refused whole, and nothing of it was stored. Shape: extra verification is on, and
    /// this repository keeps frames.
    func save(_ blobs: [UnverifiedBlob], worker: BlobWorker) async throws -> RefusedBlobs {
        precondition(repository.options.extraVerify, "what was not verified is stored only where sealing verifies it")
        var refused = RefusedBlobs()
        for type in [BlobType.data, .tree] {
            var rest = blobs.filter { $0.location.type == type }.map { BlobToSeal($0) }[...]
            while let group = Self.nextGroup(&rest) {
                let claimed = group.filter { repository.index.claim(type, $0.id) == .claimed }
                do {
                    _ = try await store(type, claimed, worker: worker)
                } catch let failure as RepositoryFailure where failure.code == .verification {
                    refused.ids.formUnion(claimed.map(\.id))
                    refused.failure = refused.failure ?? failure
                }
            }
        }
        return refused
    }

    /// Stores a blob of this repository a second time, as it is sealed already; or compressed anew.
    func saveAgain(_ blob: OpenedBlob, compressing: Bool, worker: BlobWorker) async throws {
        let (type, id) = (blob.location.type, blob.location.id)
        if let sealed = blob.sealed, !compressing {
            let length = blob.location.uncompressedLength
            let takenOver = BlobToPack(sealed: sealed, id: id, uncompressedLength: length, isProven: false)
            _ = try await pack(takenOver, type, worker)
        } else {
            let frame = compressing ? nil : blob.frame
            let blob = BlobToSeal(id: id, plaintext: blob.plaintext, frame: frame, mustCompress: compressing)
            _ = try await store(type, [blob], worker: worker)
        }
    }

    /// Seals and packs claimed blobs; returns the bytes that each takes.
    ///
    /// The claims are given back when one of them fails.
    private func store(_ type: BlobType, _ blobs: [BlobToSeal], worker: BlobWorker) async throws -> [Int] {
        do {
            var stored: [Int] = []
            var rest = blobs[...]
            while let group = Self.nextGroup(&rest) {
                var full: [OpenPack] = []
                let sealed = try repository.seal(type, group, worker: worker) { digests(of: $0, worker, &full) }
                try await finish(full, worker: worker)
                for (blob, sealed) in zip(group, sealed) {
                    let sealed = BlobToPack(
                        sealed: sealed.bytes,
                        id: blob.id,
                        uncompressedLength: sealed.uncompressedLength,
                        isProven: repository.options.extraVerify
                    )
                    stored.append(try await pack(sealed, type, worker))
                }
            }
            return stored
        } catch {
            for blob in blobs { repository.index.abandon(type, blob.id) }
            throw error
        }
    }

    /// Takes the blobs off that are sealed together.
    private static func nextGroup(_ rest: inout ArraySlice<BlobToSeal>) -> [BlobToSeal]? {
        guard let first = rest.popFirst() else { return nil }
        var group = [first]
        var bytes = first.plainBytes
        while let next = rest.first, bytes + next.plainBytes <= Limits.sealBatchBytes {
            group.append(next)
            bytes += next.plainBytes
            rest.removeFirst()
        }
        return group
    }

    /// Appends a sealed blob to an open pack, and hands that on when it is full; returns the bytes that the blob takes.
    private func pack(_ blob: BlobToPack, _ type: BlobType, _ worker: BlobWorker) async throws -> Int {
        let target = repository.options.packSizeBytes
        if blob.sealed.count >= target {
            let pack = OpenPack(type: type, capacity: OpenPack.capacity(target: 0, largestBlob: blob.sealed.count))
            pack.append(blob)
            try await finish([pack], worker: worker)
        } else {
            let choice = Int(worker.nextInitializationVector().0 & 1)
            let full = withPacks(type) { open in
                let crowded = open.makeRoom(choice, for: blob, type: type, target: target)
                open.append(blob, to: choice)
                return [crowded, open.takeFull(choice, target: target)].compactMap { $0 }
            }
            try await finish(full, worker: worker)
        }
        return blob.sealed.count + PackHeader.entrySize(compressed: blob.uncompressedLength != 0)
    }

    /// Names full packs and gives them to those who store.
    private func finish(_ full: [OpenPack], worker: BlobWorker) async throws {
        for pack in full { try await queue.send(pack.finish(worker: worker)) }
    }

    // MARK: hashes

    private func hash(_ messages: [UnsafeRawBufferPointer], worker: BlobWorker) async throws -> [Digest] {
        var full: [OpenPack] = []
        let digests = digests(of: messages, worker, &full)
        try await finish(full, worker: worker)
        return digests
    }

    /// The digests of the messages; the next pieces of the open packs are hashed beside them, in lanes that cost nothing then.
    ///
    /// `full` receives packs that were closed meanwhile.
    private func digests(
        of messages: [UnsafeRawBufferPointer],
        _ worker: BlobWorker,
        _ full: inout [OpenPack]
    ) -> [Digest] {
        guard messages.count > 1, SHA256Lanes.isFaster else { return worker.digests(of: messages) }
        let longest = messages.reduce(0) { max($0, $1.count) }
        let total = messages.reduce(0) { $0 + $1.count }
        // No piece is longer than what the other lanes are busy with.
        let limit = max(longest, total / (SHA256Lanes.count - Limits.openPacksPerType))
        let pieces = withPacks(.data) { $0.beginPieces(limit: limit) }
        let digests = SHA256Lanes.digests(of: messages, beside: pieces.map(\.piece))
        full.append(contentsOf: withPacks(.data) { _ in OpenPacks.end(pieces) })
        return digests
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
            while try await storeNextPack(cipher) {}
        } catch {
            queue.fail(error)
            throw error
        }
    }

    /// Stores one finished pack; false when there will be none.
    ///
    /// A call of its own, so that nothing holds the pack's memory while the next one is awaited.
    private func storeNextPack(_ cipher: ResticCipher) async throws -> Bool {
        guard let pack = await queue.receive() else { return false }
        try Task.checkCancellation()
        pack.block.withBytes { repository.spoil(.packed, $0) }
        if repository.options.extraVerify { try pack.refuseChanged(cipher) }
        let isConfirmed = try await repository.putPack(pack.id, pack.block)
        storedBytes.add(pack.block.count, ordering: .relaxed)
        if pack.isProven { repository.noteProvenInMemory(pack.id) }
        if pack.type == .tree { repository.cache?.store(.pack, pack.id.digest, pack.block) }
        var indexed = IndexedPack(id: pack.id, blobs: pack.blobs, bytes: UInt64(pack.block.count))
        if isConfirmed { confirmed(&indexed) }
        try await flushIndexIfDue(adding: indexed)
        return true
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

    private func flushIndexIfDue(adding pack: IndexedPack) async throws {
        let now = repository.environment.time.monotonicNanoseconds()
        let due: [IndexedPack] = repository.unindexed.withLock { pending in
            pending.packs.append(pack)
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

    private func save(_ taken: [IndexedPack]) async throws {
        guard !taken.isEmpty else { return }
        var packs = taken
        do {
            try await confirm(&packs)
            try await writeIndex(of: packs)
        } catch {
            repository.unindexed.withLock { $0.giveBack(packs) }
            throw error
        }
    }

    /// Asks the store for those packs that it only said to have taken; what it lost is taken out before that is thrown (E-03).
    private func confirm(_ packs: inout [IndexedPack]) async throws {
        let waiting = packs.filter { !$0.isConfirmed }
        guard !waiting.isEmpty else { return }
        let lost = try await repository.lost(among: waiting.map { ($0.id, $0.bytes) })
        packs.removeAll { lost[$0.id] != nil }
        for index in packs.indices where !packs[index].isConfirmed { confirmed(&packs[index]) }
        if let first = lost.first?.value { throw first }
    }

    /// From here on others may take its blobs for stored.
    private func confirmed(_ pack: inout IndexedPack) {
        pack.isConfirmed = true
        repository.index.store(pack: pack.id, blobs: pack.blobs)
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
    let bytes: UInt64
    /// Whether the store was asked for it after it had taken it; only then may anything name it (L2).
    var isConfirmed = false
}

/// Stored packs that no index file names yet.
///
/// It belongs to the repository: packs of a writer that failed may be in the index in memory, so the next writer has to name them.
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

/// A piece of an open pack, with the task that hashes it.
///
/// `@unchecked Sendable`: made under the mutex of the open packs and used by the task that took it alone.
private struct PackPiece: @unchecked Sendable {
    let pack: OpenPack
    let piece: SHA256Piece
}

/// The open packs of one blob type.
private struct OpenPacks {
    var slots: [OpenPack?] = Array(repeating: nil, count: Limits.openPacksPerType)

    /// Opens the chosen pack unless one with room is open; returns one that was taken out for the lack of it.
    mutating func makeRoom(_ choice: Int, for blob: BlobToPack, type: BlobType, target: Int) -> OpenPack? {
        var crowded: OpenPack?
        if let pack = slots[choice], !pack.hasRoom(for: blob.sealed.count) {
            slots[choice] = nil
            if pack.close() { crowded = pack }
        }
        if slots[choice] == nil {
            let capacity = OpenPack.capacity(target: target, largestBlob: blob.sealed.count)
            slots[choice] = OpenPack(type: type, capacity: capacity)
        }
        return crowded
    }

    func append(_ blob: BlobToPack, to choice: Int) { slots[choice]?.append(blob) }

    /// Takes the chosen pack out when it is full; nil also when somebody hashes a piece of it, who then finishes it.
    mutating func takeFull(_ choice: Int, target: Int) -> OpenPack? {
        guard let pack = slots[choice], pack.isFull(target: target) else { return nil }
        slots[choice] = nil
        return pack.close() ? pack : nil
    }

    /// Lends the next piece of each pack that has one.
    func beginPieces(limit: Int) -> [PackPiece] {
        slots.compactMap { pack in
            pack.flatMap { pack in pack.beginPiece(limit: limit).map { PackPiece(pack: pack, piece: $0) } }
        }
    }

    /// Gives pieces back, under the same lock; returns the packs that were closed meanwhile.
    static func end(_ pieces: [PackPiece]) -> [OpenPack] {
        for piece in pieces { piece.pack.endPiece() }
        return pieces.map(\.pack).filter(\.isClosed)
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
