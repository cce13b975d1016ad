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
/// The pack goes through memory in spans of 4 MiB that begin and end between blobs; nothing of it is kept. Isolation:
/// one task.
final class PackReader {
    private let repository: Repository
    private let worker: BlobWorker
    private let hash = SHA256Context()

    init(repository: Repository) {
        self.repository = repository
        worker = repository.makeWorker()
    }

    /// `blobs` are sorted by offset and are all that the index knows of the pack.
    ///
    /// Throws when cancelled only.
    func read(_ pack: PackID, _ blobs: [PackedBlob]) async throws -> PackReading {
        var reading = PackReading()
        let bytes = blobs.packBytes
        guard bytes <= StorageLimits.objectBytesMax else {
            reading.lost = blobs
            reading.problems.append("the index claims \(bytes) bytes, which is more than any pack has")
            return reading
        }
        let plan = PackPlan(blobs, bytes: bytes)
        if !plan.isContinuous { reading.problems.append("index for pack contains gaps / overlapping blobs") }
        for blob in plan.misplaced { note(blob, .wrongLength, pack, &reading) }
        let headerStart = bytes - blobs.headerBytes
        var header: [UInt8] = []
        for span in plan.spans {
            try Task.checkCancellation()
            guard let block = try await fetch(pack, span.range, &reading) else {
                _ = hash.finish()
                return reading
            }
            block.withBytes { hash.update($0) }
            open(span.blobs, in: block, at: span.range.lowerBound, pack, &reading)
            keepHeader(of: block, at: span.range.lowerBound, from: headerStart, &header)
        }
        let digest = hash.finish()
        guard digest == pack.digest else {
            reading.problems.append("unexpected pack id \(digest.hex)")
            return reading
        }
        judgeHeader(header, blobs, &reading)
        return reading
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

    /// Opens the blobs of a span, as many together as a batch may have.
    private func open(
        _ blobs: some Collection<PackedBlob>,
        in block: Block,
        at position: UInt64,
        _ pack: PackID,
        _ reading: inout PackReading
    ) {
        let locations = blobs.map { BlobLocation($0, pack) }
        var results: [Result<OpenedPart, BlobDamage>] = []
        for batch in BlobBatches(locations[...]) {
            let parts = batch.map { SealedPart($0, in: block, from: position) }
            results.append(contentsOf: worker.openAll(parts))
        }
        withExtendedLifetime(block) {}
        for (blob, result) in zip(blobs, results) {
            if case .failure(let damage) = result { note(blob, damage, pack, &reading) }
        }
    }

    private func note(_ blob: PackedBlob, _ damage: BlobDamage, _ pack: PackID, _ reading: inout PackReading) {
        reading.lost.append(blob)
        reading.problems.append("blob \(blob.id.hex): \(CheckWords.text(damage, blob, pack: pack))")
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
        guard length >= ResticCipher.overhead else {
            return reading.problems.append("readHeader: header length is too short")
        }
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
        do { header = try PackHeader.decode(plain, blobBytes: nil) } catch {
            return reading.problems.append("\(error)")
        }
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
