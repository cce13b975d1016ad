import Bytes
import CKernels

/// Decodes single zstd frames within bounds given by the caller; for one task at a time.
///
/// Invariants (I-02): 1. never more than the limit is written. 2. Memory follows the content, not the frame's claim.
/// 3. Exactly one frame fills the input: skippable frames, further frames, dictionaries and windows above 128 MiB are refused.
package final class Decompressor {
    private let handle: OpaquePointer

    package init() { handle = hf_decompressor_new() }

    deinit { hf_decompressor_free(handle) }

    /// Decodes content whose size is known from elsewhere into the start of `target`; traps when `target` has no room for it.
    ///
    /// Errors: every case of `CompressionError` but `noRoom`; `wrongSize` when the content is shorter or longer.
    package func decompress(
        _ source: UnsafeRawBufferPointer,
        exactly size: Int,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) {
        precondition(size >= 0 && target.count >= size)
        let header = try Self.check(source)
        if let claim = header.contentBytes, claim != UInt64(size) { throw .wrongSize(expected: size, found: claim) }
        let room = UnsafeMutableRawBufferPointer(rebasing: target[..<size])
        let found: Int
        do throws(CompressionError) {
            found = try decode(source, into: room)
        } catch .noRoom { throw .tooLarge(limit: size) }
        guard found == size else { throw .wrongSize(expected: size, found: UInt64(found)) }
    }

    /// Decodes content of at most `limit` bytes into a new array.
    ///
    /// Errors: every case of `CompressionError` but `noRoom`. Memory: at most `limit` and about twice the content.
    package func decompress(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> [UInt8] {
        precondition(limit >= 0)
        let header = try Self.check(source)
        if let claim = header.contentBytes, claim > UInt64(limit) { throw .tooLarge(limit: limit) }
        let most = header.contentBytes.map { Int($0) } ?? limit
        let (believed, overflow) = source.count.multipliedReportingOverflow(by: ZstdLimits.believedRatio)
        var room = min(most, max(ZstdLimits.firstRoomBytes, overflow ? 0 : believed))
        while true {
            do throws(CompressionError) {
                return try decode(source, room: room)
            } catch .noRoom {
                guard room < most else { throw .tooLarge(limit: most) }
                room = room > most / 2 ? most : room * 2
            }
        }
    }

    /// Decodes an array of at most `limit` bytes into a new one.
    package func decompress(_ source: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        var result: Result<[UInt8], CompressionError> = .success([])
        source.withUnsafeBytes { source in
            do throws(CompressionError) {
                result = .success(try decompress(source, limit: limit))
            } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// Everything that can be refused before a block is decoded.
    private static func check(_ source: UnsafeRawBufferPointer) throws(CompressionError) -> ZstdFrameHeader {
        let header = try ZstdFrameHeader(source)
        guard header.dictionaryID == 0 else { throw .dictionary(id: header.dictionaryID) }
        guard header.windowBytes <= ZstdLimits.windowBytes else { throw .windowTooLarge(bytes: header.windowBytes) }
        guard let start = source.baseAddress else { throw .notAFrame }
        let length = hf_frame_length(start, source.count)
        guard length > 0 else { throw .damaged }
        guard length == source.count else { throw .trailingBytes(count: source.count - length) }
        return header
    }

    private func decode(_ source: UnsafeRawBufferPointer, room: Int) throws(CompressionError) -> [UInt8] {
        var failure: CompressionError?
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<room])
            do throws(CompressionError) {
                count = try decode(source, into: target)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    private func decode(
        _ source: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) throws(CompressionError) -> Int {
        guard let start = source.baseAddress else { throw .notAFrame }
        var status: Int32 = 0
        let count = hf_decompress(handle, start, source.count, target.baseAddress, target.count, &status)
        if let error = CompressionError(status: status) { throw error }
        return count
    }
}
