import Bytes
import Foundation
import Glibc
import ResticFormat
import Testing

/// Times of the two hot paths, printed; `BENCH=1 swift test -c release --filter SpeedTests`. Nothing is asserted about time.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BENCH"] != nil, "needs BENCH=1")) struct SpeedTests {
    /// Processor time of this thread, so that a busy machine does not count.
    private func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    private func measure(_ name: String, bytes count: Int, items: Int, _ body: () throws -> Void) rethrows {
        var best = Double.infinity
        for _ in 0..<5 {
            let start = nanoseconds(CLOCK_THREAD_CPUTIME_ID)
            try body()
            best = min(best, Double(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - start))
        }
        print("\(name): \(Int(best / 1e6)) ms, \(Int(Double(count) / best * 1000)) MB/s, \(Int(best / Double(items))) ns each")
    }

    @Test func `an index of 200,000 blobs`() throws {
        let document = sampleIndex(packs: 2000, blobs: 100)
        try measure("index, as restic writes it", bytes: document.count, items: 200_000) {
            var sum: UInt64 = 0
            try IndexReader.parse(document) { _ in } onBlob: { sum &+= UInt64($0.length) }
            #expect(sum > 0)
        }
        let odd = bytes(text(document).replacing(",\"length\"", with: ", \"length\""))
        try measure("index, spelt otherwise", bytes: odd.count, items: 200_000) {
            try IndexReader.parse(odd) { _ in } onBlob: { _ in }
        }
        measure("index written", bytes: document.count, items: 200_000) { _ = sampleIndex(packs: 2000, blobs: 100) }
    }

    @Test func `a directory of 200,000 files`() throws {
        var generator = SeededGenerator(seed: 1)
        let nodes = (0..<200_000).map { number in
            var node = Node(name: ByteString("entry-\(1_000_000 + number).txt"), type: .file)
            node.mode = 0o644
            node.mtime = zoned(1_700_000_000 + Int64(number), 123_456_789, offset: 3600)
            node.atime = node.mtime
            node.ctime = node.mtime
            (node.user, node.group, node.inode, node.deviceID, node.size, node.links) = ("root", "root", 7_000_000, 64_769, 12_345, 1)
            node.content = [BlobID(randomDigest(&generator))]
            return node
        }
        var document: [UInt8] = []
        try measure("tree written", bytes: nodes.count * 430, items: nodes.count) {
            document = try TreeDocument.encode(nodes.map(EncodedNode.init))
        }
        try measure("tree read", bytes: document.count, items: nodes.count) {
            var reader = TreeReader(document)
            var count = 0
            while try reader.next() != nil { count += 1 }
            #expect(count == nodes.count)
        }
    }
}
