package import Bytes

/// What a run is asked to do.
package enum RunChoice: Sendable, Hashable {
    /// What is due by its schedule.
    case due
    /// Those, whether due or not.
    case named([String])
    case all
}

/// Which workloads run now, in which order, and why; pure.
package struct RunPlan: Sendable, Hashable {
    /// A workload that runs.
    package struct Item: Sendable, Hashable {
        package var workload: Workload
        /// Nil when it was asked for by hand.
        package var dueSince: Timestamp?
        /// Due times that passed and are caught up by this one run, beside the last.
        package var missed: Int
        /// Nothing is due, and these repositories get what the last run could not bring there.
        package var catchesUp: [String] = []
    }

    /// A workload that does not run now.
    package struct Waiting: Sendable, Hashable {
        package var workload: Workload
        /// Nil: only by hand, or never again.
        package var next: Timestamp?
    }

    package private(set) var items: [Item] = []
    package private(set) var waiting: [Waiting] = []

    /// Orders what is chosen: by priority, then what is due longest first, else as in the file.
    ///
    /// Shape: names in `choice` exist in the lab. `zone` is that of a schedule. A workload that only catches up waits for its next due
    /// time, too.
    package init(
        _ lab: Lab,
        _ choice: RunChoice,
        ledger: Ledger,
        now: Timestamp,
        catchUp: CatchUp = .none,
        zone: (Schedule) -> ZoneRules
    ) {
        for workload in lab.workloads {
            let due = Self.due(workload, ledger, now, zone)
            let isChosen: Bool
            switch choice {
            case .all: isChosen = true
            case .named(let names): isChosen = names.contains(workload.name)
            case .due: if case .since = due { isChosen = true } else { isChosen = false }
            }
            switch due {
            case .since(let moment) where isChosen:
                let missed = Self.missed(workload, ledger, before: moment, zone)
                items.append(Item(workload: workload, dueSince: moment, missed: missed))
            case .byHand, .notBefore, .since:
                if isChosen {
                    items.append(Item(workload: workload, dueSince: nil, missed: 0))
                } else {
                    var next: Timestamp?
                    if case .notBefore(let moment) = due { next = moment }
                    waiting.append(Waiting(workload: workload, next: next))
                    let back = choice == .due ? catchUp.repositories(of: workload, ledger, now: now) : []
                    if !back.isEmpty {
                        items.append(Item(workload: workload, dueSince: nil, missed: 0, catchesUp: back))
                    }
                }
            }
        }
        // Stable: equal ones stay as in the file.
        let numbered = items.enumerated().sorted { left, right in
            let (before, after) = (left.element.workload.priority, right.element.workload.priority)
            guard before == after else { return before < after }
            let (first, second) = (left.element.dueSince, right.element.dueSince)
            guard first != second else { return left.offset < right.offset }
            return (first ?? now) < (second ?? now)
        }
        items = numbered.map(\.element)
    }

    /// When a workload is due; one that was never tried is due since its last due time, so that it has a first copy soon.
    package static func due(
        _ workload: Workload,
        _ ledger: Ledger,
        _ now: Timestamp,
        _ zone: (Schedule) -> ZoneRules
    ) -> Due {
        Due(
            workload.backup.schedule,
            lastAttempt: ledger.workloads[workload.name]?.lastAttempt,
            declared: nil,
            now: now,
            zone: workload.backup.schedule.map(zone) ?? .utc
        )
    }

    /// Due times since the last attempt and before `moment`; counted up to a hundred.
    private static func missed(
        _ workload: Workload,
        _ ledger: Ledger,
        before moment: Timestamp,
        _ zone: (Schedule) -> ZoneRules
    ) -> Int {
        guard let schedule = workload.backup.schedule, let last = ledger.workloads[workload.name]?.lastAttempt else {
            return 0
        }
        return schedule.occurrences(from: last, to: moment, in: zone(schedule)).prefix(100).count { last < $0 }
    }
}
