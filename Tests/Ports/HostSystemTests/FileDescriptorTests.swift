import Bytes
import Foundation
import HostSystem
import Outcome
import Testing

@Suite struct FileDescriptorTests {
    let scratch = Scratch()
    let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func write(_ bytes: [UInt8], to file: FileDescriptor, at offset: UInt64) throws {
        try bytes.withUnsafeBytes { buffer in try file.write(buffer, at: offset) }
    }

    @Test func `B-04 short writes and interruptions are made good`() throws {
        let hooks = SystemHooks { call, index, _ in
            guard call == .write else { return .proceed }
            return index % 3 == 0 ? .shorten(97) : index % 3 == 1 ? .fail(EINTR) : .proceed
        }
        let file = try scratch.open(hooks: hooks).createFile("file")
        try file.write(Array(content[..<5000]))
        try write(Array(content[5000...]), to: file, at: 5000)
        try file.close()
        #expect(scratch.content("file") == content)
        #expect(hooks.record.count { $0 == .write } > 4)
    }

    @Test func `B-04 short reads and interruptions are made good`() throws {
        _ = FileManager.default.createFile(atPath: scratch.path + "/file", contents: Data(content))
        let hooks = SystemHooks { call, index, _ in
            guard call == .read else { return .proceed }
            return index % 2 == 0 ? .shorten(311) : .fail(EINTR)
        }
        let file = try scratch.open(hooks: hooks).openFile("file")
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 20_000, alignment: 8)
        defer { room.deallocate() }
        #expect(try file.readFully(into: room) == content.count)
        #expect(room.prefix(content.count).elementsEqual(content))
        #expect(try file.read(into: room, at: 9500) == 500)
        #expect(room.prefix(500).elementsEqual(content[9500...]))
    }

    @Test func `B-04 an error of close is an error and the descriptor is gone`() throws {
        let file = try scratch.open(hooks: .failing(.close, at: [0], with: EIO)).createFile("file")
        #expect(throws: Errno(EIO, in: "close")) { try file.close() }
        #expect(file.rawValue == -1)
        try file.close()
    }

    @Test func `a transfer that moves nothing ends in a failure and not in a loop`() throws {
        let full = try Directory.open("/dev").openFileForUpdate("full")
        #expect(throws: Errno(ENOSPC, in: "write")) { try full.write([1, 2, 3]) }
    }

    @Test func `offsets beyond the kernel's are refused`() throws {
        let file = try scratch.open().createFile("file")
        #expect(throws: Errno.self) { try write(content, to: file, at: UInt64.max - 5) }
        #expect(throws: Errno.self) { try file.truncate(to: UInt64.max) }
    }

    @Test func `holes keep the length and read as zeros`() throws {
        let file = try scratch.open().createFile("file")
        try file.truncate(to: 1 << 20)
        try write([UInt8](repeating: 7, count: 65_536), to: file, at: 0)
        guard try isAllowed({ () throws(Errno) in try file.punchHole(at: 0, count: 65_536) }) else {
            return skip("punch-hole", "this file system has no holes")
        }
        #expect(try file.status().size == 1 << 20)
        #expect(scratch.content("file")?.allSatisfy { $0 == 0 } == true)
    }

    @Test func `a whole file is read up to its limit`() throws {
        scratch.write("file", "hello")
        #expect(try readFile(ByteString(scratch.path + "/file"), limit: 5) == Array("hello".utf8))
        #expect(throws: Errno.self) { try readFile(ByteString(scratch.path + "/file"), limit: 4) }
        #expect(throws: Errno.self) { try readFile("/dev/zero", limit: 100_000) }
    }

    @Test func `a file that is locked is not locked twice`() throws {
        let first = try scratch.open().createFile("file")
        let second = try scratch.open().openFile("file")
        #expect(try first.tryLock(exclusive: true))
        #expect(try !second.tryLock(exclusive: true))
        first.unlock()
        #expect(try second.tryLock(exclusive: false))
    }

    @Test func `a line is read from a pipe and the rest stays`() throws {
        let (reader, writer) = try makePipe()
        try writer.write(Array("secret word\r\nnext".utf8))
        let line = try Terminal.readLine(reader)
        #expect(line.withBytes { Array($0) } == Array("secret word".utf8))
        #expect(!Terminal.isTerminal(reader))
        #expect(Terminal.width(reader) == nil)
    }
}

@Suite struct ExtendedAttributeTests {
    let scratch = Scratch()

    @Test func `G-12 attributes of any bytes are set, listed, read and removed`() throws {
        let directory = try scratch.open()
        let file = try directory.createFile("file")
        try directory.createDirectory("folder")
        let values: [(ByteString, [UInt8])] = [
            ("user.empty", []), ("user.binary", [0, 255, 10, 27]), ("user.long", [UInt8](repeating: 9, count: 3000)),
        ]
        guard try isAllowed({ () throws(Errno) in try file.setAttribute("user.probe", to: [1]) }) else {
            return skip("G-12", "this file system has no user attributes")
        }
        try directory.removeAttribute("user.probe", of: "file")
        for (name, value) in values {
            try directory.setAttribute(name, to: value, of: "file")
            try directory.setAttribute(name, to: value, of: "folder")
        }
        for (name, value) in values {
            #expect(try directory.attribute(name, of: "file") == value)
            #expect(try file.attribute(name) == value)
            #expect(try directory.openDirectory("folder").attribute(name, of: nil) == value)
        }
        #expect(try directory.attributeNames(of: "file").sorted() == values.map(\.0).sorted())
        #expect(try file.attributeNames().count == 3)
        let listing = try directory.listing(sorted: true)
        #expect(try directory.attributeNames(of: 0, in: listing).count == 3)
        #expect(try directory.attribute("user.binary", of: 0, in: listing) == [0, 255, 10, 27])
        try file.removeAttribute("user.empty")
        #expect { try directory.attribute("user.empty", of: "file") } throws: { ($0 as? Errno)?.kind == .noAttribute }
    }

    @Test func `G-12 a link has attributes of its own`() throws {
        let directory = try scratch.open()
        try directory.createFile("file").close()
        try directory.createSymbolicLink("link", target: "file")
        #expect(throws: Errno.self) { try directory.setAttribute("user.x", to: [1], of: "link") }
        #expect(try directory.attributeNames(of: "file").isEmpty)
        guard try isAllowed({ () throws(Errno) in try directory.setAttribute("trusted.x", to: [1], of: "link") }) else {
            return skip("G-12", "trusted attributes need root")
        }
        #expect(try directory.attribute("trusted.x", of: "link") == [1])
        #expect(try directory.attributeNames(of: "file").isEmpty)
    }
}
