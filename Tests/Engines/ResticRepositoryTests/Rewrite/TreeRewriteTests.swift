import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// The rewrite of trees alone, on trees that no backup would write.
@Suite struct TreeRewriteTests {
    /// Does what a table says about paths, and remembers what it was asked.
    struct TableVisitor: TreeRewriteVisitor {
        var answers: [ByteString: NodeRewrite] = [:]
        var lost: LostTreeRewrite?
        var dropsEmpty = false
        var asked: [String] = []
        var lostPaths: [String] = []

        mutating func rewrite(_ node: Node, at path: ByteString) -> NodeRewrite {
            asked.append(path.display)
            return answers[path] ?? .keep
        }

        mutating func unreadable(_ tree: BlobID?, at path: ByteString, _ error: any Error) throws -> LostTreeRewrite {
            lostPaths.append(path.display)
            guard let lost else { throw error }
            return lost
        }

        mutating func keepsEmptyDirectory(at path: ByteString) -> Bool { !dropsEmpty }
    }

    private func rewrite(
        _ root: BlobID,
        in repository: Repository,
        _ visitor: TableVisitor,
        acceptsLoss: Bool = false,
        remembersTrees: Bool = false
    ) async throws -> (tree: BlobID?, visitor: TableVisitor) {
        try await repository.withBlobWriter { writer in
            var rewrite = TreeRewrite(
                repository,
                writer: writer,
                visitor: visitor,
                acceptsLoss: acceptsLoss,
                remembersTrees: remembersTrees
            )
            let tree = try await rewrite.rewrite(root)
            return (tree, rewrite.visitor)
        }
    }

    private func paths(below tree: BlobID, _ repository: Repository) async throws -> [String] {
        var paths: [String] = []
        try await repository.walkNodes(
            below: tree,
            worker: repository.makeWorker(),
            visit: { walked in
                paths.append(walked.path.display)
                return .enter
            }
        )
        return paths
    }

    private static let entries: [ForgedEntry] = [
        .directory("/a"), .file("/a/one", Array("1".utf8)), .directory("/a/sub"), .file("/a/sub/two", Array("2".utf8)),
        .directory("/empty"), .file("/z", Array("z".utf8)), .symlink("/~", "z"),
    ]

    @Test func `a rewrite that keeps everything keeps the ID and stores nothing`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.save(Self.entries)
        let store = FaultyStorage(wrapping: forged.store)
        let repository = try await forged.open(store)
        let result = try await rewrite(root, in: repository, TableVisitor())
        #expect(result.tree == root)
        #expect(result.visitor.asked == ["/a", "/a/one", "/a/sub", "/a/sub/two", "/empty", "/z", "/~"])
        #expect(store.count(.put, .pack) == 0 && store.count(.put, .index) == 0)
    }

    @Test func `what is dropped is gone with all below it, and nothing below is asked for`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.save(Self.entries)
        let repository = try await forged.open()
        let result = try await rewrite(root, in: repository, TableVisitor(answers: ["/a": .drop, "/z": .drop]))
        let expected = try await forged.save([.directory("/empty"), .symlink("/~", "z")])
        #expect(result.tree == expected)
        #expect(result.visitor.asked == ["/a", "/empty", "/z", "/~"])
    }

    @Test func `an altered entry takes the place of the old one`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.save(Self.entries)
        let repository = try await forged.open()
        var node = Node(name: "two", type: .file)
        node.content = []
        let result = try await rewrite(root, in: repository, TableVisitor(answers: ["/a/sub/two": .replace(node)]))
        let tree = try #require(result.tree)
        #expect(tree != root)
        var sizes: [String: UInt64] = [:]
        try await repository.walkNodes(below: tree, worker: repository.makeWorker()) { walked in
            sizes[walked.path.display] = walked.node.size
            return .enter
        }
        #expect(sizes["/a/sub/two"] == 0 && sizes["/a/one"] == 1 && sizes.count == 7)
    }

    @Test func `directories that became empty go where the visitor says so, up to the root`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.save(Self.entries)
        let repository = try await forged.open()
        var visitor = TableVisitor(answers: ["/a/sub/two": .drop])
        let kept = try #require(try await rewrite(root, in: repository, visitor).tree)
        #expect(try await paths(below: kept, repository).contains("/a/sub"))
        visitor.dropsEmpty = true
        let thinned = try #require(try await rewrite(root, in: repository, visitor).tree)
        #expect(try await paths(below: thinned, repository) == ["/a", "/a/one", "/z", "/~"])
        visitor.answers = ["/a": .drop, "/z": .drop, "/~": .drop]
        #expect(try await rewrite(root, in: repository, visitor).tree == nil)
    }

    @Test func `a tree with a field of another program is refused, and rewritten only where loss is accepted`()
        async throws
    {
        let forged = try await ForgedRepository()
        let root = try await forged.forge { forge in
            let odd =
                #"{"nodes":[{"name":"x","type":"fifo","mtime":"0001-01-01T00:00:00Z","#
                + #""atime":"0001-01-01T00:00:00Z","ctime":"0001-01-01T00:00:00Z","uid":0,"gid":0,"content":null,"#
                + #""new":1}]}"# + "\n"
            let inner = try await forge.writer.save(.tree, Array(odd.utf8), worker: forge.worker)
            return try await forge.tree([.directory("d", inner)])
        }
        let repository = try await forged.open()
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await rewrite(root, in: repository, TableVisitor())
        }
        #expect(failure?.what == "cannot encode tree at \"/d\" without losing information")
        let repaired = try await rewrite(root, in: repository, TableVisitor(), acceptsLoss: true)
        #expect(repaired.tree != nil && repaired.tree != root)
    }

    @Test func `a tree that is missing, of no document, or named by nobody is put before the visitor`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.forge { forge in
            let noise = try await forge.writer.save(.tree, Array("{\"nodes\":[nonsense".utf8), worker: forge.worker)
            var nameless = Node.directory("nameless", noise)
            nameless.subtree = nil
            return try await forge.tree([
                .directory("missing", BlobID(Digest(a: 7, b: 7, c: 7, d: 7))), nameless,
                .directory("noise", noise), try await forge.file("stays", [1]),
            ])
        }
        let repository = try await forged.open()
        await #expect(throws: (any Error).self) { try await rewrite(root, in: repository, TableVisitor()) }
        let dropped = try await rewrite(root, in: repository, TableVisitor(lost: .drop))
        #expect(dropped.visitor.lostPaths == ["/missing", "/nameless", "/noise"])
        #expect(try await paths(below: try #require(dropped.tree), repository) == ["/stays"])
        let emptied = try await rewrite(root, in: repository, TableVisitor(lost: .replace([])))
        #expect(
            try await paths(below: try #require(emptied.tree), repository) == [
                "/missing", "/nameless", "/noise", "/stays",
            ]
        )
        let lone = BlobID(Digest(a: 9, b: 9, c: 9, d: 9))
        #expect(try await rewrite(lone, in: repository, TableVisitor(lost: .drop)).tree == nil)
    }

    @Test func `entries out of order are refused in every mode, since no tree can hold them`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.forge { forge in
            try await forge.tree([try await forge.file("b", [1]), try await forge.file("a", [2])])
        }
        let repository = try await forged.open()
        for acceptsLoss in [false, true] {
            await #expect(throws: RepositoryFailure.self) {
                try await rewrite(root, in: repository, TableVisitor(), acceptsLoss: acceptsLoss)
            }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `I-09 a tree that holds one child twice, forty levels deep, is rewritten once where trees are remembered`()
        async throws
    {
        let forged = try await ForgedRepository()
        let root = try await forged.forge { forge in
            var tree = try await forge.tree([try await forge.file("leaf", [1])])
            for _ in 0..<40 { tree = try await forge.tree([.directory("a", tree), .directory("b", tree)]) }
            return tree
        }
        let repository = try await forged.open()
        let result = try await rewrite(root, in: repository, TableVisitor(), remembersTrees: true)
        #expect(result.tree == root && result.visitor.asked.count == 81)
    }

    @Test(.timeLimit(.minutes(10)))
    func `Q-05 five thousand directories in one another are rewritten without the thread's stack`() async throws {
        let forged = try await ForgedRepository()
        let root = try await forged.forge { forge in
            var tree = try await forge.tree([try await forge.file("gone", [1]), try await forge.file("leaf", [1])])
            for _ in 0..<5_000 { tree = try await forge.tree([.directory("d", tree)]) }
            return tree
        }
        let repository = try await forged.open()
        let path = ByteString(Array(repeatElement("/d", count: 5_000).joined().utf8) + Array("/gone".utf8))
        let result = try await rewrite(root, in: repository, TableVisitor(answers: [path: .drop]))
        #expect(result.tree != root && result.visitor.asked.count == 5_002)
    }
}
