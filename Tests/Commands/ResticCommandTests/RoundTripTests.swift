import Bytes
import Foundation
import Testing

/// What stock restic 0.19.1 does not bring back, and we do.
@Suite struct RoundTripTests {
    private static func status(_ path: String) throws -> stat {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path)")
        return status
    }

    /// Backs the source up and restores it into an empty folder.
    private static func restored(_ bench: Bench) async throws -> String {
        #expect(await bench.run("backup", bench.source).status == 0)
        let target = bench.directory + "/restored"
        let run = await bench.run("restore", "latest:" + bench.source, "--target", target)
        #expect(run.status == 0, "\(run.error)")
        return target
    }

    @Test func `symbolic links that share an inode share one again`() async throws {
        let bench = try await Bench()
        try FileManager.default.createSymbolicLink(atPath: bench.source + "/one", withDestinationPath: "nowhere")
        for name in ["two", "three"] {
            #expect(linkat(AT_FDCWD, bench.source + "/one", AT_FDCWD, bench.source + "/" + name, 0) == 0)
        }
        try FileManager.default.createSymbolicLink(atPath: bench.source + "/other", withDestinationPath: "nowhere")
        let target = try await Self.restored(bench)
        // A second run over what is there leads to the same.
        #expect(await bench.run("restore", "latest:" + bench.source, "--target", target).status == 0)
        let inodes = try Set(["one", "two", "three"].map { try Self.status(target + "/" + $0).st_ino })
        #expect(inodes.count == 1)
        #expect(try Self.status(target + "/one").st_nlink == 3)
        #expect(try Self.status(target + "/other").st_nlink == 1)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: target + "/two") == "nowhere")
    }

    @Test func `times after 2262 and before 1678 come back`() async throws {
        let bench = try await Bench()
        // What 64 bits of nanoseconds cannot hold; ext4 holds 1901 to 2446.
        let seconds: [Int] = [10_413_792_000, 15_000_000_000, -2_000_000_000]
        for second in seconds {
            let path = bench.source + "/\(second)"
            try Data([1]).write(to: URL(filePath: path))
            let time = timespec(tv_sec: second, tv_nsec: 123_456_789)
            try #require(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
        }
        let kept = try seconds.map { try Self.status(bench.source + "/\($0)").st_mtim }
        let target = try await Self.restored(bench)
        for (second, time) in zip(seconds, kept) {
            let found = try Self.status(target + "/\(second)").st_mtim
            #expect(found.tv_sec == time.tv_sec && found.tv_nsec == time.tv_nsec, "\(second)")
        }
    }

    @Test func `paths longer than the system takes in one call come back`() async throws {
        let bench = try await Bench()
        let (name, depth) = (String(repeating: "d", count: 200), 30)
        /// Goes down one directory at a time, as no call takes the whole path.
        func descend(from start: String, create: Bool) throws -> Int32 {
            var directory = open(start, O_RDONLY | O_DIRECTORY)
            for _ in 0..<depth {
                if create { try #require(mkdirat(directory, name, 0o755) == 0) }
                let next = openat(directory, name, O_RDONLY | O_DIRECTORY)
                close(directory)
                try #require(next >= 0)
                directory = next
            }
            return directory
        }
        let bottom = try descend(from: bench.source, create: true)
        let leaf = openat(bottom, "leaf", O_WRONLY | O_CREAT, 0o644)
        #expect(write(leaf, "deep", 4) == 4)
        close(leaf)
        close(bottom)
        let target = try await Self.restored(bench)
        let found = openat(try descend(from: target, create: false), "leaf", O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(read(found, &buffer, 8) == 4 && buffer.prefix(4).elementsEqual("deep".utf8))
        close(found)
    }
}
