import ResticFormat
import Bytes

/// In which pieces a pack is read from front to back: without holes, and cut between blobs.
///
/// Pure.
package struct PackPlan: Sendable {
    /// A piece, and the blobs that lie in it whole.
    package struct Span: Sendable, Hashable {
        package var range: Range<UInt64>
        package var blobs: [PackedBlob] = []
    }

    package private(set) var spans: [Span] = []
    /// Blobs that overlap the one before or lie behind the end; the index is wrong about them.
    package private(set) var misplaced: [PackedBlob] = []
    /// False when the blobs do not follow each other without gaps from byte 0.
    package private(set) var isContinuous = true

    /// `blobs` are sorted by offset; `bytes` is the size that the pack has to have.
    package init(_ blobs: [PackedBlob], bytes: UInt64, spanBytes: UInt64 = CheckLimits.spanBytes) {
        var current = Span(range: 0..<0)
        for blob in blobs {
            let offset = UInt64(blob.offset)
            let end = offset + UInt64(blob.length)
            if offset != current.range.upperBound { isContinuous = false }
            guard offset >= current.range.upperBound, end <= bytes else {
                misplaced.append(blob)
                continue
            }
            if end - current.range.lowerBound > spanBytes {
                close(&current)
                fill(to: offset, &current, spanBytes)
            }
            current.blobs.append(blob)
            current.range = current.range.lowerBound..<end
        }
        close(&current)
        fill(to: bytes, &current, spanBytes)
    }

    private mutating func close(_ current: inout Span) {
        if !current.range.isEmpty { spans.append(current) }
        current = Span(range: current.range.upperBound..<current.range.upperBound)
    }

    /// Pieces without blobs up to `end`.
    private mutating func fill(to end: UInt64, _ current: inout Span, _ spanBytes: UInt64) {
        while current.range.upperBound < end {
            let start = current.range.upperBound
            current = Span(range: start..<min(end, start + spanBytes))
            close(&current)
        }
    }
}
