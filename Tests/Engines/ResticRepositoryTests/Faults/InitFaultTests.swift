import Bytes
import Foundation
import ObjectStorage
import Outcome
import Sealing
import Testing

import ResticRepository

/// The two steps of an init, key and config, with everything that can happen to the store between them.
@Suite struct InitFaultTests {
    private static func create(
        _ bench: BackupBench,
        _ store: any ObjectStorage,
        password: String = SmallRepository.password
    )
        async throws
    {
        _ = try await Repository.create(
            store: store,
            password: Secret(Array(password.utf8)),
            scrypt: .cheapForTests,
            environment: bench.environment()
        )
    }

    private static let faults: [StorageFault] = [
        .fail(.io), .fail(.noSpace), .fail(.permission), .crashBefore, .crashAfter,
    ]
    private static let putFaults: [StorageFault] = [
        .failAfter(.timeout), .ghostPut, .truncatePut(toBytes: 0), .truncatePut(toBytes: 90),
    ]

    @Test func `A-05 an init that breaks off at any call is taken up by the next one`() async throws {
        let bench = BackupBench()
        try bench.source.write("a", [1, 2, 3])
        let clean = FaultyStorage(wrapping: MemoryStorage())
        try await Self.create(bench, clean)
        var covered = 0
        for point in clean.calls.indices {
            for fault in Self.faults + (clean.calls[point].operation == .put ? Self.putFaults : []) {
                let label = Comment(rawValue: "\(fault) at call \(point), \(clean.calls[point].operation)")
                let inner = MemoryStorage()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                let broken = await #expect(throws: (any Error).self, label) { try await Self.create(bench, store) }
                let words = try #require(broken as? any ReportableFailure, label)
                #expect(!words.state.isEmpty && !words.next.isEmpty, label)

                // A backup meanwhile says that there is no repository, or finds a whole one.
                if try await inner.exists() {
                    _ = try await bench.backUp(into: inner)
                } else {
                    let failure = await #expect(throws: RepositoryFailure.self, label) {
                        _ = try await bench.backUp(into: inner)
                    }
                    #expect(failure?.code == .noRepository, label)
                    try await Self.create(bench, inner)
                    #expect(try await inner.list(.key).count == 1, label)
                }
                let result = try await bench.backUp(into: inner)
                #expect(
                    try await bench.contents(of: try #require(result.snapshot), in: inner) == ["/a": [1, 2, 3]],
                    label
                )
            }
            covered += 1
        }
        print("call-points \(covered)/\(clean.calls.count) of init")
    }

    @Test func `A-05 an init makes its folder on a disk, also where one was begun`() async throws {
        let bench = BackupBench()
        try bench.source.write("a", [1, 2, 3])
        for begun in [[], ["repository/data/00", "repository/keys", "repository/locks"]] {
            let folder = TestFolder()
            for path in begun {
                try FileManager.default.createDirectory(
                    atPath: "\(folder.path)/\(path)",
                    withIntermediateDirectories: true
                )
            }
            let path = ByteString(folder.path + "/repository")
            try await Self.create(bench, LocalStorage(path))
            #expect(try await bench.backUp(into: LocalStorage(path)).snapshot != nil, "\(begun)")
        }
    }

    @Test func `A-05 an init over a repository without config touches nothing and says what is there`() async throws {
        let bench = BackupBench()
        try bench.source.write("a", [1, 2, 3])
        let whole = MemoryStorage()
        try await Self.create(bench, whole)
        _ = try await bench.backUp(into: whole)
        try await whole.remove(.config)
        let before = Set(whole.contents.keys)
        let failure = await #expect(throws: RepositoryFailure.self) { try await Self.create(bench, whole) }
        #expect(failure?.code == .exists && failure?.what.contains("no config") == true)
        #expect(failure?.next.contains("restore the file `config`") == true)
        #expect(Set(whole.contents.keys) == before)
    }

    @Test func `A-05 the key of a broken-off init is not taken over with another password`() async throws {
        let bench = BackupBench()
        let inner = MemoryStorage()
        let store = FaultyStorage(
            wrapping: inner,
            rules: [StorageRule(.crashBefore, on: .put, kind: .config)]
        )
        await #expect(throws: (any Error).self) { try await Self.create(bench, store) }
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await Self.create(bench, inner, password: "another")
        }
        #expect(failure?.code == .exists && failure?.next.contains("same password") == true)
        #expect(try await inner.list(.key).count == 1)
        let unlisted = FaultyStorage(wrapping: inner, rules: [StorageRule(.fail(.io), on: .list)])
        await #expect(throws: StorageFailure.self) { try await Self.create(bench, unlisted) }
        #expect(try await inner.exists() == false)
    }
}
