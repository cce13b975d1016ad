import Bytes
import Foundation
import HostSystem
import ObjectStorage
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// What counts as changed since the parent snapshot (G-06), and what is then read.
@Suite struct ParentChoiceTests {
    private static func scene() async throws -> (BackupBench, MemoryStorage, SnapshotID) {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        try bench.source.write("file", Array("old content".utf8))
        try bench.source.write("dir/inner", Array("inner".utf8))
        let first = try await bench.backUp(into: store)
        return (bench, store, try #require(first.snapshot))
    }

    private static func times(_ path: String) -> timespec {
        var status = stat()
        _ = lstat(path, &status)
        return status.st_mtim
    }

    private static func set(_ time: timespec, _ path: String) {
        var times = [time, time]
        _ = utimensat(AT_FDCWD, path, &times, AT_SYMLINK_NOFOLLOW)
    }

    @Test func `G-06 content that changed is seen when size and time were put back`() async throws {
        let (bench, store, _) = try await Self.scene()
        let path = bench.source.path + "/file"
        let old = Self.times(path)
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.write(contentsOf: Data("new".utf8))
        try handle.close()
        Self.set(old, path)
        #expect(Self.times(path).tv_nsec == old.tv_nsec)
        let log = ItemLog()
        let result = try await bench.backUp(into: store, observer: log)
        #expect(log.actions.withLock { $0["/file"] } == .modified)
        let saved = try await bench.contents(of: try #require(result.snapshot), in: store)
        #expect(saved["/file"] == Array("new content".utf8))
    }

    @Test func `G-06 another file under the old name, size and time is read`() async throws {
        let (bench, store, _) = try await Self.scene()
        let path = bench.source.path + "/file"
        let old = Self.times(path)
        try bench.source.write("replacement", Array("OLD CONTENT".utf8))
        #expect(rename(bench.source.path + "/replacement", path) == 0)
        Self.set(old, path)
        let result = try await bench.backUp(into: store)
        let saved = try await bench.contents(of: try #require(result.snapshot), in: store)
        #expect(saved["/file"] == Array("OLD CONTENT".utf8))
    }

    @Test func `G-06 mode, owner and attributes that alone changed are fresh, and no content is stored again`()
        async throws
    {
        let (bench, store, _) = try await Self.scene()
        let path = bench.source.path + "/file"
        #expect(chmod(path, 0o600) == 0)
        let hasAttributes = bench.setAttribute("user.colour", Array("red".utf8), of: "file")
        if !hasAttributes { print("SKIP G-06 no extended attributes in \(bench.source.path)") }
        let isRoot = getuid() == 0 && chown(path, 65_534, 65_534) == 0
        if !isRoot { print("SKIP G-06 changing the owner needs root") }
        #expect(chmod(bench.source.path + "/dir", 0o700) == 0)
        let result = try await bench.backUp(into: store)
        #expect(result.summary.dataBlobs == 0 && result.errorCount == 0)
        var found = 0
        try await bench.entries(of: try #require(result.snapshot), in: store) { path, node, content in
            if path == "/file" {
                found += 1
                #expect(node.mode & 0o777 == 0o600 && content == Array("old content".utf8))
                #expect(!isRoot || (node.uid == 65_534 && node.gid == 65_534))
                #expect(
                    !hasAttributes
                        || node.extendedAttributes.contains {
                            $0.name == "user.colour" && $0.value == Array("red".utf8)
                        }
                )
            }
            if path == "/dir" {
                found += 1
                #expect(node.mode & 0o777 == 0o700)
            }
        }
        #expect(found == 2)
    }

    @Test func `G-06 a third backup after a change of attributes alone still has them`() async throws {
        let (bench, store, _) = try await Self.scene()
        guard bench.setAttribute("user.colour", Array("red".utf8), of: "file") else {
            return print("SKIP G-06 no extended attributes")
        }
        _ = try await bench.backUp(into: store)
        bench.clock.advance(seconds: 10)
        let third = try await bench.backUp(into: store)
        var attributes = 0
        try await bench.entries(of: try #require(third.snapshot), in: store) { path, node, _ in
            if path == "/file" { attributes = node.extendedAttributes.count { $0.name == "user.colour" } }
        }
        #expect(attributes == 1)
        #expect(third.summary.filesUnmodified == 2)
    }

    @Test func `F-05 a parent whose content is gone is not believed`() async throws {
        let (bench, store, _) = try await Self.scene()
        // All packs and indexes are lost; the snapshot file remains.
        for kind in [ObjectKind.pack, .index] {
            for entry in try await store.list(kind) { try await store.remove(ObjectName(kind, entry.digest)) }
        }
        let result = try await bench.backUp(into: store)
        #expect(result.errorCount > 0, "the parent's directory cannot be read, which is said")
        let saved = try await bench.contents(of: try #require(result.snapshot), in: store)
        #expect(saved["/file"] == Array("old content".utf8) && saved["/dir/inner"] == Array("inner".utf8))
    }
}
