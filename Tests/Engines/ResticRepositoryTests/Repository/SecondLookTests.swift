import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Testing

import ResticRepository

/// Objects that cannot be read, once or for good (B-01).
@Suite struct SecondLookTests {
    private static let kinds: [ObjectKind] = [.config, .key, .index, .snapshot]

    private func readAll(_ built: SmallRepository, _ store: FaultyStorage) async throws -> Int {
        let repository = try await built.open(store)
        try await repository.loadIndex()
        return try await repository.loadSnapshots { throw $1 }.count
    }

    @Test(arguments: kinds)
    func `B-01 what fails once is asked for again, what is missing is not`(kind: ObjectKind) async throws {
        let built = try await SmallRepository.make()
        let rules = [StorageRule(.fail(.io), on: .get, kind: kind, when: .calls([0]))]
        let once = FaultyStorage(wrapping: built.store, rules: rules, seed: 1)
        #expect(try await readAll(built, once) == 2)
        let sound = FaultyStorage(wrapping: built.store)
        _ = try await readAll(built, sound)
        #expect(once.count(.get, kind) == sound.count(.get, kind) + 1)
        let missing = [StorageRule(.fail(.notFound), on: .get, kind: kind)]
        let gone = FaultyStorage(wrapping: built.store, rules: missing, seed: 1)
        await #expect(throws: (any Error).self) { _ = try await readAll(built, gone) }
        #expect(gone.count(.get, kind) <= sound.count(.get, kind), "each at most once")
    }

    @Test(arguments: kinds)
    func `B-01 what fails always ends the command, and names it`(kind: ObjectKind) async throws {
        let built = try await SmallRepository.make()
        let rules = [StorageRule(.fail(.io), on: .get, kind: kind)]
        let store = FaultyStorage(wrapping: built.store, rules: rules, seed: 1)
        let error = await #expect(throws: StorageFailure.self) { _ = try await readAll(built, store) }
        #expect(error?.code == .io && error?.object.contains(kind.rawValue) == true, "\(String(describing: error))")
    }

    @Test func `B-01 a key that cannot be read does not make the password wrong, and another one opens`() async throws {
        let built = try await SmallRepository.make()
        let first = try #require(built.names.first { $0.kind == .key })
        let repository = try await built.open()
        let other = Secret(Array("other".utf8))
        _ = try await repository.addKey(password: other, scrypt: .cheapForTests)
        let rules = [StorageRule(.fail(.io), on: .get, name: first)]
        let store = FaultyStorage(wrapping: built.store, rules: rules, seed: 1)
        await #expect(throws: StorageFailure.self) { _ = try await built.open(store) }
        _ = try await Repository.open(
            store: store,
            password: other,
            environment: SmallRepository.environment(seed: 3)
        )
    }
}
