import Bytes
import Foundation
import HostSystem
import ObjectStorage
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// What a file system can hold, saved as it is.
@Suite struct SourceShapeTests {
    private static func bench() async throws -> (BackupBench, MemoryStorage) {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        return (bench, store)
    }

    @Test func `G-08 names of any bytes are saved byte by byte, and twins stay two`() async throws {
        let (bench, store) = try await Self.bench()
        let names: [[UInt8]] = [
            [0xFF, 0xFE], [0x80], Array("new\nline".utf8), [0x1B] + Array("[31mred".utf8),
            Array("\u{202E}gpj.exe".utf8), Array(repeating: 0x61, count: 255), [0xC3, 0xA9], [0x65, 0xCC, 0x81],
            Array("CASE".utf8), Array("case".utf8), Array("-rf".utf8), Array("back\\slash".utf8),
            Array("quote\"\"".utf8), [0x01, 0x7F], Array(" ".utf8), Array("a b".utf8), Array("*?[".utf8),
            [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], Array("tab\t".utf8), Array("%41".utf8), [0xE2, 0x80, 0xA8],
            Array("...".utf8), Array("~".utf8), Array("$HOME".utf8),
        ]
        let folder = ByteString(bench.source.path)
        for (number, name) in names.enumerated() {
            let path = (folder.bytes + [0x2F] + name + [0]).map { CChar(bitPattern: $0) }
            let descriptor = open(path, O_CREAT | O_WRONLY | O_EXCL, 0o644)
            #expect(descriptor >= 0, "\(name)")
            var byte = UInt8(number)
            _ = write(descriptor, &byte, 1)
            close(descriptor)
        }
        for round in 1...2 {
            let result = try await bench.backUp(into: store)
            #expect(result.errorCount == 0)
            var found: [[UInt8]: [UInt8]] = [:]
            try await bench.entries(of: try #require(result.snapshot), in: store) { _, node, content in
                found[node.name.bytes] = content
            }
            let expected = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, [UInt8($0)]) })
            #expect(found == expected)
            #expect(round == 1 || result.summary.filesUnmodified == UInt64(names.count))
        }
        print("G-08 names ok \(names.count)/\(names.count)")
    }

    @Test func `G-11 hard links inside and across the roots carry the inode by which they are linked again`()
        async throws
    {
        let (bench, store) = try await Self.bench()
        try bench.source.write("one/file", Array("shared".utf8))
        try bench.source.write("two/other", [1])
        let base = bench.source.path
        for target in ["one/twin", "two/across"] { #expect(link(base + "/one/file", base + "/" + target) == 0) }
        // A fourth link lies outside of what is backed up.
        try bench.source.write("outside/x", [2])
        #expect(link(base + "/one/file", base + "/outside/fourth") == 0)
        let repository = try await bench.open(store)
        let result = try await bench.onPool {
            try await bench.backUp(to: repository) { $0.targets = ["one", "two"] }
        }
        var inodes: Set<UInt64> = []
        var links = 0
        try await bench.entries(of: try #require(result.snapshot), in: store) { path, node, content in
            guard ["/one/file", "/one/twin", "/two/across"].contains(path) else { return }
            inodes.insert(node.inode)
            links += 1
            #expect(node.links == 4 && content == Array("shared".utf8), "\(path)")
        }
        #expect(inodes.count == 1 && links == 3)
    }

    @Test func `G-10 a sparse file with holes at odd offsets reads as its bytes`() async throws {
        let (bench, store) = try await Self.bench()
        let path = bench.source.path + "/sparse"
        try bench.source.write("sparse", [])
        let size = 24 << 20
        #expect(truncate(path, off_t(size)) == 0)
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        var expected = [UInt8](repeating: 0, count: size)
        for (offset, byte) in [(4_095, UInt8(1)), (1 << 20 + 7, 2), (9_999_999, 3), (size - 1, 4)] {
            try handle.seek(toOffset: UInt64(offset))
            try handle.write(contentsOf: Data([byte]))
            expected[offset] = byte
        }
        try handle.close()
        let result = try await bench.backUp(into: store)
        let saved = try await bench.contents(of: try #require(result.snapshot), in: store)["/sparse"]
        #expect(saved == expected)
        #expect(result.errorCount == 0)
    }

    @Test func `G-12 extended attributes and ACLs are saved; one that cannot be read is named, and the file is saved`()
        async throws
    {
        let (bench, store) = try await Self.bench()
        try bench.source.write("file", [1, 2, 3])
        guard bench.setAttribute("user.empty", [], of: "file") else {
            return print("SKIP G-12 no extended attributes in \(bench.source.path)")
        }
        var expected: [String: [UInt8]] = ["user.empty": []]
        expected["user.binary"] = Array(0...255)
        for number in 0..<20 { expected["user.many\(number)"] = Array("value \(number)".utf8) }
        for (name, value) in expected { #expect(bench.setAttribute(name, value, of: "file"), "\(name)") }
        let large = [UInt8](repeating: 0x5A, count: 60_000)
        if bench.setAttribute("user.large", large, of: "file") { expected["user.large"] = large }
        // An ACL as the kernel keeps it: version 2, user::rw-, user:1000:r--, group::r--, mask::r--, other::---.
        let acl: [UInt8] = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xE8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16,
            0,
            4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
        ]
        if bench.setAttribute("system.posix_acl_access", acl, of: "file") { expected["system.posix_acl_access"] = acl }
        if getuid() == 0, bench.setAttribute("trusted.root", Array("t".utf8), of: "file") {
            expected["trusted.root"] = Array("t".utf8)
        }
        let result = try await bench.backUp(into: store)
        #expect(result.errorCount == 0)
        let snapshot = try #require(result.snapshot)
        try await bench.entries(of: snapshot, in: store) { path, node, _ in
            for (name, value) in expected {
                #expect(
                    node.extendedAttributes.contains { $0.name.display == name && $0.value == value },
                    "\(name) of \(path)"
                )
            }
        }
        print("G-12 \(expected.count) attributes")
        for code in [EIO, EPERM, ERANGE, ENOTSUP, ENODATA] {
            let empty = MemoryStorage()
            try await bench.create(empty)
            let log = ItemLog()
            let repository = try await bench.open(empty)
            let hooks = SystemHooks.failing(.attributes, at: Set(0..<100), with: code)
            let again = try await bench.onPool {
                try await bench.backUp(to: repository, observer: log) { $0.systemHooks = hooks }
            }
            let isNothingWrong = code == ENOTSUP || code == ENODATA
            #expect(log.failedPaths.contains("/file") != isNothingWrong, "errno \(code)")
            #expect(try await bench.contents(of: try #require(again.snapshot), in: empty) == ["/file": [1, 2, 3]])
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `G-13 pipes, sockets and devices are never opened; files of the kernel are read to their end or a bound`()
        async throws
    {
        let (bench, store) = try await Self.bench()
        let base = bench.source.path
        #expect(mkfifo(base + "/fifo", 0o644) == 0)
        #expect(symlink("nowhere", base + "/link") == 0)
        try bench.source.write("file", [1])
        let isRoot = getuid() == 0 && mknod(base + "/device", S_IFCHR | 0o600, dev_t(1 << 8 | 9)) == 0
        if !isRoot { print("SKIP G-13 making a device needs root") }
        let result = try await bench.backUp(into: store)
        #expect(result.errorCount == 0)
        var types: [String: NodeType] = [:]
        try await bench.entries(of: try #require(result.snapshot), in: store) { path, node, _ in
            types[path] = node.type
        }
        #expect(types["/fifo"] == .fifo && types["/link"] == .symlink && types["/file"] == .file)
        #expect(!isRoot || types["/device"] == .characterDevice)

        for (path, bytes) in [("/proc/self/status", 200...100_000), ("/proc/self/pagemap", 200 << 20...270 << 20)] {
            guard FileManager.default.isReadableFile(atPath: path) else {
                print("SKIP G-13 \(path) cannot be read here")
                continue
            }
            let repository = try await bench.open(store, packSizeBytes: 4 << 20)
            let log = ItemLog()
            let special = try await bench.onPool {
                try await bench.backUp(to: repository, observer: log) { $0.targets = [ByteString(path)] }
            }
            let total = Int(special.summary.totalBytesProcessed)
            #expect(bytes.contains(total), "\(path) gave \(total) bytes")
            #expect(log.failedPaths.isEmpty == (total < 100_000), "\(log.failedPaths)")
        }
    }

    @Test func `F-08 times of any century are saved, and read by stock restic`() async throws {
        let (bench, store) = try await Self.bench()
        let folder = "/dev/shm/holdfast-times-\(getpid())"
        guard mkdir(folder, 0o755) == 0 else { return print("SKIP F-08 no tmpfs in /dev/shm") }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let moments: [Int] = [
            0, -1, -2_208_988_800, -62_135_596_800, -99_999_999_999, 2_147_483_648, 4_294_967_296, 253_402_300_799,
            253_402_300_800, 999_999_999_999, Int(Int64.max / 4), -Int(Int64.max / 4),
        ]
        for (number, moment) in moments.enumerated() {
            let path = folder + "/\(number)"
            try Data([UInt8(number)]).write(to: URL(fileURLWithPath: path))
            var times = [
                timespec(tv_sec: moment, tv_nsec: 999_999_999), timespec(tv_sec: moment, tv_nsec: 999_999_999),
            ]
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        }
        let repository = try await bench.open(store)
        let result = try await bench.onPool {
            try await bench.backUp(to: repository) { request in
                request.targets = [ByteString(folder)]
                request.withAtime = true
            }
        }
        #expect(result.errorCount == 0)
        var seen = 0
        try await bench.entries(of: try #require(result.snapshot), in: store) { path, node, content in
            guard node.type == .file, let number = content.first else { return }
            seen += 1
            let wanted = Int64(moments[Int(number)])
            let saved = node.mtime.moment.seconds
            let isInRange = (-62_167_219_200...253_402_300_799).contains(wanted)
            #expect(isInRange ? saved == wanted : (-62_167_219_200...253_402_300_799).contains(saved), "\(wanted)")
        }
        #expect(seen == moments.count)
        print("F-08 \(seen)/\(moments.count) times")
        guard StockRestic.isInstalled else { return print("SKIP F-08 stock restic is not here") }
        let target = TestFolder()
        try target.write(store)
        let run = try StockRestic.run(["ls", "latest", "--long", "--no-lock"], repository: target.path)
        #expect(run.status == 0 && run.output.contains("\(folder)/11"), "\(run.errors)")
    }
}
