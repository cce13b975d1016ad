import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// Fail-at-call-N for the commands that put snapshots in the place of others or take them away.
@Suite struct RemoveSnapshotsTests {
    /// One thread and a clock that stands, so that every run makes the same calls.
    private let bench = BackupBench()

    private static let faults: [StorageFault] = [
        .fail(.io), .fail(.noSpace), .fail(.permission), .fail(.notFound), .failAfter(.timeout), .crashBefore,
        .crashAfter,
    ]
    private static let putFaults: [StorageFault] = [
        .ghostPut, .truncatePut(toBytes: 0), .truncatePut(toBytes: 40), .truncatePut(toBytes: 300),
    ]

    /// A repository with eight snapshots, beside those of the small one.
    private func history() async throws -> (small: SmallRepository, ids: [SnapshotID]) {
        let small = try await SmallRepository.make()
        let repository = try await small.open()
        var ids: [SnapshotID] = []
        for number in 0..<8 {
            var document = small.snapshots[0].document
            document.time.moment.seconds += Int64(100 + number)
            ids.append(try await repository.saveSnapshot(document))
        }
        return (small, ids)
    }

    private func present(_ store: MemoryStorage) -> Set<SnapshotID> {
        Set(store.contents.keys.filter { $0.kind == .snapshot }.map { SnapshotID($0.digest) })
    }

    /// A whole run: open, lock, remove.
    private func remove(
        _ ids: [SnapshotID],
        in store: any ObjectStorage
    ) async throws -> (removed: Set<SnapshotID>, failed: Set<SnapshotID>) {
        try await bench.onPool {
            let repository = try await bench.open(store)
            return try await repository.withLock(.exclusive) {
                var (removed, failed): (Set<SnapshotID>, Set<SnapshotID>) = ([], [])
                try await repository.removeSnapshots(ids) { id, error in
                    if error == nil { removed.insert(id) } else { failed.insert(id) }
                }
                return (removed, failed)
            }
        }
    }

    @Test func `2.3 A-06 whatever call of a forget fails, only what was to go is gone, and what is said is true`()
        async throws
    {
        let (small, ids) = try await history()
        let going = Array(ids.prefix(5))
        let staying = present(small.store).subtracting(going)
        let clean = FaultyStorage(wrapping: small.store.copy())
        #expect(try await remove(going, in: clean).removed == Set(going))
        let points = clean.calls.count
        var covered: Set<Int> = []
        for point in 0..<points {
            for fault in Self.faults {
                let inner = small.store.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                let result = try? await remove(going, in: store)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point), \(clean.calls[point].operation)")
                let left = present(inner)
                #expect(left.isSuperset(of: staying), label)
                if let result {
                    #expect(result.removed.isDisjoint(with: left), label)
                    #expect(result.removed.count + result.failed.count == going.count, label)
                }
                // The next run finishes it.
                try? await inner.removeLocks()
                _ = try await remove(Array(left.intersection(going)), in: inner)
                #expect(present(inner) == staying, label)
            }
        }
        let verdict = try await small.check(clean)
        #expect(!verdict.hasErrors)
        #expect(covered.count == points)
        print("call-points \(covered.count)/\(points) of forget")
    }

    @Test func `L-03 nothing more is removed once our lock is gone`() async throws {
        let (small, ids) = try await history()
        // A clock that goes by itself: with one that stands, the lock would be renewed at once and be there again.
        let repository = try await Repository.open(
            store: small.store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: BackupBench().environment()
        )
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await repository.withLock(.exclusive) {
                try await small.store.removeLocks()
                try await repository.removeSnapshots(ids) { _, _ in }
            }
        }
        #expect(failure?.code == .lockLost)
        #expect(present(small.store).isSuperset(of: ids))
    }

    // MARK: tags

    @Test(
        arguments: [
            (TagChange.set(["x"]), ["x"]), (.set([]), []),
            (.edit(adding: ["b", "c", "c"], removing: []), ["a", "b", "c"]),
            (.edit(adding: [], removing: ["a"]), ["b"]), (.edit(adding: ["c"], removing: ["a"]), ["c", "b"]),
            (.edit(adding: ["a"], removing: []), nil), (.edit(adding: [], removing: ["z"]), nil),
            (.edit(adding: ["z"], removing: ["z"]), ["a", "b"]), (.edit(adding: [], removing: []), nil),
            (.set(["a", "b"]), ["a", "b"]),
        ] as [(TagChange, [ByteString]?)]
    )
    func `tags change as restic changes them`(change: TagChange, expected: [ByteString]?) {
        #expect(change.applied(to: ["a", "b"]) == expected)
    }

    private func retag(_ snapshot: Snapshot, in store: any ObjectStorage) async throws
        -> SnapshotID
    {
        try await bench.onPool {
            let repository = try await bench.open(store)
            return try await repository.withLock(.exclusive) {
                var document = snapshot.document
                document.tags.append("more")
                return try await repository.replaceSnapshot(snapshot, by: document)
            }
        }
    }

    @Test func `2.3 whatever call of a tag fails, the snapshot is there, whole, under its old name or the new one`()
        async throws
    {
        let small = try await SmallRepository.make()
        let snapshot = small.snapshots[1]
        let clean = FaultyStorage(wrapping: small.store.copy())
        let id = try await retag(snapshot, in: clean)
        let points = clean.calls.count
        let changed = try await small.open(clean).loadSnapshot(id)
        #expect(changed.document.tags == ["tagged", "more"] && changed.document.original == snapshot.id)
        var covered: Set<Int> = []
        for point in 0..<points {
            for fault in Self.faults + (clean.calls[point].operation == .put ? Self.putFaults : []) {
                let inner = small.store.copy()
                let store = FaultyStorage(wrapping: inner, rules: [StorageRule(fault, when: .overall(point))])
                let result = try? await retag(snapshot, in: store)
                if store.calls.contains(where: { $0.fault != nil }) { covered.insert(point) }
                let label = Comment(rawValue: "\(fault) at call \(point), \(clean.calls[point].operation)")
                let repository = try await small.open(inner)
                let found = try await repository.loadSnapshots { _, error in
                    // What a crash cut short may lie there; it counts for nobody.
                    guard fault.cutsShort else { throw error }
                }
                #expect(found.contains { $0.document.tree == snapshot.document.tree }, label)
                if let result {
                    #expect(found.contains { $0.id == result && $0.document.original == snapshot.id }, label)
                }
            }
        }
        #expect(covered.count == points)
        print("call-points \(covered.count)/\(points) of tag")
    }
}

extension MemoryStorage {
    /// Takes all locks away, as their owners' ends would.
    func removeLocks() async throws {
        for lock in try await list(.lock) { try await remove(ObjectName(.lock, lock.digest)) }
    }
}

extension StorageFault {
    /// True for a put that stores a part.
    fileprivate var cutsShort: Bool {
        if case .truncatePut = self { true } else { false }
    }
}
