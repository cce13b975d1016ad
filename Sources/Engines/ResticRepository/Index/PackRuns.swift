import Bytes
import Synchronization

/// Hands out the wanted blobs pack by pack: entries of one pack lie together.
final class PackRuns: Sendable {
    private let wanted: EntrySet
    private let index: BlobIndex
    private let cursor = Mutex(0)

    init(_ wanted: EntrySet, _ index: BlobIndex) {
        self.wanted = wanted
        self.index = index
    }

    /// The blobs of the next pack, until none is left.
    func next() -> [BlobLocation]? {
        let range = cursor.withLock { cursor -> Range<Int>? in
            guard let first = wanted.next(from: cursor) else { return nil }
            cursor = index.entries(ofPackHolding: first).upperBound
            return first..<cursor
        }
        guard let range else { return nil }
        var run: [BlobLocation] = []
        var next = range.lowerBound
        while let entry = wanted.next(from: next), entry < range.upperBound {
            run.append(index.location(ofEntry: entry))
            next = entry + 1
        }
        return run
    }
}
