import Bytes
import ObjectStorage
import ResticFormat
import Sealing

/// One pack on its way through memory.
///
/// A span is fetched from the last whole block of the hash before it, so that each byte is hashed once and in whole blocks; the
/// few bytes between are fetched twice. Isolation: one task.
final class PackBeingRead {
    /// The next blobs, and what is fetched for them.
    struct Span {
        var fetched: Range<UInt64>
        var blobs: [PackedBlob]
    }

    let id: PackID
    let blobs: [PackedBlob]
    fileprivate let opensBlobs: Bool
    var reading = PackReading()
    /// Bytes behind the blobs, as far as they were read.
    private(set) var header: [UInt8] = []
    /// The hash of all bytes; nil when they were not all read.
    private(set) var digest: Digest?
    private let bytes: UInt64
    private let plan: PackPlan
    private var position = 0
    let hash = SHA256Chain()

    init(_ pack: PackToRead) {
        id = pack.id
        blobs = pack.blobs
        opensBlobs = pack.opensBlobs
        bytes = pack.blobs.packBytes
        guard bytes <= StorageLimits.objectBytesMax else {
            plan = PackPlan([], bytes: 0)
            reading.lost = pack.blobs
            reading.problems.append("the index claims \(bytes) bytes, which is more than any pack has")
            return
        }
        plan = PackPlan(pack.blobs, bytes: bytes)
        if !plan.isContinuous { reading.problems.append("index for pack contains gaps / overlapping blobs") }
        for blob in plan.misplaced { note(blob, .wrongLength) }
    }

    /// What comes next; nil at the end.
    func nextSpan() -> Span? {
        guard position < plan.spans.count else { return nil }
        let span = plan.spans[position]
        return Span(fetched: UInt64(hash.count)..<span.range.upperBound, blobs: span.blobs)
    }

    /// The span was hashed, as far as it has whole blocks, and opened.
    func endSpan(_ block: Block) {
        let span = plan.spans[position]
        position += 1
        let start = span.range.upperBound - UInt64(block.count)
        block.withBytes { bytes in
            let headerStart = max(self.bytes - blobs.headerBytes, span.range.lowerBound)
            if span.range.upperBound > headerStart {
                header.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[Int(headerStart - start)...]))
            }
            guard position == plan.spans.count else { return }
            let rest = Int(UInt64(hash.count) - start)
            digest = hash.finish(UnsafeRawBufferPointer(rebasing: bytes[rest...]))
        }
    }

    /// Nothing more of it can be read.
    func giveUp() { position = plan.spans.count }

    func note(_ blob: PackedBlob, _ damage: BlobDamage) {
        reading.lost.append(blob)
        reading.problems.append("blob \(blob.id.hex): \(CheckWords.text(damage, blob, pack: id))")
    }
}

/// A span in memory.
struct FetchedSpan {
    let pack: PackBeingRead
    let span: PackBeingRead.Span
    let block: Block

    /// What of it the hash of the pack can take now; nil for less than a block.
    var piece: SHA256Piece? {
        let count = block.count / SHA256Chain.blockBytes * SHA256Chain.blockBytes
        return count > 0 ? block.withBytes { SHA256Piece($0.part(from: 0, count: count), of: pack.hash) } : nil
    }

    /// Those of its blobs that are to be opened.
    var blobs: [PackedBlob] { pack.opensBlobs ? span.blobs : [] }

    /// Those, sealed; the block has to live as long as they are used.
    var parts: [SealedPart] {
        blobs.map { SealedPart(BlobLocation($0, pack.id), in: block, from: span.fetched.lowerBound) }
    }
}
