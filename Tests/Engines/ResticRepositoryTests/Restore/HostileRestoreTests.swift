import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Testing

import ResticRepository

/// A target with a neighbour that no restore may touch.
final class Arena: Sendable {
    let folder = TestFolder()
    var target: String { folder.path + "/deep/target" }
    var outside: String { folder.path + "/outside" }

    init() throws {
        try folder.write("outside/witness", Array("as it was".utf8))
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        chmod(outside + "/witness", 0o640)
    }

    deinit { removeDeepTree(folder.path) }

    /// Everything but what is inside the target, metadata included.
    var world: TreeListing {
        var world = TreeListing(folder.path) { $0.hasPrefix("/deep/target/") || $0 == "/deep/target" }
        // The target itself comes and goes.
        world.entries["/deep"]?.modified = []
        // So does a further name in it of something outside.
        for path in world.entries.keys { world.entries[path]?.twin = nil }
        return world
    }

    /// Runs the body and answers what it changed outside the target.
    func changes(_ body: () async throws -> Void) async rethrows -> [String] {
        let before = world
        try await body()
        return world.differences(from: before)
    }
}

/// Snapshots that authenticate and lead astray all the same.
@Suite struct HostileRestoreTests {
    private static let names: [ByteString] = [
        "..", ".", "", "/", "a/b", "../escape", "../../outside/escape", "/tmp/holdfast-escape", "a/../../escape", "./x",
        "dir/", "..//escape", ByteString([0]), ByteString(Array("a".utf8) + [0] + Array("b".utf8)),
        ByteString([UInt8](repeating: 120, count: 256)), ByteString([UInt8](repeating: 120, count: 4096)),
        ByteString(String(repeating: "../", count: 60) + "escape"),
    ]
    /// Odd, and one component all the same: they are restored.
    private static let oddNames: [ByteString] = [
        "...", ".. ", "..\\escape", "a\\b", "C:", "-rf", "~", "*", "\n", "\u{1b}[2J", "\u{202e}gpj", " ",
        ByteString([0xc0, 0xae, 0xc0, 0xae]), ByteString([0xff, 0xfe]), ByteString([0xc0, 0xaf]),
        ByteString([UInt8](repeating: 120, count: 255)),
    ]

    @Test(arguments: ["file", "directory", "symlink", "fifo", "link"])
    func `H-01 a name that is no single component is refused by name, whatever it names`(kind: String) async throws {
        let forged = try await ForgedRepository()
        for name in Self.names {
            let arena = try Arena()
            let tree = try await forged.forge { forge in
                let good = try await forge.file("good", Array("good".utf8))
                let node: Node
                switch kind {
                case "directory": node = try await forge.directory(name, [try await forge.file("inner", [1])])
                case "symlink": node = forge.symlink(name, "target")
                case "fifo": node = forge.described(Node(name: name, type: .fifo))
                case "link": node = forge.linked(good, inode: 7).named(name)
                default: node = try await forge.file(name, Array("bad".utf8))
                }
                return try await forge.tree([forge.linked(good, inode: 7), node].sorted { $0.name < $1.name })
            }
            try arena.folder.write("deep/target/stranger", [1])
            let changes = await arena.changes {
                let outcome = await forged.restore(tree, to: arena.target) { $0.delete = true }
                #expect(!outcome.isSuccess && outcome.error == nil, "\(name.display) \(outcome.text)")
                #expect(
                    outcome.log.failures.contains { $0.text.contains("invalid child node name") },
                    "\(outcome.text)"
                )
            }
            #expect(changes.isEmpty, "\(name.display): \(changes)")
            // Nothing is deleted any more once a tree is known to be hostile.
            #expect(Set(TreeListing(arena.target).entries.keys) == ["/good", "/stranger"], "\(name.display)")
        }
    }

    @Test func `H-01 G-08 odd names that are one component are restored byte by byte`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.forge { forge in
            var nodes: [Node] = []
            for name in Self.oddNames { nodes.append(try await forge.file(name, name.bytes)) }
            return try await forge.tree(nodes.sorted { $0.name < $1.name })
        }
        let arena = try Arena()
        let changes = await arena.changes {
            let outcome = await forged.restore(tree, to: arena.target)
            #expect(outcome.isSuccess, "\(outcome.text)")
        }
        #expect(changes.isEmpty)
        let found = TreeListing(arena.target)
        #expect(found.entries.count == Self.oddNames.count)
        for name in Self.oddNames { #expect(found.entries.values.contains { $0.content == name.bytes }) }
    }

    @Test func `H-03 H-07 of entries with one name the second is refused aloud and reaches nothing`() async throws {
        let forged = try await ForgedRepository()
        let arena = try Arena()
        let outside = ByteString(arena.outside)
        for target in ["..", "../..", "/tmp", outside, "../../outside", "."] as [ByteString] {
            let trees = try await forged.forge { forge in
                let way = forge.symlink("way", target)
                let folder = try await forge.directory("way", [try await forge.file("witness", Array("evil".utf8))])
                let file = try await forge.file("way", Array("evil".utf8))
                let through = try await forge.file("way/witness", Array("evil".utf8))
                var trees: [BlobID] = []
                for pair in [
                    [way, folder], [folder, way], [way, through], [way, file], [file, way], [file, folder],
                ] {
                    trees.append(try await forge.tree(pair))
                }
                return trees
            }
            for (number, tree) in trees.enumerated() {
                removeDeepTree(arena.target)
                let changes = await arena.changes {
                    let outcome = await forged.restore(tree, to: arena.target)
                    #expect(outcome.log.failures.count == 1, "\(target) \(number) \(outcome.text)")
                }
                #expect(changes.isEmpty, "\(target) \(number) \(changes)")
                let first: [mode_t] = [S_IFLNK, S_IFDIR, S_IFLNK, S_IFLNK, S_IFREG, S_IFREG]
                #expect(TreeListing(arena.target).entries["/way"]?.kind == first[number], "\(target) \(number)")
            }
        }
    }

    @Test func `H-04 a further name is linked to nothing but the file that this restore wrote`() async throws {
        let forged = try await ForgedRepository()
        let arena = try Arena()
        let cases = try await forged.forge { forge in
            let text = try await forge.file("b", Array("right".utf8))
            var device = forge.described(Node(name: "a", type: .fifo))
            device.inode = 7
            device.links = 2
            device.deviceID = 3
            let link = forge.linked(forge.symlink("a", ByteString(arena.outside + "/witness")), inode: 7)
            let absolute = forge.linked(text, inode: 7).named(ByteString(arena.outside + "/witness"))
            let second = forge.linked(text, inode: 7)
            return [
                ("a pipe", try await forge.tree([device, second])),
                ("a symbolic link", try await forge.tree([link, second])),
                ("an absolute name", try await forge.tree([absolute, second])),
            ]
        }
        for (what, tree) in cases {
            removeDeepTree(arena.target)
            let changes = await arena.changes { _ = await forged.restore(tree, to: arena.target) }
            #expect(changes.isEmpty, "\(what): \(changes)")
            let second = TreeListing(arena.target).entries["/b"]
            #expect(second?.kind == S_IFREG && second?.content == Array("right".utf8), "\(what)")
        }
    }

    @Test func `H-04 G-11 names of one inode with different contents become files of their own`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.forge { forge in
            let one = forge.linked(try await forge.file("one", Array("first".utf8)), inode: 7, links: 3)
            let two = forge.linked(try await forge.file("two", Array("second".utf8)), inode: 7, links: 3)
            return try await forge.tree([one, one.named("three").sized(like: one), two].sorted { $0.name < $1.name })
        }
        let target = TestFolder()
        let outcome = await forged.restore(tree, to: target.path)
        #expect(outcome.isSuccess, "\(outcome.text)")
        #expect(target.read("one") == Array("first".utf8))
        #expect(target.read("three") == Array("first".utf8))
        #expect(target.read("two") == Array("second".utf8))
        #expect(TreeListing(target.path).entries["/three"]?.twin == "/one")
    }

    @Test func `H-04 a further name of a file that failed is not linked to what stood there before`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.forge { forge in
            let one = forge.linked(try await forge.file("one", Array("the right content".utf8)), inode: 7)
            return try await forge.tree([one, one.named("two")])
        }
        let target = TestFolder()
        try target.write("one", Array("old".utf8))
        let packs = try await forged.store.list(.pack)
        let data = try #require(packs.min { $0.size < $1.size })
        let rules = packs.map { StorageRule(.fail(.io), on: .get, name: ObjectName(.pack, $0.digest)) }
        // The tree must still be read, so only the pack of the content fails.
        let outcome = await forged.restore(
            tree,
            to: target.path,
            from: FaultyStorage(
                wrapping: forged.store,
                rules: rules.filter { $0.name == ObjectName(.pack, data.digest) }
            )
        )
        #expect(!outcome.isSuccess)
        #expect(target.read("one") == Array("old".utf8))
        #expect(target.read("two") == nil, "linked to the old file")
    }
}

extension Node {
    /// The same under another name.
    func named(_ name: ByteString) -> Node {
        var node = self
        node.name = name
        return node
    }

    /// The same with another size.
    func sized(_ size: UInt64) -> Node {
        var node = self
        node.size = size
        return node
    }

    func sized(like other: Node) -> Node { sized(other.size) }
}
