/// The ranges of one pack in which wanted blobs are fetched, in ascending order: neighbours with small gaps together
/// (`Limits.readGapBytes`), none longer than `Limits.readSpanBytes` or one blob.
package struct ReadSpans: Sequence, IteratorProtocol {
    /// What one request fetches.
    package struct Span {
        package var range: Range<UInt64>
        /// In ascending order of offset.
        package var blobs: ArraySlice<BlobLocation>
    }

    private var rest: ArraySlice<BlobLocation>

    package init(_ blobs: [BlobLocation]) { rest = blobs.sorted { $0.offset < $1.offset }[...] }

    package mutating func next() -> Span? {
        guard let first = rest.first else { return nil }
        let start = UInt64(first.offset)
        var end = first.end
        var count = 1
        for blob in rest.dropFirst() {
            let gap = UInt64(blob.offset) > end ? UInt64(blob.offset) - end : 0
            if gap > Limits.readGapBytes || Swift.max(end, blob.end) - start > Limits.readSpanBytes { break }
            end = Swift.max(end, blob.end)
            count += 1
        }
        defer { rest = rest.dropFirst(count) }
        return Span(range: start..<end, blobs: rest.prefix(count))
    }
}
