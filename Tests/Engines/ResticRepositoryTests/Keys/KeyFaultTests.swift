import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Testing

import ResticRepository

/// Adding, changing and removing a password, with every call of the store failing, lying or being the last one.
@Suite struct KeyFaultTests {
    private static let faults: [StorageFault] = [
        .fail(.io), .fail(.noSpace), .fail(.permission), .fail(.notFound), .failAfter(.timeout), .crashBefore,
        .crashAfter,
    ]
    private static let putFaults: [StorageFault] = [
        .ghostPut, .truncatePut(toBytes: 0), .truncatePut(toBytes: 90), .truncatePut(toBytes: 400),
    ]
    private static let getFaults: [StorageFault] = [.flipBit, .zeros, .shortRead(toBytes: 10)]

    enum Verb: String, CaseIterable, Sendable { case add, passwd, remove }

    /// One thread and a clock that stands, so that every run makes the same calls.
    private let bench = BackupBench()
    private static let old = SmallRepository.password
    private static let new = "another password"

    private func secret(_ text: String) -> Secret { Secret(Array(text.utf8)) }

    private func open(_ store: any ObjectStorage, _ password: String, seed: UInt64 = 99) async throws -> Repository {
        try await Repository.open(
            store: store,
            password: secret(password),
            environment: bench.environment(seed: seed)
        )
    }

    private func opens(_ store: any ObjectStorage, _ password: String) async -> Bool {
        do {
            return try await !open(store, password).loadSnapshots { throw $1 }.isEmpty
        } catch {
            return false
        }
    }

    /// One run of a verb as the command makes it; `extra` is the key that `remove` takes away.
    private func run(_ verb: Verb, in store: any ObjectStorage, extra: KeyID) async throws {
        try await bench.onPool {
            let repository = try await open(store, Self.old)
            try await repository.withLock(verb == .add ? .shared : .exclusive) {
                switch verb {
                case .add: _ = try await repository.addKey(password: secret(Self.new), scrypt: .cheapForTests)
                case .passwd: _ = try await repository.changePassword(to: secret(Self.new), scrypt: .cheapForTests)
                case .remove: try await repository.removeKey(extra)
                }
            }
        }
    }

    /// The small repository with a second key, which opens with a third password.
    private func scene() async throws -> (store: MemoryStorage, extra: KeyID) {
        let small = try await SmallRepository.make()
        let repository = try await open(small.store, Self.old, seed: 5)
        let entry = try await repository.addKey(password: secret("third"), scrypt: .cheapForTests)
        return (small.store, entry.id)
    }

    @Test(arguments: Verb.allCases)
    func `2.3 whatever call fails, the old password or the new one opens the repository`(verb: Verb) async throws {
        let (start, extra) = try await scene()
        let clean = FaultyStorage(wrapping: start.copy())
        try await run(verb, in: clean, extra: extra)
        let points = clean.calls.count
        var (covered, runs): (Set<Int>, Int) = ([], 0)
        for point in 0..<points {
            let call = clean.calls[point]
            let more = call.operation == .put ? Self.putFaults : call.operation == .get ? Self.getFaults : []
            for fault in Self.faults + more {
                let label = Comment(rawValue: "\(verb): \(fault) at call \(point), \(call.operation)")
                let inner = start.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                var isDone = false
                do {
                    try await run(verb, in: store, extra: extra)
                    isDone = true
                } catch {
                    let words = try #require(error as? any ReportableFailure, label)
                    #expect(!words.what.isEmpty && !words.object.isEmpty, label)
                }
                let (oldOpens, newOpens) = (await opens(inner, Self.old), await opens(inner, Self.new))
                #expect(oldOpens || newOpens, label)
                if verb != .passwd { #expect(oldOpens, label) }
                if verb != .remove { #expect(await opens(inner, "third"), label) }
                if isDone {
                    #expect(newOpens == (verb != .remove), label)
                    #expect(oldOpens == (verb != .passwd), label)
                }
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                runs += 1
            }
        }
        #expect(covered.count == points)
        print("call-points \(covered.count)/\(points) of key \(verb.rawValue), \(runs) runs")
    }

    @Test func `a key that was spoiled on its way is taken away again, and none is removed`() async throws {
        let (start, _) = try await scene()
        let before = Set(start.contents.keys)
        for fault in Self.getFaults + [.fail(.io)] {
            let inner = start.copy()
            // The gets before are those of opening.
            let opening = FaultyStorage(wrapping: inner.copy())
            let count = try await {
                _ = try await open(opening, Self.old); return opening.count(.get, .key)
            }()
            let rule = StorageRule(fault, on: .get, kind: .key, when: .from(count))
            let store = FaultyStorage(wrapping: inner, rules: [rule])
            let repository = try await open(store, Self.old)
            await #expect(throws: (any Error).self, "\(fault)") {
                _ = try await repository.changePassword(to: secret(Self.new), scrypt: .cheapForTests)
            }
            #expect(Set(inner.contents.keys) == before, "\(fault)")
        }
    }

    @Test func `the key in use is not removed, and names of a new one are those given`() async throws {
        let (store, extra) = try await scene()
        let repository = try await open(store, Self.old)
        let failure = await #expect(throws: RepositoryFailure.self) { try await repository.removeKey(repository.keyID) }
        #expect(failure?.what == "refusing to remove key currently used to access repository")
        let named = try await repository.addKey(
            password: secret(""),
            userName: "me",
            hostName: "there",
            scrypt: .cheapForTests
        )
        let keys = try await repository.listKeys { _, error in Issue.record(error) }
        #expect(keys.count == 3)
        let found = try #require(keys.first { $0.id == named.id })
        #expect(found.file.username == "me" && found.file.hostname == "there")
        #expect(keys.first { $0.id == extra }?.file.username == "user")
        #expect(await opens(store, ""))
        try await store.put(ObjectName(.key, Digest(a: 1, b: 1, c: 1, d: 1)), Block(Array("no key".utf8)))
        var unreadable: [KeyID] = []
        _ = try await repository.listKeys { id, _ in unreadable.append(id) }
        #expect(unreadable == [KeyID(Digest(a: 1, b: 1, c: 1, d: 1))])
    }
}
