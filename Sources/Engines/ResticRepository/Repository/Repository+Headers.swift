package import Bytes
import ObjectStorage
package import ResticFormat
import Sealing

/// Reading packs without an index.
extension Repository {
    /// The header that a pack ends with: opened, authenticated, and adding up to the pack's size.
    ///
    /// `size` is that of the file. One request for packs of few blobs, two for others; at most 16 MiB. Errors: `StorageFailure`,
    /// `PackHeaderError`, `SealError`, cancellation.
    package func packHeader(_ pack: PackID, size: UInt64, worker: BlobWorker) async throws -> PackHeader {
        let name = ObjectName(.pack, pack.digest)
        guard size >= UInt64(PackHeader.packSizeMin) else { throw PackHeaderError.fileTooShort(size) }
        let eager = min(size, UInt64(PackHeader.eagerReadSize))
        let end = try await read(name, size - eager..<size)
        let length = end.withBytes { $0.littleUInt32(at: $0.count - PackHeader.lengthFieldSize) }
        let sealedSize = UInt64(try PackHeader.sealedSize(lengthField: length, packSize: size))
        let blobBytes = size - UInt64(PackHeader.lengthFieldSize) - sealedSize
        let sealed =
            blobBytes >= size - eager
            ? Array(end.bytes.suffix(Int(size - blobBytes)).dropLast(PackHeader.lengthFieldSize))
            : try await read(name, blobBytes..<blobBytes + sealedSize).bytes
        return try PackHeader.decode(try worker.cipher.open(sealed), blobBytes: blobBytes)
    }

    /// Exactly the bytes of that range; a store that answers with others is not believed.
    private func read(_ name: ObjectName, _ range: Range<UInt64>) async throws -> Block {
        let block = try await store.get(name, range: range)
        guard block.count == range.count else { throw BlobDamage.wrongLength }
        return block
    }
}

extension PackHeader {
    /// The entries with their places: blobs lie one behind the other.
    var packedBlobs: [PackedBlob] {
        var offset: UInt32 = 0
        return entries.map { entry in
            defer { offset &+= entry.length }
            return PackedBlob(
                id: entry.id,
                type: entry.type,
                offset: offset,
                length: entry.length,
                uncompressedLength: entry.uncompressedLength
            )
        }
    }
}
