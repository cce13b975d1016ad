package import Bytes
package import KitFormat
package import Outcome
import Protection
import ResticFormat
package import ResticRepository
package import Strategy

/// What a kit brings to light on a machine that knows nothing.
package struct Bootstrapped: Sendable {
    /// A repository that the kit names.
    package struct Store: Sendable {
        package var name: String
        package var medium: String
        package var kind: String
        /// Where it was found; empty where it was not.
        package var path = ""
        /// Why it could not be looked at; nil when it was.
        package var failure: (any ReportableFailure)?
        /// How fast it was read when that was last measured.
        package var rate: ReadingRate?
    }

    /// A copy of something, in one repository.
    package struct Copy: Sendable {
        package var store: String
        package var snapshot: String
        package var time: Timestamp
        package var isComplete: Bool
        package var paths: [String]
        package var bytes: UInt64?
        /// By the rate that was last measured there.
        package var restore: RecoveryTime
    }

    /// A workload with its newest copy in each repository, the newest first.
    package struct Item: Sendable {
        package var workload: String
        package var copies: [Copy]
        /// Of all its snapshots in all repositories that were looked at.
        package var count: Int
    }

    package var stores: [Store]
    package var items: [Item]
    /// The declaration and what it includes, as the newest run left them: names and bytes.
    package var files: [(name: String, bytes: [UInt8])] = []
    /// What runs remembered.
    package var ledger: Ledger?
    /// When they were left, and where they were found; nil: nowhere.
    package var recordTime: Timestamp?
    package var recordStore: String?
    /// Workloads of the declaration that no repository here has a copy of.
    package var missing: [String] = []
}

/// Looks through all repositories of a kit, on a machine that has nothing but it.
///
/// ```
/// each repository: find, open, list snapshots > the newest record of all: declaration, ledger > workloads by their tags > how long each would take
/// ```
/// Nothing is written, and no lock is taken. A repository that is not here, or does not open, stops none of the others.
package struct Bootstrap: Sendable {
    private let kit: RecoveryKit
    private let environment: RepositoryEnvironment
    private let places: [String: String]

    package init(_ kit: RecoveryKit, _ environment: RepositoryEnvironment, places: [String: String] = [:]) {
        self.kit = kit
        self.environment = environment
        self.places = places
    }

    /// What one repository showed.
    private struct Look {
        var store: Bootstrapped.Store
        var repository: Repository
        var snapshots: [Snapshot]
        var records: [Snapshot]
    }

    /// Errors: cancellation; what else goes wrong stands with its repository.
    package func run() async throws -> Bootstrapped {
        var found = Bootstrapped(stores: [], items: [])
        var looks: [Look] = []
        for entry in kit.repositories {
            var store = Bootstrapped.Store(name: entry.name, medium: entry.medium, kind: entry.kind)
            do {
                let opened = try await KitStore(entry: entry, environment: environment, place: places[entry.name])
                    .open()
                store.path = opened.path
                looks.append(try await look(opened.repository, store))
            } catch {
                store.failure = try reportable(error, operation: "look at", object: entry.name)
            }
            found.stores.append(store)
        }
        try await readRecord(looks, &found)
        for index in found.stores.indices {
            found.stores[index].rate = found.ledger?.repositories[found.stores[index].name]?.rate
        }
        found.items = items(looks, found)
        return found
    }

    private func look(_ repository: Repository, _ store: Bootstrapped.Store) async throws -> Look {
        let ours = SnapshotTag.lab(kit.lab)
        let all = try await repository.loadSnapshots(unreadable: { _, _ in }).filter { snapshot in
            snapshot.document.tags.contains(ours) && snapshot.document.hostname == ByteString(kit.host)
        }
        let records = all.filter { $0.document.tags.contains(SnapshotTag.record) }
        let isSafety = { (snapshot: Snapshot) in snapshot.document.tags.contains { SnapshotTag.safety(in: $0) != nil } }
        let others = all.filter { !$0.document.tags.contains(SnapshotTag.record) && !isSafety($0) }
        return Look(store: store, repository: repository, snapshots: others, records: records)
    }

    // MARK: the record

    /// The newest record that can be read, of all repositories.
    private func readRecord(_ looks: [Look], _ found: inout Bootstrapped) async throws {
        let records = looks.flatMap { look in look.records.suffix(3).map { (look, $0) } }
            .sorted { $1.1.document.time.moment < $0.1.document.time.moment }
        for (look, record) in records {
            guard let content = try await look.repository.loadRecord(record) else { continue }
            found.files = content.files
            found.ledger = content.ledger
            found.recordTime = record.document.time.moment
            found.recordStore = look.store.name
            return
        }
    }

    // MARK: the workloads

    private func items(_ looks: [Look], _ found: Bootstrapped) -> [Bootstrapped.Item] {
        var copies: [String: [Bootstrapped.Copy]] = [:]
        var counts: [String: Int] = [:]
        for look in looks {
            var newest: [String: Snapshot] = [:]
            for snapshot in look.snapshots {
                for name in snapshot.document.tags.compactMap(SnapshotTag.workload) {
                    counts[name, default: 0] += 1
                    let isComplete = !snapshot.document.tags.contains(SnapshotTag.incomplete)
                    if isComplete || newest[name]?.document.tags.contains(SnapshotTag.incomplete) ?? true {
                        newest[name] = snapshot
                    }
                }
            }
            for (name, snapshot) in newest {
                copies[name, default: []].append(copy(snapshot, look.store.name, found))
            }
        }
        return copies.sorted { $0.key < $1.key }.map { name, copies in
            let sorted = copies.sorted { ($1.time, distance($0.store)) < ($0.time, distance($1.store)) }
            return Bootstrapped.Item(workload: name, copies: sorted, count: counts[name] ?? 0)
        }
    }

    /// The nearer of two that are equally new comes first.
    private func distance(_ store: String) -> Int {
        let kind = kit.repositories.first { $0.name == store }.flatMap { MediumKind(rawValue: $0.kind) }
        return (kind ?? .offsite).distance
    }

    private func copy(_ snapshot: Snapshot, _ store: String, _ found: Bootstrapped) -> Bootstrapped.Copy {
        let document = snapshot.document
        let bytes = document.summary?.totalBytesProcessed
        let rate = found.stores.first { $0.name == store }?.rate
        return Bootstrapped.Copy(
            store: store,
            snapshot: snapshot.id.hex,
            time: document.time.moment,
            isComplete: !document.tags.contains(SnapshotTag.incomplete),
            paths: document.paths.map(\.display),
            bytes: bytes,
            restore: RecoveryTime(bytes: bytes, rate: rate?.bytesPerSecond, promised: nil)
        )
    }
}
