import Bytes
import Foundation
import HostSystem
import Testing

@Suite struct DurableWriteTests {
    let scratch = Scratch()
    let content = [UInt8]("durable".utf8)

    private func write(_ directory: Directory, ifExists: ExistingFile = .replace) throws {
        try writeDurably(
            content,
            to: "file",
            in: directory,
            permissions: 0o400,
            ifExists: ifExists,
            entropy: SeededBytes(7)
        )
    }

    @Test func `a file is written, synced, closed, named and the name synced, in this order`() throws {
        let hooks = SystemHooks { _, _, _ in .proceed }
        try write(try scratch.open(hooks: hooks))
        let order = hooks.record.filter { [.create, .write, .sync, .close, .rename, .syncDirectory].contains($0) }
        #expect(order == [.create, .write, .sync, .close, .rename, .syncDirectory])
        #expect(scratch.content("file") == content)
        #expect(try scratch.names() == ["file"])
        #expect(try scratch.open().status("file").permissions == 0o400)
    }

    @Test func `B-03 a sync that fails once discards the file and writes another`() throws {
        let hooks = SystemHooks.failing(.sync, at: [0], with: EIO)
        try write(try scratch.open(hooks: hooks))
        #expect(hooks.record.count { $0 == .create } == 2)
        #expect(hooks.record.count { $0 == .sync } == 2)
        #expect(try scratch.names() == ["file"])
        #expect(scratch.content("file") == content)
    }

    @Test func `B-03 a sync that fails twice leaves nothing`() throws {
        let directory = try scratch.open(hooks: .failing(.sync, at: [0, 1], with: EIO))
        #expect(throws: Errno(EIO, in: "fsync")) { try write(directory) }
        #expect(try scratch.names().isEmpty)
    }

    @Test func `B-03 a failed sync of the directory writes a second file over the first`() throws {
        let hooks = SystemHooks.failing(.syncDirectory, at: [0], with: EIO)
        try write(try scratch.open(hooks: hooks), ifExists: .fail)
        #expect(hooks.record.count { $0 == .create } == 2)
        #expect(try scratch.names() == ["file"])
    }

    @Test func `B-02 a failed write is not tried again on the same disk`() throws {
        let hooks = SystemHooks.failing(.write, at: [0], with: EIO)
        #expect(throws: Errno(EIO, in: "write")) { try write(try scratch.open(hooks: hooks)) }
        #expect(hooks.record.count { $0 == .create } == 1)
        #expect(try scratch.names().isEmpty)
    }

    @Test func `an existing file stays unless it is to be replaced`() throws {
        scratch.write("file", "old")
        #expect(throws: Errno.self) { try write(try scratch.open(), ifExists: .fail) }
        #expect(scratch.content("file") == Array("old".utf8))
        #expect(try scratch.names() == ["file"])
        try write(try scratch.open())
        #expect(scratch.content("file") == content)
    }

    @Test func `A-02 whichever call fails, the name is absent or complete, and no other file changes`() throws {
        let counter = SystemHooks { _, _, _ in .proceed }
        try write(try scratch.open(hooks: counter))
        let total = counter.record.count
        var points = 0
        for number in 0..<total {
            for code in [EIO, ENOSPC, EACCES, ENOENT, EINTR, ESTALE] {
                for verdict in [SystemVerdict.fail(code), .failAfter(code), .shorten(1)] {
                    let scratch = Scratch()
                    scratch.write("other", "untouched")
                    let hooks = SystemHooks { _, _, overall in overall == number ? verdict : .proceed }
                    let succeeded = (try? write(try scratch.open(hooks: hooks))) != nil
                    let found = scratch.content("file")
                    #expect(found == nil || found == content, "call \(number) \(verdict)")
                    if succeeded { #expect(found == content, "call \(number) \(verdict)") }
                    #expect(scratch.content("other") == Array("untouched".utf8))
                    points += 1
                }
            }
        }
        print("fail-at-call-N of writeDurably: \(points)/\(points) points over \(total) calls")
    }
}
