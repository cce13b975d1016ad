import Bytes
import Foundation
import Glibc
import ResticFormat
import Testing

private let dump = ProcessInfo.processInfo.environment["RESTIC_DUMP"]

private let hasTimes = dump.map { FileManager.default.fileExists(atPath: $0 + "/times.txt") } ?? false

private func files(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
    let root = URL(fileURLWithPath: try #require(dump)).appendingPathComponent(folder)
    return try FileManager.default.contentsOfDirectory(atPath: root.path).sorted().map { name in
        (name, Array(try Data(contentsOf: root.appendingPathComponent(name))))
    }
}

/// What stock restic wrote, decoded and encoded again; `scripts/dump-documents` makes the folder that `RESTIC_DUMP` names.
@Suite(.enabled(if: dump != nil, "needs RESTIC_DUMP")) struct StockTests {
    @Test func `every tree of stock restic comes back byte for byte`() throws {
        let trees = try files("trees")
        #expect(!trees.isEmpty)
        var count = 0
        for tree in trees {
            var reader = TreeReader(tree.bytes)
            var nodes: [EncodedNode] = []
            while let node = try reader.next() { nodes.append(EncodedNode(node)) }
            #expect(reader.isAscending)
            count += nodes.count
            let encoded = try TreeDocument.encode(nodes.shuffled())
            #expect(encoded == tree.bytes, "tree \(tree.name)")
        }
        print("\(trees.count) trees, \(count) nodes")
    }

    @Test func `every index of stock restic comes back byte for byte`() throws {
        for index in try files("index") {
            #expect(try IndexContents(index.bytes).encode() == index.bytes, "index \(index.name)")
        }
    }

    @Test func `every snapshot and key of stock restic comes back`() throws {
        for snapshot in try files("snapshots") {
            let written = try SnapshotDocument(decoding: snapshot.bytes).encode()
            #expect(compact(snapshot.bytes) == text(written), "snapshot \(snapshot.name)")
        }
        for key in try files("keys") {
            #expect(try KeyFile(decoding: key.bytes).encode() == key.bytes, "key \(key.name)")
        }
    }

    @Test(.enabled(if: hasTimes, "needs times.txt in RESTIC_DUMP: lines of `time ZONE SECONDS NANOSECONDS TEXT`"))
    func `F-08 hostile years in every zone are written as stock restic writes them`() throws {
        let root = URL(fileURLWithPath: try #require(dump))
        let lines = try String(contentsOf: root.appendingPathComponent("times.txt"), encoding: .utf8).split(separator: "\n")
        for line in lines where line.hasPrefix("time ") {
            let words = line.split(separator: " ").map(String.init)
            let moment = Timestamp(seconds: try #require(Int64(words[2])), nanoseconds: try #require(Int32(words[3])))
            if words[1] != "UTC", moment.seconds > 1_000_000_000_000 { continue }
            setenv("TZ", words[1], 1)
            tzset()
            let written = text(RFC3339.format(RFC3339.clamped(moment, offset: localOffset)))
            #expect(written == words[4], "\(line)")
        }
    }

    /// The C library gives up beyond 32-bit years, and its summer time is wrong long before; the zone's first offset always holds.
    private func localOffset(_ moment: Timestamp) -> Int32 {
        var seconds = max(time_t(moment.seconds), -1_000_000_000_000)
        var parts = tm()
        return localtime_r(&seconds, &parts) == nil ? 0 : Int32(parts.tm_gmtoff)
    }

    /// `cat snapshot` prints indented; the stored form has neither line ends nor blanks around its tokens.
    private func compact(_ indented: [UInt8]) -> String {
        text(indented).split(separator: "\n").map { line in
            line.drop { $0 == " " }.replacing("\": ", with: "\":", maxReplacements: 1)
        }.joined()
    }
}
