package import Bytes

/// What becomes of the snapshots of one workload in one repository, and why.
///
/// 1. Complete snapshots and incomplete ones are divided apart, each by the whole policy, so that failures never use up the counts of
///    successes (P-05).
/// 2. Never removed by a rule: the newest complete snapshot, the newest one that was read back and found good, the only one, and every
///    one that carries the tag `hold` (P-04).
/// 3. Without a policy all stay.
package struct RetentionPlan: Sendable {
    /// Why a snapshot stays that no rule keeps.
    package enum Hold: String, Sendable, Hashable {
        case newest = "the newest complete one"
        case proven = "the newest one that was read back"
        case tagged = "tagged hold"
        case unruled = "no policy"
    }

    /// A snapshot that stays, and why.
    package struct Kept: Sendable {
        package var snapshot: ObservedSnapshot
        /// In restic's words; empty when only a hold keeps it.
        package var rules: [String]
        package var holds: [Hold]
    }

    /// The tag that keeps a snapshot until it is taken off by hand.
    package static let holdTag: ByteString = "hold"

    /// Newest first.
    package private(set) var kept: [Kept] = []
    /// Newest first.
    package private(set) var removed: [ObservedSnapshot] = []

    /// Divides snapshots given in any order; `proven` are the IDs of those that were read back and found good.
    package init(
        _ snapshots: [ObservedSnapshot],
        policy: KeepPolicy?,
        proven: Set<String>,
        now: Timestamp,
        localOffset: (Timestamp) -> Int32
    ) {
        let ordered = snapshots.sorted { Self.isNewer($0, than: $1) }
        var rules: [String: [String]] = [:]
        if let policy {
            for isComplete in [true, false] {
                let group = ordered.filter { $0.isComplete == isComplete }
                let verdict = policy.divide(newestFirst: group, now: now, localOffset: localOffset)
                for kept in verdict.kept { rules[kept.snapshot.id] = kept.reasons }
            }
        }
        let newest = ordered.first(where: \.isComplete)?.id
        let newestProven = ordered.first { proven.contains($0.id) }?.id
        for snapshot in ordered {
            var holds: [Hold] = []
            if policy == nil { holds.append(.unruled) }
            if snapshot.id == newest || ordered.count == 1 { holds.append(.newest) }
            if snapshot.id == newestProven { holds.append(.proven) }
            if snapshot.tags.contains(Self.holdTag) { holds.append(.tagged) }
            let reasons = rules[snapshot.id] ?? []
            if reasons.isEmpty, holds.isEmpty {
                removed.append(snapshot)
            } else {
                kept.append(Kept(snapshot: snapshot, rules: reasons, holds: holds))
            }
        }
    }

    /// The moment of the oldest snapshot that would go.
    package var oldestRemoved: ZonedTime? { removed.last?.time }

    /// True when more than half of the snapshots would go: who asked for that has to say so again (P-06).
    package var isAboveFloor: Bool { removed.count > kept.count }

    private static func isNewer(_ left: ObservedSnapshot, than right: ObservedSnapshot) -> Bool {
        left.time.moment != right.time.moment ? left.time.moment > right.time.moment : left.id > right.id
    }
}
