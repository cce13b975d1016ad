import Bytes
import Compression
import Outcome
import ResticFormat
import Sealing

/// A claimed blob on its way into a pack.
struct BlobToSeal {
    var id: BlobID
    /// Empty when its frame alone is known.
    var plaintext: UnsafeRawBufferPointer
    /// What the plaintext has, or is said to have.
    var plainBytes: Int
    /// The zstd frame it had elsewhere, to be kept.
    var frame: UnsafeRawBufferPointer?
    /// Compressed whatever it gains.
    var mustCompress = false
    /// What shows it to be right, instead of unpacking and hashing.
    var witness: Witness?

    init(
        id: BlobID,
        plaintext: UnsafeRawBufferPointer,
        frame: UnsafeRawBufferPointer? = nil,
        mustCompress: Bool = false
    ) {
        self.id = id
        self.plaintext = plaintext
        plainBytes = plaintext.count
        self.frame = frame
        self.mustCompress = mustCompress
    }

    /// What it is shows when it was sealed.
    init(_ blob: UnverifiedBlob) {
        id = blob.location.id
        plainBytes = blob.location.plainLength
        witness = blob.witness
        frame = blob.location.isCompressed ? blob.content : nil
        plaintext = blob.location.isCompressed ? UnsafeRawBufferPointer(start: nil, count: 0) : blob.content
    }
}

/// A sealed blob, in its worker's scratch until the next use.
struct SealedBlob {
    var bytes: UnsafeRawBufferPointer
    /// 0 when stored raw.
    var uncompressedLength: UInt32
}

extension Repository {
    /// Compresses, seals and verifies blobs of one type into the worker's scratch, in their order.
    ///
    /// Trees are always compressed in version 2, since a prune packs raw ones anew; so is everything with `mustCompress`.
    /// Data that does not shrink is stored raw (entry types 0 and 1): nothing is gained by a frame around it, and reading it
    /// costs one step less. Each is verified: opened, unpacked and hashed again, the hashes of all together; or opened and compared with
    /// its witness. Memory: the sealed bytes and the plaintexts of all at a time. `digests` hashes the messages it is given.
    /// Errors: `E-VERIFY` when sealed bytes do not open to the same content (D-08, D-09).
    func seal(
        _ type: BlobType,
        _ blobs: [BlobToSeal],
        worker: BlobWorker,
        digests: ([UnsafeRawBufferPointer]) -> [Digest]
    ) throws -> [SealedBlob] {
        for blob in blobs where blob.plainBytes >= 1 << 31 { throw tooLarge(blob) }
        worker.sealed.reserve(
            blobs.reduce(0) { room, blob in
                let content = max(worker.compressor.bound(blob.plaintext.count), blob.frame?.count ?? 0)
                return room + content + ResticCipher.overhead
            }
        )
        var used = 0
        var sealed: [SealedBlob] = []
        for blob in blobs {
            spoil(.hashed, blob.frame ?? blob.plaintext)
            let start = used + ResticCipher.contentOffset
            let (content, uncompressedLength) = try content(of: blob, type, worker) { count in
                worker.sealed.slice(start..<start + count)
            }
            let output = worker.sealed.slice(used..<used + content.count + ResticCipher.overhead)
            used += output.count
            worker.cipher.seal(content, iv: worker.nextInitializationVector(), into: output)
            spoil(.sealed, UnsafeRawBufferPointer(output))
            sealed.append(
                SealedBlob(bytes: UnsafeRawBufferPointer(output), uncompressedLength: uncompressedLength)
            )
        }
        if options.extraVerify { try verify(sealed, of: blobs, type, worker, digests) }
        for blob in sealed { spoil(.verified, blob.bytes) }
        return sealed
    }

    /// What is sealed: the plaintext, or a frame, made where it will be sealed so that it is not moved; and the plain length.
    private func content(
        of blob: BlobToSeal,
        _ type: BlobType,
        _ worker: BlobWorker,
        room: (Int) -> UnsafeMutableRawBufferPointer
    ) throws -> (bytes: UnsafeRawBufferPointer, uncompressedLength: UInt32) {
        let plaintext = blob.plaintext
        let isForced = type == .tree || blob.mustCompress
        if isCompressing, let frame = blob.frame { return (frame, UInt32(blob.plainBytes)) }
        guard isCompressing, !plaintext.isEmpty, isForced || options.compression != .off,
            isForced || !looksIncompressible(plaintext)
        else { return (plaintext, 0) }
        let room = room(worker.compressor.bound(plaintext.count))
        let count = try worker.compressor.compress(plaintext, into: room)
        guard isForced || count < plaintext.count else { return (plaintext, 0) }
        let frame = UnsafeRawBufferPointer(rebasing: room[..<count])
        spoil(.compressed, frame)
        return (frame, UInt32(plaintext.count))
    }

    /// Lets a test spoil the bytes; the memory is ours and writable, whatever the view of it says.
    @inline(__always)
    func spoil(_ stage: BlobStage, _ bytes: UnsafeRawBufferPointer) {
        guard let spoil = options.spoil else { return }
        spoil(stage, UnsafeMutableRawBufferPointer(mutating: bytes))
    }

    private func verify(
        _ sealed: [SealedBlob],
        of blobs: [BlobToSeal],
        _ type: BlobType,
        _ worker: BlobWorker,
        _ digests: ([UnsafeRawBufferPointer]) -> [Digest]
    ) throws {
        let parts = zip(sealed, blobs).map { sealed, blob in
            SealedPart(
                bytes: sealed.bytes,
                location: BlobLocation(
                    id: blob.id,
                    type: type,
                    pack: PackID(.zero),
                    offset: 0,
                    length: UInt32(sealed.bytes.count),
                    uncompressedLength: sealed.uncompressedLength
                )
            )
        }
        for (blob, part) in zip(blobs, parts) {
            guard let witness = blob.witness else { continue }
            do throws(BlobDamage) { try worker.compare(part, with: witness) } catch { throw notVerified(blob, error) }
        }
        let unseen = blobs.indices.filter { blobs[$0].witness == nil }
        guard !unseen.isEmpty else { return }
        for (number, result) in zip(unseen, worker.openAll(unseen.map { parts[$0] }, digests: digests)) {
            if case .failure(let damage) = result { throw notVerified(blobs[number], damage) }
        }
    }

    private func notVerified(_ blob: BlobToSeal, _ damage: BlobDamage) -> RepositoryFailure {
        RepositoryFailure(
            .verification,
            operation: "store",
            object: "blob \(blob.id.short)",
            what: "\(damage.rawValue) right after it was sealed: memory or processor fault",
            state: "nothing of it was stored; earlier snapshots are not touched",
            next: "test this machine's memory, then run again",
            cause: damage
        )
    }

    private func tooLarge(_ blob: BlobToSeal) -> RepositoryFailure {
        RepositoryFailure(
            .tooLarge,
            operation: "store",
            object: "blob \(blob.id.short)",
            what: "has \(blob.plainBytes) bytes; the format's limit here is 2 GiB",
            next: "exclude the directory that has so many entries"
        )
    }
}
