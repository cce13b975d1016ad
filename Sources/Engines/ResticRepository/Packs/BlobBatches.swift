/// Splits blobs, in their order, into batches that are opened together (`Limits.batchBytes`, `Limits.batchBlobs`).
///
/// A blob that is larger than a batch is alone in one.
package struct BlobBatches: Sequence, IteratorProtocol {
    private var rest: ArraySlice<BlobLocation>

    package init(_ blobs: ArraySlice<BlobLocation>) { rest = blobs }

    package mutating func next() -> ArraySlice<BlobLocation>? {
        guard let first = rest.first else { return nil }
        var bytes = first.plainLength
        var count = 1
        for blob in rest.dropFirst().prefix(Limits.batchBlobs - 1) {
            bytes += blob.plainLength
            guard bytes <= Limits.batchBytes else { break }
            count += 1
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
