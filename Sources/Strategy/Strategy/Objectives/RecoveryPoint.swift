package import Bytes

/// How a copy stands against the promise of how much may be lost.
///
/// Ages count from the start of a snapshot: what changed while it ran may not be in it. Only complete snapshots count.
package enum RecoveryPoint: Sendable, Hashable {
    /// There is no good snapshot.
    case never
    /// The newest good one was begun so long ago, and that keeps the promise.
    case met(age: Duration)
    /// It was begun so long ago, and a due run has no good snapshot; `due` is its time.
    case missed(age: Duration, due: Timestamp)
    /// It was begun so long ago, which is longer than promised.
    case tooOld(age: Duration, promised: Duration)
    /// Nothing was promised that could be judged: last-scheduled without a schedule.
    case unjudged(age: Duration)

    /// Seconds that a clock may be ahead of ours.
    package static let skewSeconds: Int64 = 600

    /// Judges by the snapshots of one repository, in any order.
    package init(
        _ snapshots: [ObservedSnapshot],
        objective: Objective,
        backup: BackupPolicy,
        now: Timestamp,
        zone: ZoneRules
    ) {
        // What is dated after now was made with a clock that was wrong: nobody knows how old it is.
        let latest = now.earlier(by: .seconds(-Self.skewSeconds))
        let good = snapshots.filter { $0.isComplete && !(latest < $0.time.moment) }
        guard let newest = good.map(\.time.moment).max() else {
            self = .never
            return
        }
        let age = now.length(since: newest)
        switch objective.rpo {
        case .atMost(let promised):
            self = age <= promised ? .met(age: age) : .tooOld(age: age, promised: promised)
        case .lastScheduled:
            guard let schedule = backup.schedule else {
                self = .unjudged(age: age)
                return
            }
            let judged = now.earlier(by: backup.grace)
            if let due = schedule.previous(atOrBefore: judged, in: zone), newest < due {
                self = .missed(age: age, due: due)
            } else {
                self = .met(age: age)
            }
        }
    }

    /// True when the promise is broken.
    package var isBreached: Bool {
        switch self {
        case .never, .missed, .tooOld: true
        case .met, .unjudged: false
        }
    }

    /// Nil when there is no good snapshot.
    package var age: Duration? {
        switch self {
        case .never: nil
        case .met(let age), .missed(let age, _), .tooOld(let age, _), .unjudged(let age): age
        }
    }
}

extension Timestamp {
    /// Whole seconds from `earlier` to here; none when a clock ran ahead (F-01).
    package func length(since earlier: Timestamp) -> Duration {
        let (seconds, isOver) = seconds.subtractingReportingOverflow(earlier.seconds)
        return .seconds(isOver ? Int64(Int32.max) : max(0, seconds))
    }

    /// So much earlier.
    package func earlier(by length: Duration) -> Timestamp {
        Timestamp(seconds: seconds - length.components.seconds, nanoseconds: nanoseconds)
    }
}
