import Bytes
import Outcome
import ResticFormat
import Sealing

/// A pack while it fills: sealed blobs in one block of memory, hashed beside the blobs that come after them.
///
/// 1. Blobs are contiguous from offset 0, in the order of `blobs`.
/// 2. The hash has seen `hash.count` bytes from the start of `block`, where they lie, and sees each byte once: the next piece is
///    with one task at a time (`isBeingHashed`), and while it is, nobody finishes the pack.
/// 3. There is always room left in the block for the sealed header of the blobs that it holds.
///
/// `@unchecked Sendable`: one task at a time touches it, first under the mutex that holds the open packs, then the one that took it
/// out. A piece being hashed is read without the mutex: it lies before all that is appended meanwhile.
final class OpenPack: @unchecked Sendable {
    let type: BlobType
    private(set) var blobs: [PackedBlob] = []
    private var block: Block
    private let hash = SHA256Chain()
    private var headerBytes = 0
    /// All its blobs are proven.
    private var isProven = true
    private(set) var isBeingHashed = false
    /// Set when the pack is full while a piece of it is being hashed: who hashes then finishes it.
    private(set) var isClosed = false

    /// Room for the target's bytes of blobs plus the one that crosses the target, and the header.
    init(type: BlobType, capacity: Int) {
        self.type = type
        block = Block(capacity: capacity)
    }

    static func capacity(target: Int, largestBlob: Int) -> Int {
        target + max(largestBlob, 9 << 20) + (1 << 20)
    }

    var blobBytes: Int { block.count }
    var isEmpty: Bool { blobs.isEmpty }

    func isFull(target: Int) -> Bool {
        block.count >= target || blobs.count >= Limits.packEntriesMax
    }

    func hasRoom(for sealedCount: Int) -> Bool {
        block.count + sealedCount + headerBytes + PackHeader.entrySize(compressed: true) + ResticCipher.overhead + 4
            <= block.capacity
    }

    func append(_ blob: BlobToPack) {
        precondition(hasRoom(for: blob.sealed.count), "a blob was given to a pack that has no room for it")
        blobs.append(
            PackedBlob(
                id: blob.id,
                type: type,
                offset: UInt32(block.count),
                length: UInt32(blob.sealed.count),
                uncompressedLength: blob.uncompressedLength
            )
        )
        headerBytes += PackHeader.entrySize(compressed: blob.uncompressedLength != 0)
        isProven = isProven && blob.isProven
        block.append(blob.sealed)
    }

    /// Lends the next bytes to be hashed, at most `limit`, until `endPiece`; nil when there are none or somebody has them.
    func beginPiece(limit: Int) -> SHA256Piece? {
        let count = min(limit, block.count - hash.count) / SHA256Chain.blockBytes * SHA256Chain.blockBytes
        guard count > 0, !isBeingHashed else { return nil }
        isBeingHashed = true
        return block.withBytes { SHA256Piece($0.part(from: hash.count, count: count), of: hash) }
    }

    /// The piece was hashed.
    func endPiece() { isBeingHashed = false }

    /// Marks the pack full; true when the caller has to finish it, false when somebody who hashes does.
    func close() -> Bool {
        isClosed = true
        return !isBeingHashed
    }

    /// Moves the blobs of `other` behind ours; both stay below the target together.
    func absorb(_ other: OpenPack) {
        other.block.withBytes { bytes in
            for blob in other.blobs {
                let sealed = bytes.part(from: Int(blob.offset), count: Int(blob.length))
                append(
                    BlobToPack(
                        sealed: sealed,
                        id: blob.id,
                        uncompressedLength: blob.uncompressedLength,
                        isProven: other.isProven
                    )
                )
            }
        }
    }

    /// Seals and appends the header, checks it by reading it again, and names the pack by its hash.
    ///
    /// Hashes what was not hashed yet. Its memory goes on with the finished pack: who still holds this one holds none of it.
    func finish(worker: BlobWorker) throws -> FinishedPack {
        precondition(!isBeingHashed, "a pack was finished while a piece of it was being hashed")
        let entries = blobs.map { blob in
            PackEntry(type: blob.type, length: blob.length, uncompressedLength: blob.uncompressedLength, id: blob.id)
        }
        let plain = PackHeader(entries).encode()
        let sealedCount = plain.count + ResticCipher.overhead
        let start = block.count
        block.fill { room in
            let target = UnsafeMutableRawBufferPointer(rebasing: room[..<sealedCount])
            plain.withUnsafeBytes { worker.cipher.seal($0, iv: worker.nextInitializationVector(), into: target) }
            room.storeBytes(of: UInt32(sealedCount).littleEndian, toByteOffset: sealedCount, as: UInt32.self)
            return sealedCount + 4
        }
        let readBack = try block.withBytes { bytes -> PackHeader in
            let header = UnsafeRawBufferPointer(rebasing: bytes[start..<start + sealedCount])
            return try PackHeader.decode(worker.cipher.open(Array(header)), blobBytes: UInt64(start))
        }
        precondition(readBack.entries == entries, "a pack header does not read back as it was written")
        let digest = block.withBytes { hash.finish(UnsafeRawBufferPointer(rebasing: $0[hash.count...])) }
        defer { block = Block(capacity: 0) }
        return FinishedPack(id: PackID(digest), type: type, blobs: blobs, isProven: isProven, block: block)
    }
}

/// A sealed blob that was verified; its bytes are lent for the call.
///
/// `@unchecked Sendable`: the bytes are only read.
struct BlobToPack: @unchecked Sendable {
    var sealed: UnsafeRawBufferPointer
    var id: BlobID
    /// 0 when stored raw.
    var uncompressedLength: UInt32
    /// Opened, unpacked and hashed after it was sealed here.
    var isProven: Bool
}

/// A complete pack, ready to be stored under its name.
struct FinishedPack: Sendable {
    let id: PackID
    let type: BlobType
    let blobs: [PackedBlob]
    /// All its blobs were opened, unpacked and hashed after they were sealed here.
    let isProven: Bool
    let block: Block

    /// Checks every MAC where the bytes lie now: what was verified when it was sealed is what will be sent (D-08).
    ///
    /// The header's length is the one part without a MAC and is compared. Cost: one Poly1305 over the pack. Errors: `E-VERIFY`.
    func refuseChanged(_ cipher: ResticCipher) throws {
        let isWhole = block.withBytes { bytes in
            var end = 0
            for blob in blobs {
                guard Int(blob.offset) == end else { return false }
                end += Int(blob.length)
                guard cipher.isAuthentic(UnsafeRawBufferPointer(rebasing: bytes[Int(blob.offset)..<end])) else {
                    return false
                }
            }
            let header = bytes.count - 4 - end
            return header > 0
                && bytes.loadUnaligned(fromByteOffset: end + header, as: UInt32.self).littleEndian == header
                && cipher.isAuthentic(UnsafeRawBufferPointer(rebasing: bytes[end..<end + header]))
        }
        guard !isWhole else { return }
        throw RepositoryFailure(
            .verification,
            operation: "store",
            object: "pack \(id.short)",
            what: "changed in memory after it was sealed: memory or processor fault",
            state: "it was not stored; earlier snapshots are not touched",
            next: "test this machine's memory, then run again"
        )
    }
}
