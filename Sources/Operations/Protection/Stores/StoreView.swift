import Bytes
import ObjectStorage
import Outcome
import ResticFormat
package import ResticRepository
package import Strategy

/// What one look at a repository showed: its snapshots by workload, and its size.
package struct StoreView: Sendable {
    /// A snapshot and whom it belongs to.
    package struct Item: Sendable {
        package var snapshot: Snapshot
        package var observed: ObservedSnapshot
        /// We made it: retention may remove it.
        package var isOurs: Bool
        /// All paths that the workload has now are in it.
        package var coversPaths: Bool
    }

    /// The identifier in the repository's config, in hexadecimal digits.
    package var id: String
    /// Oldest first.
    package var workloads: [String: [Item]] = [:]
    /// What was saved before something was restored in a workload's place, by workload, oldest first; no copy of it.
    package var safetyCopies: [String: [Snapshot]] = [:]
    /// Snapshots that are of no workload of this lab, records and safety copies left out.
    package var others = 0
    /// Names of snapshots that cannot be read, with the reason.
    package var unreadable: [String] = []
    /// What is there is an earlier state, and is not written to; nil as long as it is as this machine left it.
    package var earlier: EarlierState?
    /// Of all objects that were listed; nil when sizes were not asked for.
    package var storedBytes: UInt64?

    /// Snapshots of a workload for the strategy, oldest first.
    package func observed(_ workload: String) -> [ObservedSnapshot] { (workloads[workload] ?? []).map(\.observed) }

    /// Those that hold all that the workload is now.
    package func covering(_ workload: String) -> [ObservedSnapshot] {
        (workloads[workload] ?? []).filter(\.coversPaths).map(\.observed)
    }

    /// The newest complete snapshot of a workload.
    package func newest(_ workload: String) -> Item? { workloads[workload]?.last { $0.observed.isComplete } }

    /// Lists and reads all snapshots of an open repository.
    ///
    /// Cost: one listing; each snapshot's file that this machine has no copy of.
    package init(_ repository: Repository, lab: Lab) async throws {
        id = repository.config.id.hex
        var unreadable: [String] = []
        let snapshots = try await repository.loadSnapshots { id, error in unreadable.append("\(id.short): \(error)") }
        self.unreadable = unreadable
        earlier = try await repository.earlierState()
        for snapshot in snapshots {
            let document = snapshot.document
            guard !document.tags.contains(SnapshotTag.record) else { continue }
            let isThisHost = document.hostname == repository.environment.hostName
            if isThisHost, document.tags.contains(SnapshotTag.lab(lab.name)),
                let workload = document.tags.lazy.compactMap(SnapshotTag.safety).first
            {
                safetyCopies[workload, default: []].append(snapshot)
                continue
            }
            guard let owner = SnapshotOwner(tags: document.tags, paths: document.paths, isThisHost: isThisHost, in: lab)
            else {
                others += 1
                continue
            }
            let observed = ObservedSnapshot(
                id: snapshot.id.hex,
                time: document.time,
                tags: document.tags,
                isComplete: !document.tags.contains(SnapshotTag.incomplete),
                sourceBytes: document.summary?.totalBytesProcessed
            )
            let item = Item(
                snapshot: snapshot,
                observed: observed,
                isOurs: owner.isOurs,
                coversPaths: owner.coversPaths
            )
            workloads[owner.workload, default: []].append(item)
        }
    }

    /// Adds up the sizes of all objects.
    ///
    /// Cost: a listing of each kind.
    package mutating func measure(_ repository: Repository) async throws {
        var total: UInt64 = 0
        for kind in [ObjectKind.pack, .index, .snapshot, .key] {
            total += try await repository.list(kind).reduce(0) { $0 + $1.size }
        }
        storedBytes = total
    }
}
