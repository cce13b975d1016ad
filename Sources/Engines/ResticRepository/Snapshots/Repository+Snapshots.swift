package import Bytes
import ObjectStorage
import Outcome
package import ResticFormat
import Synchronization

/// Finding, reading and storing snapshots.
extension Repository {
    /// The names of all snapshots.
    ///
    /// Copies in the cache of those that are gone go with them.
    package func listSnapshots() async throws -> [SnapshotID] {
        let entries = try await store.list(.snapshot)
        let names = Set(entries.map(\.digest))
        cache?.keepOnly(.snapshot, names)
        highWater?.list(.snapshot, names)
        return entries.map { SnapshotID($0.digest) }
    }

    /// One snapshot.
    ///
    /// Errors: `E-MISSING`, `E-DAMAGE`.
    package func loadSnapshot(_ id: SnapshotID) async throws -> Snapshot {
        let json = try await loadUnpacked(.snapshot, id.digest)
        do {
            let document = try SnapshotDocument(decoding: json)
            highWater?.read(id.digest, document, isOwn: document.hostname == environment.hostName)
            return Snapshot(id: id, document: document)
        } catch {
            throw unpackedDamage(.snapshot, id.digest, "is not a valid snapshot: \(error)", cause: error)
        }
    }

    /// Reads snapshots until cancelled, so that `loadSnapshot` has them at hand; what cannot be read is left to it.
    ///
    /// Bound: `Limits.earlySnapshotBytes`.
    func readSnapshotsEarly() async {
        var bytes = 0
        for id in (try? await listSnapshots()) ?? [] where bytes < Limits.earlySnapshotBytes && !Task.isCancelled {
            guard let json = try? await loadUnpacked(.snapshot, id.digest) else { continue }
            bytes += json.count
            earlySnapshots.withLock { $0[id.digest] = json }
        }
    }

    /// All snapshots that pass the filter, oldest first (F-04).
    ///
    /// Several are read at the same time.
    ///
    /// `unreadable` hears of each that cannot be read, in the order of names, on the caller's task; what it throws ends
    /// the load.
    package func loadSnapshots(
        filter: SnapshotFilter = SnapshotFilter(),
        unreadable: (SnapshotID, any Error) throws -> Void
    ) async throws -> [Snapshot] {
        try await loadSnapshots(try await listSnapshots(), filter: filter, unreadable: unreadable)
    }

    /// Those of the named snapshots that pass the filter; as above.
    func loadSnapshots(
        _ ids: [SnapshotID],
        filter: SnapshotFilter,
        unreadable: (SnapshotID, any Error) throws -> Void
    ) async throws -> [Snapshot] {
        let next = SharedCounter()
        let pool = environment.pool
        let width = min(max(2, store.connections), ids.count)
        let parts = try await withThrowingTaskGroup(of: SnapshotReadings.self) { group in
            for _ in 0..<width {
                group.addTask(executorPreference: pool) {
                    try await self.readSnapshots(ids, next: next, filter: filter)
                }
            }
            var parts: [SnapshotReadings] = []
            for try await part in group { parts.append(part) }
            return parts
        }
        // What was read early and is of no use to this selection is of none to a later one.
        earlySnapshots.withLock { $0 = [:] }
        for failure in parts.flatMap(\.failures).sorted(by: { $0.0 < $1.0 }) { try unreadable(failure.0, failure.1) }
        return parts.flatMap(\.found).sortedByTime()
    }

    private func readSnapshots(
        _ ids: [SnapshotID],
        next: SharedCounter,
        filter: SnapshotFilter
    ) async throws -> SnapshotReadings {
        var readings = SnapshotReadings()
        while let index = next.take(below: ids.count) {
            try Task.checkCancellation()
            do {
                let snapshot = try await loadSnapshot(ids[index])
                if filter.matches(snapshot.document) { readings.found.append(snapshot) }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                readings.failures.append((ids[index], error))
            }
        }
        return readings
    }

    /// The newest snapshot that passes the filter and is not newer than `limit` (F-05); nil when there is none.
    ///
    /// Errors: that of the first snapshot that cannot be read, since it might be the newest. `unreadable` may swallow
    /// it.
    package func latestSnapshot(
        filter: SnapshotFilter = SnapshotFilter(),
        notAfter limit: Timestamp? = nil,
        unreadable: (SnapshotID, any Error) throws -> Void = { throw $1 }
    ) async throws -> Snapshot? {
        let found = try await loadSnapshots(filter: filter, unreadable: unreadable)
        guard let limit else { return found.last }
        return found.last { !(limit < $0.document.time.moment) }
    }

    /// The snapshot with that name: `latest` of those that pass the filter, or the start of an identifier.
    ///
    /// A subfolder behind a colon is not looked at here. Errors: `E-NOT-FOUND`, `E-AMBIGUOUS`, `E-MISSING`, `E-DAMAGE`.
    package func findSnapshot(_ name: SnapshotName, filter: SnapshotFilter = SnapshotFilter()) async throws -> Snapshot
    {
        guard name.isLatest else {
            return try await loadSnapshot(SnapshotID(try await find(.snapshot, prefix: name.name)))
        }
        guard let latest = try await latestSnapshot(filter: filter) else {
            throw RepositoryFailure(
                .notFound,
                operation: "find",
                object: "the latest snapshot in \(store.location)",
                what: "snapshot filter (\(filter.summary)): no snapshot found",
                state: "nothing was changed",
                next: "list what is there with `snapshots`"
            )
        }
        return latest
    }

    /// The snapshots that a command names, or, when it names none, all that pass the filter, oldest first.
    ///
    /// `ignored` hears of each that is not found or cannot be read, and why; names that lead to the same snapshot count
    /// once. A subfolder is refused: these commands are about whole snapshots. Shape: named ones come in the order of
    /// their names.
    package func selectSnapshots(
        _ names: [ByteString],
        filter: SnapshotFilter,
        ignored: (String, any Error) throws -> Void
    ) async throws -> [Snapshot] {
        guard !names.isEmpty else { return try await loadSnapshots(filter: filter) { try ignored($0.hex, $1) } }
        var found: [Snapshot] = []
        var seen: Set<SnapshotID> = []
        var isFilterUsed = false
        for text in names {
            try Task.checkCancellation()
            let name = SnapshotName(text)
            do {
                guard name.subfolder == nil else { throw refusedSubfolder(text) }
                if name.isLatest, isFilterUsed { continue }
                isFilterUsed = isFilterUsed || name.isLatest
                let snapshot = try await findSnapshot(name, filter: filter)
                if seen.insert(snapshot.id).inserted { found.append(snapshot) }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                try ignored(text.display, error)
            }
        }
        if !isFilterUsed, !filter.isEmpty { try ignored("filters", unusedFilter()) }
        return found
    }

    private func refusedSubfolder(_ text: ByteString) -> RepositoryFailure {
        RepositoryFailure(
            .invalidRequest,
            operation: "find",
            object: "snapshot \"\(text.display)\"",
            what: "<snapshot>:<subfolder> syntax not allowed",
            next: "name the whole snapshot"
        )
    }

    private func unusedFilter() -> RepositoryFailure {
        RepositoryFailure(
            .invalidRequest,
            operation: "find",
            object: "filters",
            what: "explicit snapshot ids are given",
            next: "give either snapshots or filters"
        )
    }

    /// Stores a snapshot.
    ///
    /// This is the commit point of a backup (L4): before it nothing is visible, after it nothing is missing.
    ///
    /// The store and our lock are checked first; packs and index files were stored before (L2).
    package func saveSnapshot(_ document: SnapshotDocument) async throws -> SnapshotID {
        try await commitCheck()
        // The last moment at which a cancellation is heard.
        try Task.checkCancellation()
        let id = try await saveUnpacked(.snapshot, document.encode())
        await highWater?.save(id, document)
        return SnapshotID(id)
    }
}

private struct SnapshotReadings: Sendable {
    var found: [Snapshot] = []
    var failures: [(SnapshotID, any Error)] = []
}

/// Hands out 0, 1, 2, … to the workers that share it, each number once.
final class SharedCounter: Sendable {
    private let next = Atomic<Int>(0)

    /// The next number, or nil when `count` numbers are gone.
    func take(below count: Int) -> Int? {
        let value = next.add(1, ordering: .relaxed).oldValue
        return value < count ? value : nil
    }
}
