import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import Testing

/// The local store on real file systems that fill up, turn read-only and vanish.
@Suite(.serialized) struct LocalDiskTests {
    let scratch = Scratch()

    private func store() -> LocalStorage { LocalStorage(ByteString(scratch.path + "/mnt/repo")) }

    private func prepared() async throws -> LocalStorage {
        let store = store()
        try await store.prepare()
        try await store.put(.config, block("config"))
        return store
    }

    @Test func `B-09 a directory that was replaced is not written to`() async throws {
        let store = try await scratch.preparedStore()
        Scratch.shell("mv '\(scratch.path)/repo' '\(scratch.path)/gone' && mkdir -p '\(scratch.path)/repo'")
        #expect(await code { try await store.checkIdentity() } == .diskGone)
        for kind in ObjectKind.listed {
            #expect(await code { try await store.put(name(kind, 1), block("x")) } == .diskGone)
            #expect(await code { _ = try await store.get(name(kind, 1)) } == .diskGone)
            #expect(await code { _ = try await store.listing(kind) } == .diskGone)
            #expect(await code { try await store.remove(name(kind, 1)) } == .diskGone)
        }
        #expect(await code { _ = try await store.exists() } == .diskGone)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/repo").isEmpty)
    }

    @Test func `B-09 a repository that vanished is gone and not to be created`() async throws {
        let store = try await scratch.preparedStore()
        Scratch.shell("mv '\(scratch.path)/repo' '\(scratch.path)/gone'")
        let failure = await failure { try await store.put(name(.pack, 1), block("x")) }
        #expect(failure?.code == .diskGone)
        #expect(failure?.next.contains("mount") == true)
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/repo"))
    }

    @Test func `B-10 another repository in the same directory is refused`() async throws {
        let store = try await scratch.preparedStore()
        Scratch.shell("cd '\(scratch.path)/repo' && cp config c && mv c config")
        #expect(await code { try await store.put(name(.pack, 1), block("x")) } == .diskGone)
        #expect(await code { try await store.checkIdentity() } == .diskGone)
    }

    @Test func `B-09 when the disk is unmounted nothing is written below its mount point`() async throws {
        guard scratch.mountMemory("size=16m", for: "B-09") else { return }
        let store = try await prepared()
        try await store.put(name(.pack, 1), block("before"))
        #expect(Scratch.shell("umount '\(scratch.path)/mnt'") == 0, "the store keeps the disk busy")
        for kind in ObjectKind.listed {
            #expect(await code { try await store.put(name(kind, 2), block("x")) } == .diskGone)
        }
        #expect(await code { try await store.checkIdentity() } == .diskGone)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/mnt").isEmpty)
    }

    @Test func `B-09 a lazily unmounted disk is noticed at the next call`() async throws {
        guard scratch.mountMemory("size=16m", for: "B-09") else { return }
        let store = try await prepared()
        Scratch.shell("umount -l '\(scratch.path)/mnt'; mkdir -p '\(scratch.path)/mnt/repo/data'")
        #expect(await code { try await store.put(name(.pack, 2), block("x")) } == .diskGone)
        #expect(scratch.files(below: "mnt").isEmpty)
    }

    @Test func `C-01 a disk that is really full`() async throws {
        guard scratch.mountMemory("size=2m", for: "C-01") else { return }
        let store = try await prepared()
        try await store.put(name(.snapshot, 1), block("good"))
        let large = Block([UInt8](repeating: 1, count: 4 << 20))
        let failure = await failure { try await store.put(name(.pack, 1), large) }
        #expect(failure?.code == .noSpace)
        #expect(failure?.what.contains("4194304 bytes") == true)
        #expect(try await store.listing(.pack).foreignCount == 0)
        #expect(try await store.get(name(.snapshot, 1)).bytes == Array("good".utf8))
    }

    @Test func `C-02 a disk without inodes says inodes and not full`() async throws {
        // Root of the mount, repo, five directories, 256 below data, config, and nothing for the first object.
        guard scratch.mountMemory("size=16m,nr_inodes=265", for: "C-02") else { return }
        let store = try await prepared()
        var last: StorageFailure?
        for number in 0..<8 where last == nil {
            last = await failure { try await store.put(name(.pack, UInt64(number)), block("x")) }
        }
        #expect(last?.code == .noInodes)
        #expect(last?.what.contains("inodes") == true)
    }

    @Test func `B-07 a disk that turned read-only refuses writes and still reads`() async throws {
        guard scratch.mountMemory("size=16m", for: "B-07") else { return }
        let store = try await prepared()
        try await store.put(name(.pack, 1), block("kept"))
        guard Scratch.shell("mount -o remount,ro '\(scratch.path)/mnt'") == 0 else {
            return print("SKIP B-07 no remount")
        }
        #expect(await code { try await store.put(name(.pack, 2), block("x")) } == .readOnly)
        #expect(await code { try await store.remove(name(.pack, 1)) } == .readOnly)
        #expect(try await store.get(name(.pack, 1)).bytes == Array("kept".utf8))
        #expect(try await store.list(.pack).count == 1)
    }

    @Test func `A-03 what was acknowledged survives a disk that dies, and the failure is named`() async throws {
        guard scratch.mountDisk(for: "A-03") else { return }
        let store = try await prepared()
        for number in 0..<20 { try await store.put(name(.pack, UInt64(number)), block("pack \(number)")) }
        let mount = open(scratch.path + "/mnt", O_RDONLY)
        // The ext4 call that ends all writing without flushing the journal.
        var withoutFlush: UInt32 = 2
        let died = ioctl(mount, 0x8004_587d, &withoutFlush) == 0
        close(mount)
        guard died else { return print("SKIP A-03 no shutdown call") }
        let failure = await failure { try await store.put(name(.pack, 99), block("late")) }
        #expect([.io, .diskGone, .readOnly].contains(failure?.code))
        #expect(failure?.next.isEmpty == false)
        #expect(Scratch.shell("cd '\(scratch.path)' && umount mnt && mount -o loop disk mnt") == 0)
        let again = self.store()
        for number in 0..<20 {
            #expect(try await again.get(name(.pack, UInt64(number))).bytes == Array("pack \(number)".utf8))
        }
        #expect(try await again.list(.pack).count == 20)
    }

    @Test func `B-05 a disk pulled out is a failure and not an empty store`() async throws {
        guard scratch.mountDisk(for: "B-05") else { return }
        let written = try await prepared()
        let bytes = Block([UInt8](repeating: 7, count: 1 << 20))
        for number in 0..<8 { try await written.put(name(.pack, UInt64(number)), bytes) }
        // Mounted anew, nothing of it is in memory when the disk below shrinks.
        Scratch.shell("cd '\(scratch.path)' && umount mnt && mount -o loop disk mnt")
        let store = store()
        #expect(try await store.exists())
        Scratch.shell("truncate -s 1M '\(scratch.path)/disk'")
        var codes: Set<StorageCode> = []
        for number in 0..<8 {
            if let code = await code({ _ = try await store.get(name(.pack, UInt64(number))) }) { codes.insert(code) }
        }
        if let code = await code({ try await store.put(name(.pack, 50), block("x")) }) { codes.insert(code) }
        #expect(!codes.isEmpty)
        #expect(codes.isSubset(of: [.io, .diskGone, .readOnly]), "\(codes)")
    }

    @Test func `B-12 permission lost midway is E-PERM with path and user, and work resumes after the fix`() async throws
    {
        guard !isSuperuser else { return print("SKIP B-12 root is refused nothing; injection covers the words") }
        let store = try await scratch.preparedStore()
        try await store.put(name(.index, 1), block("kept"))
        chmod(scratch.path + "/repo/index", 0)
        for body in [
            { try await store.put(name(.index, 2), block("x")) }, { _ = try await store.get(name(.index, 1)) },
            { _ = try await store.listing(.index) }, { try await store.remove(name(.index, 1)) },
        ] as [() async throws -> Void] {
            let failure = await failure(body)
            #expect(failure?.code == .permission)
            #expect(failure?.object.contains(scratch.path) == true)
            #expect(failure?.what.contains("user \(currentUser().uid)") == true)
        }
        chmod(scratch.path + "/repo/index", 0o700)
        #expect(try await store.get(name(.index, 1)).bytes == Array("kept".utf8))
    }

    @Test func `something mounted inside data is refused`() async throws {
        guard scratch.mountMemory("size=16m", for: "B-09") else { return }
        let store = try await scratch.preparedStore()
        let inner = scratch.path + "/repo/data/" + (name(.pack, 1).subdirectory ?? "")
        guard Scratch.shell("mount --bind '\(scratch.path)/mnt' '\(inner)'") == 0 else {
            return print("SKIP B-09 no bind mount")
        }
        defer { Scratch.shell("umount -l '\(inner)'") }
        #expect(await code { try await store.put(name(.pack, 1), block("x")) } != nil)
        #expect(scratch.files(below: "mnt").isEmpty)
    }
}
