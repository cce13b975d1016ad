import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import Testing

/// What the local store does when calls fail (fault-plan B and C), by injection.
@Suite struct LocalFaultTests {
    let content = "the bytes of a pack"

    @Test func `B-03 a failed sync is answered by another file`() async throws {
        let scratch = Scratch()
        let hooks = SystemHooks.failing(.sync, at: [0], with: EIO)
        let store = try await scratch.preparedStore(hooks: hooks)
        try await store.put(name(.pack, 1), block(content))
        #expect(hooks.record.count { $0 == .create } == 2)
        #expect(scratch.files() == ["config", name(.pack, 1).path])
    }

    @Test func `B-03 two failed syncs are E-IO and leave nothing`() async throws {
        let scratch = Scratch()
        let store = try await scratch.preparedStore(hooks: .failing(.sync, at: [0, 1], with: EIO))
        let failure = await failure { try await store.put(name(.pack, 1), block(content)) }
        #expect(failure?.code == .io)
        #expect(failure?.what == "Input/output error (EIO in fsync, 19 bytes)")
        #expect(failure?.state.isEmpty == false)
        #expect(scratch.files() == ["config"])
    }

    @Test func `B-04 short writes, interruptions and a failing close`() async throws {
        let scratch = Scratch()
        let drip = SystemHooks { call, index, _ in
            call == .write ? (index % 2 == 0 ? .shorten(1) : .fail(EINTR)) : .proceed
        }
        try await scratch.preparedStore(hooks: drip).put(name(.pack, 1), block(content))
        #expect(scratch.content("repo/" + name(.pack, 1).path) == Array(content.utf8))
        let closing = Scratch()
        let store = try await closing.preparedStore(hooks: .failing(.close, at: [0], with: EIO))
        #expect(await code { try await store.put(name(.pack, 1), block(content)) } == .io)
        #expect(closing.files() == ["config"])
    }

    @Test func `B-08 every errno of every call is a failure with its name, and none is taken for a missing object`()
        async throws
    {
        let zoo = [
            ENOTSUP, EINVAL, ENOENT, ENOSYS, ESTALE, EDQUOT, ENODEV, EROFS, ELOOP, ENAMETOOLONG, EMFILE, EXDEV, EIO,
            ENOSPC, EACCES,
            4711,
        ]
        var count = 0
        for errno in zoo {
            let scratch = Scratch()
            let plain = try await scratch.preparedStore()
            try await plain.put(name(.pack, 1), block(content))
            let store = scratch.store(hooks: .failing(.read, at: [0], with: errno))
            let failure = await failure { _ = try await store.get(name(.pack, 1)) }
            let expected = Errno(errno, in: "pread")
            #expect(failure?.code == (errno == ENOENT ? .diskGone : StorageCode(expected.kind)))
            #expect(failure?.what.contains("\(expected.name) in pread") == true)
            #expect(failure?.next.isEmpty == false)
            let list = scratch.store(hooks: .failing(.list, at: [0], with: errno))
            #expect(
                await code { _ = try await list.listing(.pack) } != nil,
                "a list that failed is never short: \(errno)"
            )
            count += 2
        }
        print("B-08 \(count)/\(count)")
    }

    @Test func `C-01 a full disk at any call leaves the store as it was and names the bytes`() async throws {
        for number in 0..<3 {
            let scratch = Scratch()
            let hooks = SystemHooks { call, index, _ in
                call == .write ? (index == number ? .fail(ENOSPC) : .shorten(5)) : .proceed
            }
            let store = try await scratch.preparedStore(hooks: hooks)
            let failure = await failure { try await store.put(name(.pack, 1), block(content)) }
            #expect(failure?.code == .noSpace)
            #expect(failure?.what == "No space left on device (ENOSPC in write, 19 bytes)")
            #expect(failure?.retry == .afterRepair)
            #expect(scratch.files() == ["config"])
            try await scratch.store().put(name(.pack, 1), block(content))
        }
    }

    @Test func `C-08 a reservation that fails stops nothing`() async throws {
        for code in [ENOSPC, ENOTSUP, EINVAL, ENOSYS] {
            let scratch = Scratch()
            let store = try await scratch.preparedStore(hooks: .failing(.allocate, at: [0], with: code))
            try await store.put(name(.pack, 1), block(content))
        }
    }

    @Test func `B-12 a refused call names the path and the user`() async throws {
        let scratch = Scratch()
        let store = try await scratch.preparedStore(hooks: .failing(.create, at: [0], with: EACCES))
        let failure = await failure { try await store.put(name(.pack, 1), block(content)) }
        #expect(failure?.code == .permission)
        #expect(failure?.object.contains(scratch.path) == true)
        #expect(failure?.what.contains("user \(currentUser().uid)") == true)
    }

    @Test func `A-02 whichever call of a put fails, the object is absent or right and a second put heals`() async throws
    {
        let counting = SystemHooks { _, _, _ in .proceed }
        let scratch = Scratch()
        try await scratch.smallStore(hooks: counting).put(name(.pack, 1), block(content))
        let total = counting.record.count
        var points = 0
        for number in 0..<total {
            for errno in [EIO, ENOSPC, EACCES, ENOENT, EINTR, ESTALE] {
                for verdict in [SystemVerdict.fail(errno), .failAfter(errno)] {
                    try await Self.checkPut(number, verdict, content)
                    points += 1
                }
            }
        }
        print("fail-at-call-N of put: \(points)/\(points) points over \(total) calls")
    }

    private static func checkPut(_ number: Int, _ verdict: SystemVerdict, _ content: String) async throws {
        let scratch = Scratch()
        let hooks = SystemHooks { _, _, overall in overall == number ? verdict : .proceed }
        let store = try await scratch.smallStore(hooks: hooks)
        let failed = await failure { try await store.put(name(.pack, 1), block(content)) }
        let fresh = scratch.store()
        let listed = try await fresh.list(.pack)
        if failed == nil { #expect(listed.count == 1, "call \(number) \(verdict)") }
        if !listed.isEmpty {
            #expect(try await fresh.get(name(.pack, 1)).bytes == Array(content.utf8), "call \(number) \(verdict)")
        }
        #expect(failed?.code != .notFound, "call \(number) \(verdict): \(failed?.what ?? "")")
        try await fresh.put(name(.pack, 1), block(content))
        #expect(try await fresh.get(name(.pack, 1)).bytes == Array(content.utf8))
    }

    @Test func `B-08 whichever call of a read fails, the answer is whole or a failure`() async throws {
        let scratch = Scratch()
        _ = try await scratch.smallStore()
        let packs = Set((0..<5).map { name(.pack, $0) })
        for pack in packs { try await scratch.store().put(pack, block(content)) }
        let counting = SystemHooks { _, _, _ in .proceed }
        _ = try await scratch.store(hooks: counting).list(.pack)
        let total = counting.record.count
        for number in 0..<total {
            for errno in [EIO, EACCES, ESTALE, EMFILE, EINTR] {
                let hooks = SystemHooks { _, _, overall in overall == number ? .fail(errno) : .proceed }
                let store = scratch.store(hooks: hooks)
                guard let listed = try? await store.list(.pack) else { continue }
                #expect(Set(listed.map { ObjectName(.pack, $0.digest) }) == packs, "call \(number) errno \(errno)")
            }
        }
        print("fail-at-call-N of list: \(total * 5)/\(total * 5) points over \(total) calls")
        for number in 0..<6 {
            for errno in [EIO, EACCES, ESTALE, EMFILE, EINTR] {
                let hooks = SystemHooks { _, _, overall in overall == number ? .fail(errno) : .proceed }
                let store = scratch.store(hooks: hooks)
                let failed = await failure {
                    let bytes = try await store.get(name(.pack, 1)).bytes
                    #expect(bytes == Array(content.utf8))
                }
                #expect(failed?.code != .notFound, "call \(number) errno \(errno)")
            }
        }
    }

    @Test func `L2 a removed pointer is durably gone and a lock or pack costs no sync`() async throws {
        for (kind, syncs) in [(ObjectKind.snapshot, 1), (.index, 1), (.key, 1), (.lock, 0), (.pack, 0)] {
            let scratch = Scratch()
            let hooks = SystemHooks { _, _, _ in .proceed }
            let store = try await scratch.preparedStore(hooks: hooks)
            try await scratch.store().put(name(kind, 1), block("x"))
            try await store.remove(name(kind, 1))
            #expect(hooks.record.count { $0 == .syncDirectory } == syncs, "\(kind)")
        }
    }
}
