import Bytes
import ResticFormat
import Testing

import ResticRepository

@Suite struct PackPlanTests {
    private func blob(_ number: UInt64, at offset: UInt32, _ length: UInt32) -> PackedBlob {
        PackedBlob(
            id: BlobID(Digest(a: number, b: 0, c: 0, d: 0)),
            type: .data,
            offset: offset,
            length: length,
            uncompressedLength: 0
        )
    }

    @Test func `pieces cover the pack without holes, and every blob lies in one of them`() {
        let seed: UInt64 = 11
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<2000 {
            var blobs: [PackedBlob] = []
            var end: UInt32 = 0
            for number in 0..<random.next() % 12 {
                let shift = random.next() % 5 == 0 ? UInt32(random.next() % 300) : 0
                let isBack = random.next() % 9 == 0
                let offset = isBack ? end - min(end, shift) : end + shift
                let length = UInt32(random.next() % 250) + 1
                blobs.append(blob(number, at: offset, length))
                end = offset + length
            }
            blobs = blobs.sortedByOffset()
            let bytes = UInt64(end) + random.next() % 200 - min(UInt64(end), random.next() % 100)
            let plan = PackPlan(blobs, bytes: bytes, spanBytes: 100)
            var position: UInt64 = 0
            for span in plan.spans {
                #expect(span.range.lowerBound == position && !span.range.isEmpty)
                #expect(span.range.count <= 100 || span.blobs.count == 1)
                for blob in span.blobs {
                    #expect(
                        span.range.contains(UInt64(blob.offset))
                            && UInt64(blob.offset) + UInt64(blob.length) <= span.range.upperBound
                    )
                }
                position = span.range.upperBound
            }
            #expect(position == bytes)
            #expect(plan.spans.flatMap(\.blobs).count + plan.misplaced.count == blobs.count)
        }
    }

    @Test func `blobs one behind the other are continuous, gaps and overlaps are not`() {
        #expect(PackPlan([blob(1, at: 0, 40), blob(2, at: 40, 50)], bytes: 200).isContinuous)
        #expect(!PackPlan([blob(1, at: 1, 40)], bytes: 200).isContinuous)
        #expect(!PackPlan([blob(1, at: 0, 40), blob(2, at: 41, 50)], bytes: 200).isContinuous)
        let overlapping = PackPlan([blob(1, at: 0, 40), blob(2, at: 39, 50)], bytes: 200)
        #expect(!overlapping.isContinuous && overlapping.misplaced.map(\.offset) == [39])
    }
}
