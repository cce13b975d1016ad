import Bytes
import ResticFormat
import Testing

/// The hint of what a walk will read next: of an honest document it is exact.
@Suite struct SubtreeScanTests {
    private static func randomNodes(_ random: inout SplitMix64) -> [Node] {
        let names = ["a", #""subtree":""#, "b\"", "subtree", "\\", "s", "subtre", "", "\u{2028}", #"x"subtree":"0"#]
        var nodes: [Node] = []
        for number in 0..<Int.random(in: 0...30, using: &random) {
            let isDirectory = Bool.random(using: &random)
            let name = "\(100 + number)" + (names.randomElement(using: &random) ?? "")
            var node = Node(name: ByteString(name), type: isDirectory ? .directory : .symlink)
            node.user = ByteString(names.randomElement(using: &random) ?? "")
            node.linkTarget = ByteString(names.randomElement(using: &random) ?? "")
            if isDirectory { node.subtree = BlobID(Digest(a: random.next(), b: random.next(), c: 3, d: random.next())) }
            nodes.append(node)
        }
        return nodes
    }

    @Test func `all subtrees of honest documents are found, in their order, and nothing else`() throws {
        let seed: UInt64 = 41
        print("subtrees, seed \(seed)")
        var random = SplitMix64(seed: seed)
        for round in 0..<400 {
            let nodes = Self.randomNodes(&random)
            let document = try treeDocument(nodes)
            let expected = nodes.compactMap(\.subtree)
            #expect(SubtreeScan.subtrees(in: document, limit: 1000) == expected, "round \(round)")
            #expect(SubtreeScan.subtrees(in: document, limit: 3) == Array(expected.prefix(3)), "round \(round)")
            // Cut anywhere: a beginning of the same, and nothing read beyond the end.
            let cut = Int.random(in: 0...document.count, using: &random)
            let found = SubtreeScan.subtrees(in: Array(document[..<cut]), limit: 1000)
            #expect(found == Array(expected.prefix(found.count)), "round \(round), cut at \(cut)")
        }
    }

    @Test(arguments: ["", #""subtree":""#, #""subtree":"zz"}"#, #"{"subtree":null}"#, #"""subtree":""subtree":""#])
    func `what is no ID is passed over`(text: String) {
        #expect(SubtreeScan.subtrees(in: Array(text.utf8), limit: 10).isEmpty)
    }

    @Test func `an access time spelt as a change time of this node or another is read as what it says`() throws {
        let times = [zoned(1_700_000_000, 5), zoned(1_700_000_000, 5, offset: 3600), zoned(7), RFC3339.zeroTime]
        var nodes: [Node] = []
        for (first, mtime) in times.enumerated() {
            for (second, atime) in times.enumerated() {
                var node = Node(name: ByteString("\(first)\(second)"), type: .file)
                (node.mtime, node.atime, node.ctime) = (mtime, atime, times[(first + second) % times.count])
                nodes.append(node)
            }
        }
        #expect(try ResticFormatTests.nodes(in: try treeDocument(nodes)) == nodes)
        let old = "2001-02-03T04:05:06Z"
        let parts = [
            #"{"name":"a","mtime":"# + "\"\(old)\"}", #"{"name":"b","atime":"# + "\"\(old)\"}",
            #"{"name":"c","atime":""}"#,
        ]
        let document = { (parts: [String]) in Array((#"{"nodes":["# + parts.joined(separator: ",") + "]}").utf8) }
        let read = try ResticFormatTests.nodes(in: document(Array(parts[..<2])))
        #expect(read[1].atime == read[0].mtime && read[1].mtime == RFC3339.zeroTime)
        #expect(throws: FormatError.self) { try ResticFormatTests.nodes(in: document(parts)) }
    }
}

/// Nodes of which only the outline is read.
@Suite struct OutlineTests {
    @Test func `an outline has the name, type and subtree of each node, whatever else the node says`() throws {
        var full = fullNode()
        full.subtree = nil
        var directory = full
        (directory.name, directory.type, directory.subtree) = ("}]{[\"", .directory, BlobID(digest("c")))
        var link = full
        (link.name, link.type, link.linkTarget) = ("~", .symlink, "\"}],{\\")
        let document = try treeDocument([full, directory, link].sorted { $0.name < $1.name })
        var (whole, outline) = (TreeReader(document), TreeReader(document, .outline))
        while let node = try whole.next() {
            let read = try #require(try outline.next())
            #expect(read.name == node.name && read.type == node.type && read.subtree == node.subtree)
            #expect(outline.lastNode == whole.lastNode)
        }
        #expect(try outline.next() == nil)
    }

    @Test func `a document cut anywhere is refused, also by its outline`() throws {
        let document = try treeDocument([fullNode(), Node(name: "z", type: .directory)])
        for cut in 0..<document.count - 1 {
            var reader = TreeReader(Array(document[..<cut]), .outline)
            #expect(throws: FormatError.self, "cut at \(cut)") { while try reader.next() != nil {} }
        }
    }
}
