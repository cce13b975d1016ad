import Bytes
import Foundation
import ResticFormat
import Testing

private let dump = ProcessInfo.processInfo.environment["RESTIC_DUMP"]

private func files(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
    let root = URL(fileURLWithPath: try #require(dump)).appendingPathComponent(folder)
    return try FileManager.default.contentsOfDirectory(atPath: root.path).sorted().map { name in
        (name, Array(try Data(contentsOf: root.appendingPathComponent(name))))
    }
}

/// What stock restic wrote, decoded and encoded again; `scripts/dump-documents` makes the folder that `RESTIC_DUMP` names.
@Suite(.enabled(if: dump != nil, "needs what stock restic wrote; scripts/test lets it write")) struct StockTests {
    @Test func `every tree of stock restic comes back byte for byte`() throws {
        let trees = try files("trees")
        #expect(!trees.isEmpty)
        var count = 0
        for tree in trees {
            var reader = TreeReader(tree.bytes)
            var nodes: [Node] = []
            while let node = try reader.next() { nodes.append(node) }
            count += nodes.count
            let encoded = try treeDocument(nodes)
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

    /// `cat snapshot` prints indented; the stored form has neither line ends nor blanks around its tokens.
    private func compact(_ indented: [UInt8]) -> String {
        text(indented).split(separator: "\n").map { line in
            line.drop { $0 == " " }.replacing("\": ", with: "\":", maxReplacements: 1)
        }.joined()
    }
}
