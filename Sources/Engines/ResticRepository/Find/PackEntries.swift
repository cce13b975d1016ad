import Bytes
import ObjectStorage
import ResticFormat
import Sealing

extension Repository {
    /// The blobs that a pack's own header names; nil when the header cannot be read.
    ///
    /// Layout of a pack's end: sealed header, then its length in 4 bytes, little-endian. Bounds: 16 MiB. Errors: cancellation only.
    func packEntries(_ pack: PackID, size: UInt64) async throws -> [PackEntry]? {
        let name = ObjectName(.pack, pack.digest)
        do {
            guard size > 4 else { return nil }
            let end = try await store.get(name, range: size - 4..<size)
            let length = UInt64(end.withBytes { $0.littleUInt32(at: 0) })
            guard length <= UInt64(ResticFormatLimits.packHeaderBytesMax), length + 4 <= size else { return nil }
            let sealed = try await store.get(name, range: size - 4 - length..<size - 4)
            return try PackHeader.decode(ResticCipher(key: key).open(sealed.bytes)).entries
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return nil
        }
    }
}
