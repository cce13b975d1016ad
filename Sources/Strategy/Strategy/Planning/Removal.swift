package import Bytes

/// What retention would remove of one workload from one repository, and whether it may.
package struct Removal: Sendable {
    /// Why nothing is removed although the rules say so.
    package enum Held: Sendable, Hashable {
        /// More than half would go: the operator says so again, with the plan's digits (P-06).
        case aboveFloor
        /// More than half of the bytes that snapshots need would go, by rules that have not removed here before (P-06).
        case mostBytes
        /// The repository has damage that nobody has mended (L7).
        case damaged(String)
        /// The source lost most of its files (P-06, G-16).
        case shrunk(from: SourceSize, to: SourceSize)
        /// Snapshots or index files of the repository are gone or came back, and this machine did not do it.
        case vanished(String)
        /// The clock stands before what the store shows, or so far ahead of the last run that it is not believed (F-02).
        case clock(ClockDoubt)

        /// True when the digits of the plan release it.
        package var isReleasable: Bool {
            switch self {
            case .aboveFloor, .mostBytes, .shrunk, .vanished: true
            case .damaged, .clock: false
            }
        }
    }

    /// Why the clock of this machine is not believed.
    package enum ClockDoubt: Sendable, Hashable {
        /// A snapshot is dated after it.
        case snapshotAhead
        /// It stands so many days after the last run.
        case leapt(days: Int64)
    }

    package var workload: String
    package var repository: String
    package var plan: RetentionPlan
    /// Empty: what the rules remove goes.
    package var held: [Held]
    /// The rules have not removed here before: whoever removes counts the bytes first.
    package var wantsBytesCounted = false

    package init(
        workload: Workload,
        repository: String,
        snapshots: [ObservedSnapshot],
        ledger: Ledger,
        now: Timestamp,
        localOffset: (Timestamp) -> Int32
    ) {
        self.workload = workload.name
        self.repository = repository
        let history = ledger.repositories[repository]
        let proven = history?.readBack[workload.name].map { Set([$0.snapshot]) } ?? []
        plan = RetentionPlan(
            snapshots,
            policy: workload.backup.keep,
            proven: proven,
            now: now,
            localOffset: localOffset
        )
        held = []
        if let known = ledger.workloads[workload.name], let size = known.size, let now = known.shrunkTo {
            held.append(.shrunk(from: size, to: now))
        }
        if let doubt = history?.doubt { held.append(.vanished(doubt.text)) }
        guard !plan.removed.isEmpty else { return }
        let isTrusted = Self.isTrusted(workload, history)
        if Self.isAboveFloor(plan, wasTrusted: isTrusted) { held.append(.aboveFloor) }
        wantsBytesCounted = !isTrusted
        if let finding = history?.finding { held.append(.damaged(finding.text)) }
        if let doubt = Self.clockDoubt(snapshots, ledger, now) { held.append(.clock(doubt)) }
    }

    /// Snapshots that the same rules may remove at a time even where that is more than half: what a disk has missed comes at once.
    package static let trustedCount = 7

    /// The same rules have removed here before, so that nobody has just edited them.
    private static func isTrusted(_ workload: Workload, _ history: RepositoryHistory?) -> Bool {
        workload.backup.keep != nil && history?.retained[workload.name] == workload.backup.keep?.text
    }

    private static func isAboveFloor(_ plan: RetentionPlan, wasTrusted: Bool) -> Bool {
        plan.isAboveFloor && !(wasTrusted && plan.removed.count <= trustedCount)
    }

    /// Days that a clock may be ahead of the last run before retention stops believing it.
    package static let clockLeapDays: Int64 = 7

    private static func clockDoubt(_ snapshots: [ObservedSnapshot], _ ledger: Ledger, _ now: Timestamp) -> ClockDoubt? {
        if let newest = snapshots.map(\.time.moment).max(), newest > now { return .snapshotAhead }
        guard let updated = ledger.updated else { return nil }
        let ahead = now.length(since: updated).components.seconds / 86_400
        return ahead > clockLeapDays ? .leapt(days: ahead) : nil
    }
}
