import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import Testing

/// The shape of a repository on disk, as restic makes it.
@Suite struct LocalLayoutTests {
    let scratch = Scratch()

    @Test func `S-06 the layout has 256 data directories, private modes and read-only files`() async throws {
        umask(0)
        let store = try await scratch.preparedStore()
        try await store.put(name(.pack, 3), block("pack"))
        for folder in [
            "repo", "repo/data", "repo/keys", "repo/locks", "repo/snapshots", "repo/index", "repo/data/00",
            "repo/data/ff",
        ] {
            #expect(try scratch.permissions(folder) == 0o700, "\(folder)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/repo/data").count == 256)
        #expect(try scratch.permissions("repo/config") == 0o400)
        #expect(try scratch.permissions("repo/" + name(.pack, 3).path) == 0o400)
    }

    @Test func `where the group may read the config it may read what follows`() async throws {
        _ = try await scratch.preparedStore()
        chmod(scratch.path + "/repo/config", 0o440)
        rmdir(scratch.path + "/repo/data/" + (name(.pack, 1).subdirectory ?? ""))
        let store = scratch.store()
        try await store.put(name(.pack, 1), block("pack"))
        #expect(try scratch.permissions("repo/" + name(.pack, 1).path) == 0o440)
        #expect(try scratch.permissions("repo/data/" + (name(.pack, 1).subdirectory ?? "")) == 0o750)
    }

    @Test func `objects lie where restic has them`() async throws {
        let store = try await scratch.preparedStore()
        for kind in ObjectKind.listed { try await store.put(name(kind, 1), block("x")) }
        let digest = name(.pack, 1).digest.hex
        #expect(
            scratch.files() == [
                "config", "data/\(digest.prefix(2))/\(digest)", "index/\(digest)", "keys/\(digest)", "locks/\(digest)",
                "snapshots/\(digest)",
            ]
        )
    }

    @Test func `D-05 foreign names are passed over and counted, and links are not followed`() async throws {
        let store = try await scratch.preparedStore()
        try await store.put(name(.pack, 1), block("pack"))
        let digest = name(.pack, 1).digest.hex
        let other = name(.pack, 2).digest.hex
        let repo = scratch.path + "/repo"
        let own = "\(repo)/data/\(digest.prefix(2))"
        _ = FileManager.default.createFile(atPath: "\(own)/\(digest)-tmp-0123456789", contents: nil)
        _ = FileManager.default.createFile(atPath: "\(own)/.DS_Store", contents: nil)
        _ = FileManager.default.createFile(atPath: "\(own)/\(digest.uppercased())", contents: nil)
        _ = FileManager.default.createFile(atPath: "\(own)/\(String(repeating: "0", count: 64))", contents: nil)
        _ = FileManager.default.createFile(atPath: "\(repo)/data/stray", contents: nil)
        mkdir("\(repo)/data/zz", 0o700)
        mkdir("\(repo)/data/\(other.prefix(2))/\(other)", 0o700)
        symlink("\(own)/\(digest)", "\(repo)/snapshots/\(digest)")
        rmdir("\(repo)/data/01")
        symlink("/etc", "\(repo)/data/01")
        let packs = try await store.listing(.pack)
        #expect(packs.entries.map(\.digest) == [name(.pack, 1).digest])
        #expect(packs.foreignCount == 8, "\(packs.foreign)")
        #expect(packs.foreign.contains("data/stray"))
        let snapshots = try await store.listing(.snapshot)
        #expect(snapshots.entries.isEmpty)
        #expect(snapshots.foreignCount == 1)
        #expect(await code { _ = try await store.get(name(.snapshot, 1)) } == .layout)
        #expect(await code { _ = try await store.get(name(.pack, 2)) } == .layout)
    }

    @Test func `D-05 a pack under the prefix of another is not listed`() async throws {
        let store = try await scratch.preparedStore()
        let digest = name(.pack, 2).digest.hex
        let wrong = digest.hasPrefix("00") ? "01" : "00"
        _ = FileManager.default.createFile(
            atPath: "\(scratch.path)/repo/data/\(wrong)/\(digest)",
            contents: Data("x".utf8)
        )
        let listing = try await store.listing(.pack)
        #expect(listing.entries.isEmpty)
        #expect(listing.foreign == ["data/\(wrong)/\(digest)"])
    }

    @Test func `D-03 a missing directory is a failure of its own and not an empty list`() async throws {
        for kind in [ObjectKind.key, .snapshot, .index, .pack] {
            let scratch = Scratch()
            _ = try await scratch.preparedStore()
            Scratch.shell("rm -rf '\(scratch.path)/repo/\(kind.directoryName)'")
            let store = scratch.store()
            let failure = await failure { _ = try await store.listing(kind) }
            #expect(failure?.code == .layout)
            #expect(failure?.object.contains(kind.directoryName) == true)
            #expect(await code { try await store.put(name(kind, 1), block("x")) } == .layout)
            #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/repo/\(kind.directoryName)"))
        }
    }

    @Test func `a copy without its empty locks directory has no locks and takes one`() async throws {
        _ = try await scratch.preparedStore()
        rmdir(scratch.path + "/repo/locks")
        let store = scratch.store()
        #expect(try await store.list(.lock).isEmpty)
        try await store.put(name(.lock, 1), block("lock"))
        #expect(try await store.list(.lock).count == 1)
        #expect(try scratch.permissions("repo/locks") == 0o700)
    }

    @Test func `D-05 a directory of the layout that is a link is refused with the way out`() async throws {
        _ = try await scratch.preparedStore()
        Scratch.shell(
            "cd '\(scratch.path)' && mv repo/index elsewhere && ln -s ../elsewhere repo/index"
        )
        let store = scratch.store()
        let failure = await failure { try await store.put(name(.index, 1), block("x")) }
        #expect(failure?.code == .layout)
        #expect(failure?.next.contains("link") == true)
        #expect(scratch.files(below: "elsewhere").isEmpty)
    }

    @Test func `a config that claims more than an object may have is not read`() async throws {
        let store = try await scratch.preparedStore()
        chmod("\(scratch.path)/repo/config", 0o600)
        truncate("\(scratch.path)/repo/config", 0)
        truncate("\(scratch.path)/repo/config", 1 << 40)
        #expect(await code { _ = try await store.get(.config) } == .tooLarge)
        #expect(try await store.get(.config, range: 0..<10).count == 10)
    }

    @Test func `a leftover temporary file is harmless`() async throws {
        let store = try await scratch.preparedStore()
        let digest = name(.index, 1).digest.hex
        _ = FileManager.default.createFile(
            atPath: "\(scratch.path)/repo/index/\(digest)-tmp-1",
            contents: Data("half".utf8)
        )
        try await store.put(name(.index, 1), block("whole"))
        #expect(try await store.list(.index).count == 1)
        #expect(try await store.get(name(.index, 1)).bytes == Array("whole".utf8))
    }

    @Test func `a repository path of several new levels is made and one through a file is refused`() async throws {
        let deep = LocalStorage(ByteString(scratch.path + "/x/y/z"))
        try await deep.prepare()
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/x/y/z/data/a7"))
        _ = FileManager.default.createFile(atPath: scratch.path + "/file", contents: nil)
        let blocked = LocalStorage(ByteString(scratch.path + "/file/repo"))
        #expect(await code { try await blocked.prepare() } == .layout)
        #expect(await code { _ = try await blocked.exists() } == .layout)
    }
}
