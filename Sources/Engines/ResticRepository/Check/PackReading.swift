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

/// A pack, and all blobs that the index knows of it, sorted by offset.
struct PackToRead: Sendable {
    let id: PackID
    let blobs: [PackedBlob]
    /// False when the hash of the whole says all of it.
    var opensBlobs = true
}

/// Reads packs from front to back: hash of the whole, every blob opened, header compared with the index.
///
/// 1. Every byte comes from the store, and is part of the hash that the name is compared with.
/// 2. A pack that was proven in memory (`BlobWriter`, 4) is right when its bytes have the hash of its name and its header, which
///    authenticates, says what the index says; its blobs are not opened. One that does not is read again like any other.
///
/// Several packs go through memory in step, a span of each at a time that begins and ends between blobs: their own hashes and
/// those of their blobs run side by side. Nothing of them is kept. Isolation: one task.
final class PackReader {
    private let repository: Repository
    private let worker: BlobWorker

    init(repository: Repository) {
        self.repository = repository
        worker = repository.makeWorker()
    }

    /// One answer for each pack, in their order.
    ///
    /// Throws when cancelled only.
    func read(_ packs: [PackToRead]) async throws -> [PackReading] {
        let open = packs.map { PackBeingRead($0) }
        while true {
            try Task.checkCancellation()
            var fetched: [FetchedSpan] = []
            for pack in open {
                guard let span = pack.nextSpan() else { continue }
                guard let block = try await fetch(pack.id, span.fetched, &pack.reading) else {
                    pack.giveUp()
                    continue
                }
                fetched.append(FetchedSpan(pack: pack, span: span, block: block))
            }
            if fetched.isEmpty { break }
            hashAndOpen(fetched)
            for span in fetched { span.pack.endSpan(span.block) }
        }
        for pack in open { judge(pack) }
        return open.map(\.reading)
    }

    private func judge(_ pack: PackBeingRead) {
        guard let digest = pack.digest else { return }
        guard digest == pack.id.digest else {
            pack.reading.problems.append("unexpected pack id \(digest.hex)")
            return
        }
        judgeHeader(pack.header, pack.blobs, &pack.reading)
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

    /// Hashes the spans as parts of their packs, and opens the blobs in them, as many together as a batch may have.
    private func hashAndOpen(_ spans: [FetchedSpan]) {
        var pieces = spans.compactMap(\.piece)
        let locations = spans.flatMap { span in span.blobs.map { BlobLocation($0, span.pack.id) } }
        let parts = spans.flatMap(\.parts)
        var results: [Result<OpenedPart, BlobDamage>] = []
        for batch in BlobBatches(locations[...]) {
            let opened = worker.openAll(Array(parts[batch.indices])) { messages in
                defer { pieces = [] }
                return SHA256Lanes.digests(of: messages, beside: pieces)
            }
            results.append(contentsOf: opened)
        }
        if !pieces.isEmpty { _ = SHA256Lanes.digests(of: [], beside: pieces) }
        withExtendedLifetime(spans) {}
        var rest = results[...]
        for span in spans {
            for (blob, result) in zip(span.blobs, rest) {
                if case .failure(let damage) = result { span.pack.note(blob, damage) }
            }
            rest = rest.dropFirst(span.blobs.count)
        }
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
