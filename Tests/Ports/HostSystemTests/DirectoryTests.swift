import Bytes
import Foundation
import HostSystem
import Testing

@Suite struct DirectoryTests {
    let scratch = Scratch()

    @Test func `G-08 names of any bytes come back as they are and in byte order`() throws {
        let directory = try scratch.open()
        let names: [[UInt8]] = [
            [0xff, 0xfe], [0x0a], [0x1b, 0x5b, 0x6d], Array("é".utf8), Array("e\u{301}".utf8),
            [UInt8](repeating: 0x61, count: 255),
            Array("-rf".utf8), Array("a\\b".utf8), Array("...".utf8), Array("A".utf8), Array("a".utf8), Array(" ".utf8),
        ]
        for name in names { try directory.createFile(ByteString(name)).close() }
        let listing = try directory.listing(sorted: true)
        let expected = names.map { ByteString($0) }.sorted()
        #expect(listing.indices.map { listing.name(at: $0) } == expected)
        #expect(listing.indices.allSatisfy { listing.kind(at: $0) == .regular })
        #expect(try listing.indices.allSatisfy { try directory.status(of: $0, in: listing).kind == .regular })
        #expect(
            listing.indices.allSatisfy { index in listing.withName(at: index) { Array($0) } == expected[index].bytes }
        )
    }

    @Test func `an empty directory has no entries and a listing can be repeated`() throws {
        let directory = try scratch.open()
        #expect(try directory.listing().isEmpty)
        try directory.createFile("a").close()
        #expect(try directory.listing().count == 1)
        #expect(try directory.entries().map(\.name) == ["a"])
    }

    @Test func `G-07 a directory larger than the buffer is listed whole`() throws {
        let directory = try scratch.open()
        let count = 6000
        for number in 0..<count {
            try directory.createFile(ByteString("a name that takes some room \(number)")).close()
        }
        let listing = try directory.listing(sorted: true)
        #expect(Set(listing.indices.map { listing.name(at: $0) }).count == count)
    }

    @Test func `names that lead elsewhere are refused`() throws {
        let directory = try scratch.open()
        for name: ByteString in ["", ".", "..", "a/b", "/etc", ByteString([0x61, 0])] {
            #expect(throws: Errno.self) { try directory.status(name) }
            #expect(throws: Errno.self) { try directory.createFile(name) }
            #expect(throws: Errno.self) { try directory.openDirectory(name) }
        }
    }

    @Test func `G-05 a fifo in the place of a file is opened without waiting`() throws {
        let directory = try scratch.open()
        try directory.createNode("pipe", mode: UInt32(S_IFIFO) | 0o600, device: 0)
        #expect(try directory.openFile("pipe").status().kind == .fifo)
    }

    @Test func `G-05 a link in the place of a file or directory is refused`() throws {
        let directory = try scratch.open()
        try directory.createDirectory("real")
        try directory.createSymbolicLink("folder", target: "real")
        try directory.createSymbolicLink("file", target: "/etc/passwd")
        #expect { try directory.openFile("file") } throws: { ($0 as? Errno)?.kind == .symbolicLink }
        #expect { try directory.openDirectory("folder") } throws: {
            [.symbolicLink, .notDirectory].contains(($0 as? Errno)?.kind)
        }
        #expect(try directory.status("file").kind == .symbolicLink)
        #expect(try directory.readLink("file") == "/etc/passwd")
    }

    @Test func `a link target longer than a kilobyte is read whole`() throws {
        let directory = try scratch.open()
        let target = ByteString([UInt8](repeating: 0x78, count: 3000))
        try directory.createSymbolicLink("long", target: target)
        #expect(try directory.readLink("long") == target)
    }

    @Test func `G-09 a tree 10000 deep is walked down and up with two descriptors`() throws {
        let depth = 10_000
        var current = try scratch.open()
        var path: [FileIdentity] = []
        for _ in 0..<depth {
            path.append(try current.status().identity)
            try current.createDirectory("d")
            current = try current.openDirectory("d")
        }
        try current.createFile("leaf").close()
        let long = ByteString(scratch.path + String(repeating: "/d", count: depth))
        #expect(long.bytes.count > 4096)
        #expect(try Directory.open(long).entries().map(\.name) == ["leaf"])
        try current.remove("leaf")
        while let parent = path.popLast() {
            current = try current.openParent(expecting: parent)
            try current.removeDirectory("d")
        }
        #expect(try current.listing().isEmpty)
    }

    @Test func `a tree that was moved meanwhile does not lead up to a stranger`() throws {
        let root = try scratch.open()
        for name: ByteString in ["a", "b"] { try root.createDirectory(name) }
        let a = try root.openDirectory("a")
        try a.createDirectory("child")
        let child = try a.openDirectory("child")
        try a.rename("child", to: "child", in: try root.openDirectory("b"))
        #expect(throws: Errno.self) { try child.openParent(expecting: try a.status()) }
    }

    @Test func `created files and directories have exact permissions whatever the umask`() throws {
        let directory = try scratch.open()
        let file = try directory.createFile("file", permissions: 0o666)
        #expect(try file.status().permissions == 0o666)
        try directory.createDirectory("folder", permissions: 0o777)
        #expect(try directory.status("folder").permissions == 0o777)
        #expect(try directory.createFile("private").status().permissions == 0o600)
    }

    @Test func `metadata is set on the entry and never through a link`() throws {
        let directory = try scratch.open()
        try directory.createFile("file").close()
        try directory.createSymbolicLink("link", target: "file")
        let before = try directory.status("file")
        let time = Timestamp(seconds: -5, nanoseconds: 123_456_789)
        try directory.setTimes(accessed: time, modified: time, of: "link")
        #expect(try directory.status("link").modified == time)
        #expect(try directory.status("file").modified == before.modified)
        #expect(throws: Errno.self) { try directory.setPermissions(0o777, of: "link") }
        try directory.setPermissions(0o640, of: "file")
        #expect(try directory.status("file").permissions == 0o640)
    }

    @Test func `a rename that must not replace leaves both`() throws {
        let directory = try scratch.open()
        scratch.write("a", "one")
        scratch.write("b", "two")
        #expect { try directory.renameWithoutReplacing("a", to: "b", in: directory) } throws: {
            ($0 as? Errno)?.kind == .exists
        }
        #expect(scratch.content("b") == Array("two".utf8))
        try directory.renameWithoutReplacing("a", to: "c", in: directory)
        #expect(try scratch.names() == ["b", "c"])
    }

    @Test func `B-08 where renameat2 is missing the name is looked up first`() throws {
        let hooks = SystemHooks.failing(.rename, at: [0], with: EINVAL)
        let directory = try scratch.open(hooks: hooks)
        scratch.write("a", "one")
        try directory.renameWithoutReplacing("a", to: "b", in: directory)
        #expect(try scratch.names() == ["b"])
        let again = try scratch.open(hooks: .failing(.rename, at: [0], with: ENOSYS))
        scratch.write("a", "two")
        #expect { try again.renameWithoutReplacing("a", to: "b", in: again) } throws: {
            ($0 as? Errno)?.kind == .exists
        }
        #expect(scratch.content("b") == Array("one".utf8))
    }

    @Test func `B-08 a directory that cannot be synced is accepted and one that fails is not`() throws {
        for code in [ENOTSUP, EINVAL, ENOENT, ENOSYS] {
            try scratch.open(hooks: .failing(.syncDirectory, at: [0], with: code)).sync()
        }
        for code in [EIO, ENOSPC, ESTALE, EROFS] {
            let directory = try scratch.open(hooks: .failing(.syncDirectory, at: [0], with: code))
            #expect(throws: Errno(code, in: "fsync")) { try directory.sync() }
        }
    }

    @Test func `hard links share the inode and device nodes keep their number`() throws {
        let directory = try scratch.open()
        try directory.createFile("a").close()
        try directory.createHardLink("b", to: "a", in: directory)
        #expect(try directory.status("a").identity == directory.status("b").identity)
        #expect(try directory.status("a").links == 2)
        let makeNode = { () throws(Errno) in
            try directory.createNode("null", mode: UInt32(S_IFCHR) | 0o666, device: 0x103)
        }
        guard try isAllowed(makeNode) else { return skip("device-node", "only root makes device nodes") }
        #expect(try directory.status("null").rdev == 0x103)
    }
}
