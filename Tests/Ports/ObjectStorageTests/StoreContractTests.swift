import Bytes
import HostSystem
import ObjectStorage
import Outcome
import TestSupport
import Testing

/// The stores that the contract holds for.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case local, memory, faulty, faultyLocal, s3, s3Old, s3Moto, rest, restOld, sftp, ssh, rclone

    var testDescription: String { rawValue }

    /// Those whose servers are there; what is missing is said.
    static let here: [StoreKind] = allCases.filter { kind in
        let missing: String? =
            switch kind {
            case .s3Moto where StoreRig.moto.port == 0: "moto is not installed (pip install 'moto[server]')"
            case .sftp where SFTPBench.server == nil: "openssh-sftp-server is not installed"
            case .ssh where SSHRig.shared == nil: "openssh-server is not installed, or may not run here"
            case .rclone where RcloneBench.program == nil: "rclone is not installed"
            default: nil
            }
        if let missing { print("SKIP store contract of \(kind.rawValue): \(missing)") }
        return missing == nil
    }

    /// Whether a removal of what is not there is told from one of what is.
    var tellsAbsence: Bool {
        switch self {
        case .local, .memory, .faulty, .faultyLocal, .rest, .restOld, .sftp, .ssh, .rclone: true
        case .s3, .s3Old, .s3Moto: false
        }
    }

    func make(_ scratch: Scratch) -> any ObjectStorage {
        switch self {
        case .local: scratch.store()
        case .memory: MemoryStorage()
        case .faulty: FaultyStorage(wrapping: MemoryStorage())
        case .faultyLocal: FaultyStorage(wrapping: scratch.store())
        case .s3: S3Bench(.double).remote()
        case .s3Old: S3Bench(.double) { $0.listsByOldInterface = true }.remote()
        case .s3Moto: S3Bench(.moto).remote()
        case .rest: RESTBench.store(RESTBench.double)
        case .restOld: RESTBench.store(RESTBench.old)
        case .sftp: SFTPBench.store(scratch.path + "/repo", [SFTPBench.server ?? ""])
        case .rclone: RcloneBench.store(scratch.path + "/repo")
        case .ssh: SFTPBench.store(scratch.path + "/repo", SSHRig.shared?.client ?? [])
        }
    }
}

/// One suite for every store: what the engine may rely on.
@Suite(.onPool) struct StoreContractTests {
    let scratch = Scratch()

    private func prepared(_ kind: StoreKind) async throws -> any ObjectStorage {
        let store = kind.make(scratch)
        try await store.prepare()
        try await store.put(.config, block("config"))
        return store
    }

    @Test(arguments: StoreKind.here) func `a store exists once it has a config`(_ kind: StoreKind) async throws {
        let store = kind.make(scratch)
        #expect(try await !store.exists())
        try await store.prepare()
        #expect(try await !store.exists())
        try await store.put(.config, block("config"))
        #expect(try await store.exists())
        try await store.checkIdentity()
        #expect(!store.location.isEmpty)
        #expect(store.connections >= 1)
    }

    @Test(arguments: StoreKind.here) func `the layout can be prepared again and nothing changes`(_ kind: StoreKind)
        async throws
    {
        let store = try await prepared(kind)
        try await store.put(name(.pack, 1), block("pack"))
        try await store.prepare()
        #expect(try await store.get(name(.pack, 1)).bytes == Array("pack".utf8))
    }

    @Test(arguments: StoreKind.here) func `what was put comes back for every kind`(_ kind: StoreKind) async throws {
        let store = try await prepared(kind)
        for object in ObjectKind.listed {
            let bytes = Array("content of \(object.rawValue)".utf8)
            try await store.put(name(object, 5), Block(bytes))
            #expect(try await store.get(name(object, 5)).bytes == bytes)
            #expect(try await store.size(name(object, 5)) == UInt64(bytes.count))
            #expect(try await store.has(name(object, 5)))
            #expect(
                try await store.list(object) == [ObjectEntry(digest: name(object, 5).digest, size: UInt64(bytes.count))]
            )
        }
        #expect(try await store.get(.config).bytes == Array("config".utf8))
        #expect(try await store.list(.config).map(\.digest) == [.zero])
    }

    @Test(arguments: StoreKind.here) func `an object of no bytes is an object`(_ kind: StoreKind) async throws {
        let store = try await prepared(kind)
        try await store.put(name(.lock, 1), Block(capacity: 0))
        #expect(try await store.get(name(.lock, 1)).isEmpty)
        #expect(try await store.list(.lock).map(\.size) == [0])
    }

    @Test(arguments: StoreKind.here) func `a large object comes back and so does every range of it`(
        _ kind: StoreKind
    ) async throws {
        let store = try await prepared(kind)
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        try await store.put(name(.pack, 9), Block(bytes))
        #expect(try await store.get(name(.pack, 9)).bytes == bytes)
        for range: Range<UInt64> in [
            0..<0, 0..<1, 17..<4096, 2_999_999..<3_000_000, 3_000_000..<3_000_000, 0..<3_000_000,
        ] {
            let part = try await store.get(name(.pack, 9), range: range)
            #expect(part.bytes == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
        }
    }

    @Test(arguments: StoreKind.here) func `a range beyond the end is too short and never a part`(_ kind: StoreKind)
        async throws
    {
        let store = try await prepared(kind)
        try await store.put(name(.index, 1), block("0123456789"))
        for range: Range<UInt64> in [0..<11, 10..<11, 5..<UInt64.max, 100..<101] {
            #expect(await code { _ = try await store.get(name(.index, 1), range: range) } == .tooShort)
        }
    }

    @Test(arguments: StoreKind.here) func `what is not there is not found and says so`(_ kind: StoreKind)
        async throws
    {
        let store = try await prepared(kind)
        for object in ObjectKind.listed {
            #expect(await code { _ = try await store.get(name(object, 1)) } == .notFound)
            #expect(await code { _ = try await store.size(name(object, 1)) } == .notFound)
            #expect(await code { try await store.remove(name(object, 1)) } == (kind.tellsAbsence ? .notFound : nil))
            #expect(try await !store.has(name(object, 1)))
            #expect(try await store.list(object).isEmpty)
        }
        let failure = await failure { _ = try await store.get(name(.pack, 1)) }
        #expect(failure?.object.contains(name(.pack, 1).digest.short) == true)
        #expect(failure?.next.isEmpty == false)
    }

    @Test(arguments: StoreKind.here) func `the same bytes again are success and other bytes never replace`(
        _ kind: StoreKind
    ) async throws {
        let store = try await prepared(kind)
        try await store.put(name(.snapshot, 1), block("first"))
        try await store.put(name(.snapshot, 1), block("first"))
        #expect(await code { try await store.put(name(.snapshot, 1), block("other")) } == .exists)
        #expect(await code { try await store.put(name(.snapshot, 1), block("longer than that")) } == .exists)
        #expect(await code { try await store.put(name(.snapshot, 1), Block(capacity: 0)) } == .exists)
        #expect(try await store.get(name(.snapshot, 1)).bytes == Array("first".utf8))
        #expect(try await store.list(.snapshot).count == 1)
    }

    @Test(arguments: StoreKind.here) func `a second config is refused even when it is the same`(_ kind: StoreKind)
        async throws
    {
        let store = try await prepared(kind)
        #expect(await code { try await store.put(.config, block("config")) } == .exists)
        #expect(await code { try await store.put(.config, block("another")) } == .exists)
        try await store.remove(.config)
        try await store.put(.config, block("upgraded"))
        #expect(try await store.get(.config).bytes == Array("upgraded".utf8))
        try await store.checkIdentity()
    }

    @Test(arguments: StoreKind.here) func `L1 another config takes the place of the one that is there, and of none`(
        _ kind: StoreKind
    ) async throws {
        let store = try await prepared(kind)
        try await store.replaceConfig(block("upgraded"))
        #expect(try await store.get(.config).bytes == Array("upgraded".utf8))
        try await store.checkIdentity()
        try await store.put(name(.pack, 1), block("pack"))
        try await store.remove(.config)
        #expect(await code { try await store.replaceConfig(block("again")) } == .notFound)
        #expect(try await !store.exists())
    }

    @Test(arguments: StoreKind.here) func `a removed object is gone and can be put again`(_ kind: StoreKind)
        async throws
    {
        let store = try await prepared(kind)
        for object in ObjectKind.listed {
            try await store.put(name(object, 1), block("a"))
            try await store.put(name(object, 2), block("b"))
            try await store.remove(name(object, 1))
            #expect(try await store.list(object).map(\.digest) == [name(object, 2).digest])
            try await store.put(name(object, 1), block("c"))
            #expect(try await store.get(name(object, 1)).bytes == Array("c".utf8))
        }
    }

    @Test(arguments: StoreKind.here) func `many objects put at once are all listed`(_ kind: StoreKind) async throws {
        let store = try await prepared(kind)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { try await store.put(name(.pack, UInt64(number)), block("pack \(number)")) }
            }
            try await group.waitForAll()
        }
        let listed = Set(try await store.list(.pack).map(\.digest))
        #expect(listed == Set((0..<200).map { name(.pack, $0).digest }))
    }

    @Test(arguments: StoreKind.here) func `the same object put by many at once is stored once`(_ kind: StoreKind)
        async throws
    {
        let store = try await prepared(kind)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<16 { group.addTask { try await store.put(name(.pack, 1), block("same")) } }
            try await group.waitForAll()
        }
        #expect(try await store.list(.pack).count == 1)
        #expect(try await store.listing(.pack).foreignCount == 0)
    }
}
