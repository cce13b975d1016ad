/// Whether the locks of buckets last as long as what has to be kept there.
struct LockCheck {
    private let root: DeclaredTable
    private(set) var problems: [StrategyProblem] = []
    private(set) var warnings: [StrategyProblem] = []

    init(root: DeclaredTable) { self.root = root }

    mutating func check(_ lab: Lab) {
        for medium in lab.media {
            guard let lock = medium.lock else { continue }
            let table = root["media"]?.table[medium.name]?.table["s3"]?.table
            let (place, key) = (table?.place(of: "lock") ?? medium.place, "media.\(medium.name).s3.lock")
            guard lock >= .seconds(86_400) else {
                let next = "write at least a day, such as lock: 30d"
                problems.append(StrategyProblem(place, key: key, what: "is shorter than a day", next: next))
                continue
            }
            let names = Set(lab.repositories.filter { $0.medium == medium.name }.map(\.name))
            check(lock, lab.workloads.filter { !names.isDisjoint(with: $0.repositories) }, place, key)
        }
    }

    private mutating func check(_ lock: Duration, _ workloads: [Workload], _ place: Place, _ key: String) {
        var longest: Duration = .zero
        for workload in workloads {
            guard let keep = workload.backup.keep else {
                let what = "ends, and \"\(workload.name)\" is kept for ever: runs extend it, month by month"
                warnings.append(StrategyProblem(place, key: key, what: what, next: "let runs go on"))
                continue
            }
            longest = max(longest, keep.reach)
            guard keep.reach > lock else { continue }
            let days = lengthText(.seconds(keep.reach.components.seconds))
            problems.append(
                StrategyProblem(
                    place,
                    key: key,
                    what: "is \(lengthText(lock)), and retention keeps snapshots of \"\(workload.name)\" for \(days)",
                    next: "write lock: \(days) or more, or keep less"
                )
            )
        }
        guard longest > .zero, lock > longest * 3 else { return }
        warnings.append(
            StrategyProblem(
                place,
                key: key,
                what: "is \(lengthText(lock)), and retention keeps snapshots for \(lengthText(longest))",
                next: "nobody can free that room sooner: check that it is meant"
            )
        )
    }
}

extension KeepPolicy {
    /// The longest time for which a rule of it keeps a snapshot; what is kept for ever, and by number alone, does not count.
    var reach: Duration {
        let days: [Period: Int64] = [.daily: 1, .weekly: 7, .monthly: 31, .yearly: 366]
        var longest: Int64 = 0
        for (period, count) in counts {
            guard case .atMost(let most) = count, period != .last else { continue }
            let number = min(most, 36_600)
            let whole = days[period].map { number * $0 }
            longest = max(longest, whole ?? (number + 23) / 24)
        }
        for span in [within] + withinPeriods.values {
            longest = max(longest, span.years * 366 + span.months * 31 + span.days + (span.hours + 23) / 24)
        }
        return .seconds(min(longest, 36_600) * 86_400)
    }
}
