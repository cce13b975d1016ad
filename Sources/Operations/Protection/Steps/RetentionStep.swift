import Bytes
import Outcome
package import Strategy
import ResticFormat
import ResticRepository
import Sealing

/// Removes the snapshots of a workload that its rules no longer keep.
///
/// 1. Only for a workload whose run was complete and read back (L7), and only snapshots that carry our tag.
/// 2. The rules are judged again by what the store shows under the exclusive lock.
/// 3. What is above the floor goes only as far as the operator released it by the digits of the plan.
struct RetentionStep: Sendable {
    let workload: Workload
    let store: OpenStore
    let environment: ProtectionEnvironment
    /// As it was when the run began, but with what this run proved.
    let ledger: Ledger
    /// What the operator released.
    let released: Release

    var step: RunStep { RunStep(.forget, workload: workload.name, repository: store.name) }

    /// What it came to.
    struct Outcome: Sendable {
        var removed = 0
        var kept = 0
        var failed: [String] = []
        var held: Removal?
        /// Listed by this handle: what is unexplained there is told by the engine.
        var findings: [Finding] = []
    }

    private func removal(_ view: StoreView) -> Removal {
        Removal(
            workload: workload,
            repository: store.name,
            snapshots: (view.workloads[workload.name] ?? []).filter(\.isOurs).map(\.observed),
            ledger: ledger,
            now: environment.now,
            localOffset: { environment.repository.time.localOffsetSeconds(at: $0) }
        )
    }

    /// Removes; takes the exclusive lock itself, where something goes.
    ///
    /// Errors: those of the engine, cancellation.
    func run() async throws -> Outcome {
        let repository = store.repository
        let first = removal(try await StoreView(repository, lab: environment.lab))
        guard !first.plan.removed.isEmpty else {
            return Outcome(kept: first.plan.kept.count, findings: try await repository.ownSurprises())
        }
        return try await repository.locked(.exclusive) {
            let view = try await StoreView(repository, lab: environment.lab)
            let items = (view.workloads[workload.name] ?? []).filter(\.isOurs)
            var removal = removal(view)
            try await removal.countBytes(in: repository)
            var outcome = Outcome(kept: removal.plan.kept.count)
            outcome.findings = try await repository.ownSurprises()
            var going = Set(removal.plan.removed.map(\.id))
            if !removal.held.isEmpty, !going.isEmpty {
                going = released.covers(removal) ? going.intersection(released.snapshots) : []
                if going.isEmpty { outcome.held = removal }
            }
            let ids = items.map(\.snapshot.id).filter { going.contains($0.hex) }
            guard !ids.isEmpty else { return outcome }
            var result = (removed: 0, failed: [String]())
            try await repository.removeSnapshots(ids) { id, error in
                if let error { result.failed.append("\(id.short): \(error)") } else { result.removed += 1 }
            }
            outcome.removed = result.removed
            outcome.kept = items.count - result.removed
            outcome.failed = result.failed
            return outcome
        }
    }
}

/// What the operator released: exactly what a plan showed, for the reasons that it showed.
package struct Release: Sendable {
    /// Hexadecimal digits that people type.
    package static let digitCount = 8

    /// Names of the snapshots that may go.
    private(set) var snapshots: Set<String> = []
    /// Why each was held back, by repository and workload.
    private var reasons: [String: Set<Removal.Held>] = [:]

    /// Repositories whose earlier state is taken as right.
    private(set) var stores: Set<String> = []

    /// Nothing.
    init() {}

    init(_ removals: [Removal], stores: Set<String>) {
        self.stores = stores
        for removal in removals {
            snapshots.formUnion(removal.plan.removed.map(\.id))
            reasons[Self.key(removal)] = Set(removal.held)
        }
    }

    /// True when it is held back for no other reason than those that were shown.
    func covers(_ removal: Removal) -> Bool {
        guard let known = reasons[Self.key(removal)] else { return false }
        return removal.held.allSatisfy { $0.isReleasable && known.contains($0) }
    }

    private static func key(_ removal: Removal) -> String { "\(removal.repository) \(removal.workload)" }

    /// The digits of a set of removals: the same whenever the same snapshots would go for the same reasons.
    package static func digits(of removals: [Removal]) -> String {
        let lines = removals.flatMap { removal in
            removal.plan.removed.map { "\(key(removal)) \($0.id)\n" }
                + removal.held.map { "\(key(removal)) \($0.text)\n" }
        }
        return String(sha256(Array(lines.sorted().joined().utf8)).hex.prefix(digitCount))
    }
}
