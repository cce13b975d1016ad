import Bytes
import ResticFormat
import Testing

import ResticRepository

/// How wanted blobs are cut into requests and batches, against loops that anyone can follow.
@Suite struct SplittingTests {
    private static func blob(_ number: Int, at offset: Int, plain: Int, isCompressed: Bool = false) -> BlobLocation {
        BlobLocation(
            id: BlobID(Digest(a: UInt64(number), b: 1, c: 2, d: 3)),
            type: .data,
            pack: PackID(.zero),
            offset: UInt32(offset),
            length: UInt32(isCompressed ? plain / 2 + 32 : plain + 32),
            uncompressedLength: isCompressed ? UInt32(plain) : 0
        )
    }

    // MARK: Batches

    /// Blob by blob: into the last batch while it has room, else into a new one.
    private static func batches(_ blobs: [BlobLocation]) -> [[BlobLocation]] {
        var batches: [[BlobLocation]] = []
        for blob in blobs {
            let room = batches.last.map { last in
                last.count < Limits.batchBlobs
                    && last.reduce(blob.plainLength) { $0 + $1.plainLength } <= Limits.batchBytes
            }
            if room == true { batches[batches.count - 1].append(blob) } else { batches.append([blob]) }
        }
        return batches
    }

    @Test func `every blob is in one batch, in its place, and no batch has more bytes or blobs than it may`() {
        let seed = TestSeed.value
        print("batches: seed \(seed)")
        var random = SplitMix64(seed: seed)
        for round in 0..<1_000 {
            let largest = [1, 5_000, 200_000, 2 << 20, 9 << 20].randomElement(using: &random) ?? 1
            var offset = 0
            let blobs = (0..<Int.random(in: 0...300, using: &random)).map { number in
                let plain = Int.random(in: 1...largest, using: &random)
                let blob = Self.blob(number, at: offset, plain: plain, isCompressed: .random(using: &random))
                offset = Int(UInt32(truncatingIfNeeded: offset + plain))
                return blob
            }
            // A slice that begins anywhere, as those of `ReadSpans` do.
            let slice = blobs.dropFirst(Int.random(in: 0...3, using: &random))
            let given = BlobBatches(slice).map(Array.init)
            let label = Comment(rawValue: "round \(round) of seed \(seed)")
            #expect(given == Self.batches(Array(slice)), label)
            #expect(given.flatMap(\.self) == Array(slice), label)
            for batch in given {
                let bytes = batch.reduce(0) { $0 + $1.plainLength }
                #expect(!batch.isEmpty && batch.count <= Limits.batchBlobs, label)
                #expect(bytes <= Limits.batchBytes || batch.count == 1, label)
            }
        }
    }

    @Test func `a batch may be full to the last byte and the last blob, and a larger blob is alone`() {
        func counts(_ sizes: [Int]) -> [Int] {
            BlobBatches(sizes.indices.map { Self.blob($0, at: 0, plain: sizes[$0]) }[...]).map(\.count)
        }
        let full = Limits.batchBytes
        #expect(counts([]).isEmpty)
        #expect(counts([full - 1, 1, 1]) == [2, 1])
        #expect(counts([full - 1, 2]) == [1, 1])
        #expect(counts([1, full + 1, 1, 1]) == [1, 1, 2])
        #expect(counts(Array(repeating: 1, count: Limits.batchBlobs + 1)) == [Limits.batchBlobs, 1])
    }

    // MARK: Spans

    @Test func `every blob is in one span, and spans are as long as gaps and their limit let them be`() {
        let seed = TestSeed.value
        print("spans: seed \(seed)")
        var random = SplitMix64(seed: seed)
        for round in 0..<1_000 {
            let largest = [100, 100_000, 3 << 20, 40 << 20].randomElement(using: &random) ?? 1
            let gap = [0, 1_000, 1 << 20, 3 << 20].randomElement(using: &random) ?? 0
            var blobs: [BlobLocation] = []
            var offset = Int.random(in: 0...gap, using: &random)
            for number in 0..<Int.random(in: 0...60, using: &random) {
                let blob = Self.blob(number, at: offset, plain: Int.random(in: 1...largest, using: &random))
                blobs.append(blob)
                // An index that lies may name overlapping places, and one place twice.
                let isBack = Int.random(in: 0..<12, using: &random) == 0
                offset = isBack ? offset : Int(blob.end) + Int.random(in: 0...gap, using: &random)
                if offset > 4_000_000_000 { break }
            }
            blobs.shuffle(using: &random)
            Self.judge(Array(ReadSpans(blobs)), of: blobs, "round \(round) of seed \(seed)")
        }
    }

    private static func judge(_ spans: [ReadSpans.Span], of blobs: [BlobLocation], _ label: Comment) {
        let given = spans.flatMap(\.blobs)
        #expect(given.count == blobs.count && Set(given) == Set(blobs), label)
        #expect(given.map(\.offset) == blobs.map(\.offset).sorted(), label)
        for span in spans {
            var end = span.range.lowerBound
            for blob in span.blobs {
                #expect(UInt64(blob.offset) <= end + Limits.readGapBytes, label)
                end = max(end, blob.end)
            }
            #expect(span.range.lowerBound == span.blobs.first.map { UInt64($0.offset) }, label)
            #expect(span.range.upperBound == end, label)
            #expect(span.range.count <= Int(Limits.readSpanBytes) || span.blobs.count == 1, label)
        }
        for (span, next) in zip(spans, spans.dropFirst()) {
            guard let first = next.blobs.first else { continue }
            let isFar = UInt64(first.offset) > span.range.upperBound + Limits.readGapBytes
            let isLong = max(span.range.upperBound, first.end) - span.range.lowerBound > Limits.readSpanBytes
            #expect(isFar || isLong, "\(label): two requests where one was enough")
        }
    }

    @Test func `a gap and a span may be as long as their limits, and no byte longer`() {
        func ranges(_ blobs: [(offset: Int, bytes: Int)]) -> [Range<UInt64>] {
            ReadSpans(blobs.indices.map { Self.blob($0, at: blobs[$0].offset, plain: blobs[$0].bytes - 32) })
                .map(\.range)
        }
        let (gap, span) = (Int(Limits.readGapBytes), Int(Limits.readSpanBytes))
        #expect(ranges([]).isEmpty)
        #expect(ranges([(0, 100), (100 + gap, 50)]) == [0..<UInt64(150 + gap)])
        #expect(ranges([(100 + gap + 1, 50), (0, 100)]).count == 2)
        #expect(ranges([(7, span - 1_000), (span + 7 - 1_000, 1_000)]) == [7..<UInt64(span + 7)])
        #expect(ranges([(7, span - 1_000), (span + 7 - 1_000, 1_001)]).map(\.count) == [span - 1_000, 1_001])
        #expect(ranges([(0, span + 1), (span + 1, 40)]).map(\.count) == [span + 1, 40])
        #expect(ranges([(0, 1_000), (200, 300), (900, 200)]) == [0..<1_100])
    }
}
