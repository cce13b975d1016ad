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
    /// Released by the operator: names of snapshots.
    let released: Set<String>

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

    /// Removes; takes the exclusive lock itself.
    ///
    /// Errors: those of the engine, cancellation.
    func run() async throws -> Outcome {
        let repository = store.repository
        return try await repository.locked(.exclusive) {
            let view = try await StoreView(repository, lab: environment.lab)
            let items = (view.workloads[workload.name] ?? []).filter(\.isOurs)
            let removal = Removal(
                workload: workload,
                repository: store.name,
                snapshots: items.map(\.observed),
                ledger: ledger,
                now: environment.now,
                localOffset: { environment.repository.time.localOffsetSeconds(at: $0) }
            )
            var outcome = Outcome(kept: removal.plan.kept.count)
            outcome.findings = await repository.surprises(isComplete: false)
            var going = Set(removal.plan.removed.map(\.id))
            if !removal.held.isEmpty {
                let isReleasable = removal.held.allSatisfy(\.isReleasable)
                going = isReleasable ? going.intersection(released) : []
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

/// The digits by which the operator releases what retention holds back.
package enum ReleaseDigits {
    /// Hexadecimal digits that people type.
    package static let count = 8

    /// The digits of a set of removals: the same whenever the same snapshots would go.
    package static func digits(of removals: [Removal]) -> String {
        let lines = removals.flatMap { removal in
            removal.plan.removed.map { "\(removal.repository) \(removal.workload) \($0.id)\n" }
        }
        let digest = sha256(Array(lines.sorted().joined().utf8))
        return String(digest.hex.prefix(count))
    }
}
