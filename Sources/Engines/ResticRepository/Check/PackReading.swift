import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing

/// What one whole reading of a pack brought to light.
struct PackReading: Sendable {
    /// Restic's words for each thing that is wrong.
    var problems: [String] = []
    /// Blobs that did not open.
    var lost: [PackedBlob] = []
    /// Set when the bytes could not be fetched: nothing is known about the pack then.
    var unreadable: String?
    /// The fetch failed since there is no such file; it was reported by level 1.
    var isMissing = false

    var isGood: Bool { problems.isEmpty && unreadable == nil }
}

/// Reads one pack from front to back: hash of the whole, every blob opened, header compared with the index.
///
/// The pack goes through memory in spans of 4 MiB that begin and end between blobs; nothing of it is kept. Isolation: one task.
final class PackReader {
    private let repository: Repository
    private let worker: BlobWorker
    private let hash = SHA256Context()

    init(repository: Repository) {
        self.repository = repository
        worker = repository.makeWorker()
    }

    /// `blobs` are sorted by offset and are all that the index knows of the pack. Throws when cancelled only.
    func read(_ pack: PackID, _ blobs: [PackedBlob]) async throws -> PackReading {
        var reading = PackReading()
        let bytes = blobs.packBytes
        if !isContinuous(blobs) { reading.problems.append("index for pack contains gaps / overlapping blobs") }
        let dataEnd = bytes - blobs.headerBytes
        var header: [UInt8] = []
        var position: UInt64 = 0
        var next = 0
        while position < bytes {
            try Task.checkCancellation()
            let span = span(from: position, blobs, &next, bytes: bytes)
            guard let block = try await fetch(pack, span.range, &reading) else {
                _ = hash.finish()
                return reading
            }
            block.withBytes { hash.update($0) }
            for blob in blobs[span.blobs] { open(blob, in: block, at: position, pack, &reading) }
            keepHeader(of: block, at: position, from: dataEnd, &header)
            position = span.range.upperBound
        }
        let digest = hash.finish()
        guard digest == pack.digest else {
            reading.problems.append("unexpected pack id \(digest.hex)")
            return reading
        }
        judgeHeader(header, blobs, &reading)
        return reading
    }

    private func isContinuous(_ blobs: [PackedBlob]) -> Bool {
        var end: UInt64 = 0
        for blob in blobs {
            guard UInt64(blob.offset) == end else { return false }
            end += UInt64(blob.length)
        }
        return true
    }

    /// The next bytes to fetch, and the blobs that lie in them: as many as fit in a span, at least one.
    private func span(
        from position: UInt64,
        _ blobs: [PackedBlob],
        _ next: inout Int,
        bytes: UInt64
    ) -> (range: Range<UInt64>, blobs: Range<Int>) {
        let first = next
        var end = position
        while next < blobs.count {
            let blob = blobs[next]
            let blobEnd = UInt64(blob.offset) + UInt64(blob.length)
            let isFirst = end == position && UInt64(blob.offset) <= position
            if blobEnd > bytes || (blobEnd - position > CheckLimits.spanBytes && !isFirst) && blobEnd > position { break }
            end = max(end, blobEnd)
            next += 1
        }
        // Behind the last blob, or in a gap before the next one.
        if next == first || next == blobs.count {
            let limit = next < blobs.count ? min(bytes, max(UInt64(blobs[next].offset), position + 1)) : bytes
            end = max(end, min(limit, position + CheckLimits.spanBytes))
        }
        return (position..<end, first..<next)
    }

    private func fetch(_ pack: PackID, _ range: Range<UInt64>, _ reading: inout PackReading) async throws -> Block? {
        do {
            let block = try await repository.store.get(ObjectName(.pack, pack.digest), range: range)
            if block.count == range.count { return block }
            reading.unreadable = "download error: got \(block.count) bytes instead of \(range.count)"
        } catch is CancellationError {
            throw CancellationError()
        } catch let failure as StorageFailure {
            reading.isMissing = failure.code == .notFound
            reading.unreadable = "download error: \(failure.code == .tooShort ? "file is too short" : failure.what)"
        } catch {
            reading.unreadable = "download error: \(error)"
        }
        return nil
    }

    private func open(_ blob: PackedBlob, in block: Block, at position: UInt64, _ pack: PackID, _ reading: inout PackReading) {
        let location = BlobLocation(
            id: blob.id,
            type: blob.type,
            pack: pack,
            offset: blob.offset,
            length: blob.length,
            uncompressedLength: blob.uncompressedLength
        )
        do {
            guard UInt64(blob.offset) >= position else { throw BlobDamage.wrongLength }
            let first = Int(UInt64(blob.offset) - position)
            try block.withBytes { bytes in
                try worker.open(UnsafeRawBufferPointer(rebasing: bytes[first..<first + Int(blob.length)]), as: location) { _ in }
            }
        } catch {
            let damage = error as? BlobDamage ?? .notAuthentic
            reading.lost.append(blob)
            reading.problems.append("blob \(blob.id.hex): \(CheckWords.text(damage, blob, pack: pack))")
        }
    }

    private func keepHeader(of block: Block, at position: UInt64, from dataEnd: UInt64, _ header: inout [UInt8]) {
        let end = position + UInt64(block.count)
        guard end > dataEnd else { return }
        let first = dataEnd > position ? Int(dataEnd - position) : 0
        block.withBytes { header.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[first...])) }
    }

    // MARK: Header

    /// Opens the header, which the hash has proven, and compares it with the index.
    private func judgeHeader(_ bytes: [UInt8], _ blobs: [PackedBlob], _ reading: inout PackReading) {
        guard bytes.count >= 4 else { return reading.problems.append("readHeader: file is too short") }
        let length = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length > 0 else { return reading.problems.append("readHeader: header length is zero") }
        guard length >= ResticCipher.overhead else { return reading.problems.append("readHeader: header length is too short") }
        guard UInt64(length) + 4 <= CheckLimits.packHeaderBytesMax else {
            return reading.problems.append("readHeader: header is larger than maxHeaderSize")
        }
        let wanted = Int(blobs.headerBytes)
        guard length + 4 == wanted else {
            // The index is wrong about this pack: it is the header that the pack was made with.
            return reading.problems.append("pack header size does not match, want \(wanted), got \(length + 4)")
        }
        guard let plain = try? worker.cipher.open(Array(bytes[..<length])) else {
            return reading.problems.append("ciphertext verification failed")
        }
        let header: PackHeader
        do { header = try PackHeader.decode(plain) } catch { return reading.problems.append("\(error)") }
        compare(header, with: blobs, &reading)
    }

    private func compare(_ header: PackHeader, with blobs: [PackedBlob], _ reading: inout PackReading) {
        let known = Set(blobs)
        var offset: UInt64 = 0
        for entry in header.entries {
            let blob = PackedBlob(
                id: entry.id,
                type: entry.type,
                offset: UInt32(clamping: offset),
                length: entry.length,
                uncompressedLength: entry.uncompressedLength
            )
            if !known.contains(blob) {
                reading.problems.append("blob \(entry.id.hex) is not contained in index or position is incorrect")
            }
            offset += UInt64(entry.length)
        }
    }
}
