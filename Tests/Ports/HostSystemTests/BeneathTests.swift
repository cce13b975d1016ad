import Bytes
import Foundation
import HostSystem
import Testing

@Suite struct BeneathTests {
    let scratch = Scratch()

    @Test func `a path below is opened and one that leaves is refused`() throws {
        let root = try scratch.open()
        try root.createDirectory("a")
        try root.openDirectory("a").createDirectory("b")
        scratch.write("a/b/file", "x")
        #expect(try root.openDirectoryBeneath("a/b").entries().map(\.name) == ["file"])
        #expect(try root.openFileBeneath("a/b/file").status().size == 1)
        for path: ByteString in ["..", "a/../..", "/etc", "a/b/../../.."] {
            #expect(throws: Errno.self) { try root.openDirectoryBeneath(path) }
        }
    }

    @Test func `H-05 a link anywhere in the path is refused`() throws {
        let root = try scratch.open()
        try root.createDirectory("a")
        try root.createSymbolicLink("link", target: "a")
        try root.createSymbolicLink("outside", target: "/etc")
        for path: ByteString in ["link", "link/x", "outside", "outside/passwd"] {
            #expect(throws: Errno.self) { try root.openDirectoryBeneath(path) }
            #expect(throws: Errno.self) { try root.openFileBeneath(path) }
        }
    }

    @Test(arguments: [ENOSYS, EPERM]) func `H-05 without openat2 the path is walked and the same is refused`(
        _ code: Int32
    ) throws {
        func root() throws -> Directory { try scratch.open(hooks: .failing(.open, at: [1], with: code)) }
        try root().createDirectory("a")
        try scratch.open().openDirectory("a").createDirectory("b")
        try scratch.open().createSymbolicLink("outside", target: "/etc")
        scratch.write("a/b/file", "x")
        #expect(try root().openFileBeneath("a/./b/file").status().size == 1)
        for path: ByteString in ["..", "a/../..", "/etc", "outside/passwd", "outside"] {
            #expect(throws: Errno.self) { try root().openDirectoryBeneath(path) }
        }
    }

    @Test func `H-05 a parent that is swapped for a link never leads outside`() throws {
        let root = try scratch.open()
        try root.createDirectory("in")
        try root.createDirectory("out")
        scratch.write("in/file", "inside")
        scratch.write("out/file", "outside!")
        try root.createDirectory("door")
        try root.rename("in", to: "door", in: root)
        try root.createSymbolicLink("link", target: "out")
        let attempts = 3000
        let stop = Locked(false)
        let path = scratch.path
        let swapper = Thread {
            while !stop.current {
                for (from, to) in [("door", "spare"), ("link", "door"), ("door", "link"), ("spare", "door")] {
                    rename("\(path)/\(from)", "\(path)/\(to)")
                }
            }
        }
        swapper.start()
        var opened = 0
        var escapes = 0
        for _ in 0..<attempts {
            guard let file = try? root.openFileBeneath("door/file") else { continue }
            opened += 1
            if try file.status().size != 6 { escapes += 1 }
        }
        stop.with { $0 = true }
        print("H-05 escapes \(escapes)/\(attempts), opened \(opened)")
        #expect(escapes == 0)
    }
}
