package import Bytes

/// When a workload is due.
package enum Due: Sendable, Hashable {
    /// No schedule: only by hand.
    case byHand
    /// Nothing is due; the schedule's next time, nil when it never comes again.
    case notBefore(Timestamp?)
    /// Due since then, and not begun; times that passed meanwhile are caught up by one run.
    case since(Timestamp)

    /// Judges by the newest attempt, whether it went well or not: a failed run is tried again by who asked for it, and else at the next due time.
    ///
    /// `declared`: nothing was due before the workload was declared; nil when that is not known, and then the last due time counts.
    package init(_ schedule: Schedule?, lastAttempt: Timestamp?, declared: Timestamp?, now: Timestamp, zone: ZoneRules)
    {
        guard let schedule else {
            self = .byHand
            return
        }
        let next = schedule.next(after: now, in: zone)
        guard let last = schedule.previous(atOrBefore: now, in: zone), last > declared ?? Timestamp(seconds: .min)
        else {
            self = .notBefore(next)
            return
        }
        // A clock that was set back a little starts nothing twice; an attempt dated after the next due time was dated by a wrong clock,
        // and would keep everything from running until then.
        if let lastAttempt, lastAttempt >= last, lastAttempt <= next ?? lastAttempt {
            self = .notBefore(next)
        } else {
            self = .since(last)
        }
    }
}
