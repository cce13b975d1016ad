package import Bytes

/// Whether a promise can be kept by the schedule at all; pure.
package enum PromiseCheck {
    /// Occurrences of a schedule that are looked at: more than a year of days.
    private static let looked = 400

    /// The longest time between two due times from `now` on; nil when there are not two.
    package static func longestInterval(of schedule: Schedule, from now: Timestamp, in zone: ZoneRules) -> Duration? {
        var longest: Duration?
        var last: Timestamp?
        let end = now.earlier(by: .seconds(-5 * 366 * 86_400))
        for moment in schedule.occurrences(from: now, to: end, in: zone).prefix(looked) {
            if let last { longest = max(longest ?? .zero, moment.length(since: last)) }
            last = moment
        }
        return longest
    }

    /// A warning when what is promised in hours is less than the schedule and the longest recent run allow; nil: all is well.
    package static func warning(_ workload: Workload, longestRun: Duration, now: Timestamp, zone: ZoneRules)
        -> StrategyProblem?
    {
        if let schedule = workload.backup.schedule, schedule.next(after: now, in: zone) == nil {
            return StrategyProblem(
                workload.place,
                key: "protect",
                what: "\"\(workload.name)\" is never due again: the last date of its schedule is past",
                next: "give it another backup.schedule, such as 02:00"
            )
        }
        guard case .atMost(let promised) = workload.objective.rpo, let schedule = workload.backup.schedule,
            let interval = longestInterval(of: schedule, from: now, in: zone)
        else { return nil }
        let needed = interval + longestRun
        guard promised < needed else { return nil }
        let run = longestRun > .zero ? " and a run that took \(lengthText(longestRun))" : ""
        return StrategyProblem(
            workload.place,
            key: "protect",
            what:
                "\"\(workload.name)\" promises rpo: \(lengthText(promised)), but up to \(lengthText(interval)) lie between two runs\(run)",
            next: "run it more often, or promise \(lengthText(needed))"
        )
    }
}
