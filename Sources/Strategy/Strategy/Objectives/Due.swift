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
    /// `moved`: the attempt by the clock as it is now, where it was seen to be set back since.
    package init(
        _ schedule: Schedule?,
        lastAttempt: Timestamp?,
        moved: Timestamp? = nil,
        declared: Timestamp?,
        now: Timestamp,
        zone: ZoneRules
    ) {
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
        // A clock that was set back starts nothing twice: what was tried when it showed that time before, or by the clock as it is now, is done.
        // An attempt dated after the next due time by a clock that nobody saw set would keep everything from running until then.
        let isDone = lastAttempt.map { $0 >= last && $0 <= next ?? $0 } ?? false
        self = isDone || moved ?? .distantPast >= last ? .notBefore(next) : .since(last)
    }
}
