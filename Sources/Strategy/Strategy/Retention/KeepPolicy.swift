package import Bytes

/// What of a history stays: the newest of each period, everything of a recent time, what carries a tag.
///
/// 1. A snapshot stays when any rule keeps it; one snapshot counts for every rule that keeps it.
/// 2. Hours, days, weeks, months and years are those of the zone that the snapshot's time was written in.
/// 3. A rule that still has counts left when it meets the oldest snapshot keeps that one too.
/// 4. Nothing is decided by chance or by the time at which a policy runs, but for one thing: spans count from the newest
///    snapshot that is not in the future.
package struct KeepPolicy: Sendable, Hashable {
    /// A period of which the newest snapshot is kept.
    package enum Period: String, Sendable, Hashable, CaseIterable {
        /// Each snapshot is a period of its own.
        case last
        case hourly, daily, weekly, monthly, yearly

        /// As the policy is read out.
        var noun: String { self == .last ? "latest" : rawValue }
    }

    /// How many periods are kept.
    package enum Count: Sendable, Hashable {
        case atMost(Int64)
        case unlimited
    }

    /// The newest snapshots of that many periods.
    ///
    /// Absent: the rule keeps nothing.
    package var counts: [Period: Count] = [:]
    /// Everything of that time before the newest snapshot.
    package var within: KeepDuration = .zero
    /// The newest of each period of that time; `last` has no such rule.
    package var withinPeriods: [Period: KeepDuration] = [:]
    /// Snapshots with all tags of one of these lists; the empty tag stands for a snapshot without tags.
    package var tags: [[ByteString]] = []

    package init() {}

    /// True when it keeps nothing.
    package var isEmpty: Bool { counts.isEmpty && within == .zero && withinPeriods.isEmpty && tags.isEmpty }

    /// `keep 3 daily snapshots and all snapshots within 1m of the newest`.
    package var text: String {
        let counted = Period.allCases.compactMap { period in counts[period].map { "\($0.text) \(period.noun)" } }
        let spans = Period.allCases.compactMap { period in
            withinPeriods[period].map { "\(period.rawValue) snapshots within \($0.text)" }
        }
        var parts = counted.isEmpty ? spans : [counted.joined(separator: ", ") + " snapshots"] + spans
        parts = parts.isEmpty ? [] : [parts.joined(separator: ", ")]
        if !tags.isEmpty { parts.append("all snapshots with tags [\(tags.map(tagListText).joined(separator: " "))]") }
        if within != .zero { parts.append("all snapshots within \(within.text) of the newest") }
        return parts.isEmpty ? "remove" : "keep " + parts.joined(separator: " and ")
    }

    /// Divides the copies of one group, given newest first; pure.
    ///
    /// `localOffset` is the zone of this process, in seconds east of UTC at a moment.
    package func divide<Copy: DatedCopy>(
        newestFirst ordered: [Copy],
        now: Timestamp,
        localOffset: (Timestamp) -> Int32
    ) -> KeepVerdict<Copy> {
        let latest = Self.latest(of: ordered, now: now)
        var run = KeepRun(self, latest: latest, localOffset: localOffset)
        var verdict = KeepVerdict<Copy>()
        for (number, snapshot) in ordered.enumerated() {
            let reasons = run.reasons(for: snapshot, number: number, isOldest: number == ordered.count - 1)
            if reasons.isEmpty {
                verdict.removed.append(snapshot)
            } else {
                verdict.kept.append(KeepVerdict.Kept(snapshot: snapshot, reasons: reasons))
            }
        }
        return verdict
    }

    /// The time of the newest snapshot that is not in the future; the year 1 when all are, so that every span keeps them.
    private static func latest(of ordered: [some DatedCopy], now: Timestamp) -> ZonedTime {
        let beginning = KeepDuration.calendarBegins
        return ordered.first { $0.time.moment < now && beginning < $0.time.moment }?.time ?? ZonedTime(beginning)
    }
}

/// A snapshot as far as rules of retention look at it.
package protocol DatedCopy: Sendable {
    /// The time that it was begun, in the zone that it was written in.
    var time: ZonedTime { get }
    var tags: [ByteString] { get }
}

/// What becomes of a group of snapshots, both parts newest first.
package struct KeepVerdict<Copy: DatedCopy>: Sendable {
    /// A snapshot that stays, and why, in restic's words.
    package struct Kept: Sendable {
        package var snapshot: Copy
        package var reasons: [String]
    }

    package var kept: [Kept] = []
    package var removed: [Copy] = []
}

/// Whether a snapshot carries all of these tags; the empty tag stands for a snapshot without any.
package func hasAllTags(_ wanted: [ByteString], in tags: [ByteString]) -> Bool {
    if tags.isEmpty, let first = wanted.first { return first.bytes.isEmpty }
    return wanted.allSatisfy { tags.contains($0) }
}

extension KeepPolicy.Count {
    fileprivate var text: String {
        switch self {
        case .atMost(let count): "\(count)"
        case .unlimited: "all"
        }
    }
}

/// `[a, b]`.
private func tagListText(_ tags: [ByteString]) -> String {
    "[" + tags.map(\.display).joined(separator: ", ") + "]"
}

/// The rules of a policy on their way from the newest snapshot to the oldest.
private struct KeepRun {
    /// A rule that keeps the newest snapshot of each period.
    private struct Rule {
        var period: KeepPolicy.Period
        /// Nil: without end.
        var countLeft: Int64?
        /// Only snapshots after it; nil: all.
        var boundary: Timestamp?
        /// Behind the period's name in the reason.
        var words: String
        /// Of the last snapshot that it kept.
        var lastValue: Int64 = -1

        mutating func reason(_ time: ZonedTime, number: Int, isOldest: Bool) -> String? {
            guard countLeft != 0 else { return nil }
            if let boundary, !(boundary < time.moment) { return nil }
            let value = period.value(of: time, number: number)
            guard value != lastValue || isOldest else { return nil }
            let isRepeated = value == lastValue
            lastValue = value
            countLeft = countLeft.map { $0 - 1 }
            return "\(isRepeated ? "oldest " : "")\(period.rawValue) \(words)"
        }
    }

    private let policy: KeepPolicy
    private let boundary: Timestamp?
    private var rules: [Rule]

    init(_ policy: KeepPolicy, latest: ZonedTime, localOffset: (Timestamp) -> Int32) {
        self.policy = policy
        boundary = policy.within == .zero ? nil : policy.within.before(latest, localOffset: localOffset)
        rules = KeepPolicy.Period.allCases.compactMap { period in
            policy.counts[period].map { count in
                var left: Int64?
                if case .atMost(let most) = count { left = most }
                return Rule(period: period, countLeft: left, boundary: nil, words: "snapshot")
            }
        }
        rules += KeepPolicy.Period.allCases.compactMap { period in
            policy.withinPeriods[period].map { span in
                let boundary = span.before(latest, localOffset: localOffset)
                return Rule(period: period, countLeft: nil, boundary: boundary, words: "within \(span.text)")
            }
        }
    }

    /// Why the snapshot stays, in the order of the rules; empty when it does not.
    mutating func reasons(for copy: some DatedCopy, number: Int, isOldest: Bool) -> [String] {
        var reasons: [String] = []
        for list in policy.tags where hasAllTags(list, in: copy.tags) {
            reasons.append("has tags \(tagListText(list))")
        }
        if let boundary, boundary < copy.time.moment { reasons.append("within \(policy.within.text)") }
        for index in rules.indices {
            if let reason = rules[index].reason(copy.time, number: number, isOldest: isOldest) {
                reasons.append(reason)
            }
        }
        return reasons
    }
}

extension KeepPolicy.Period {
    /// A number that two times share when they lie in the same period.
    fileprivate func value(of time: ZonedTime, number: Int) -> Int64 {
        let calendar = CalendarTime(time.moment, offsetSeconds: time.offsetSeconds)
        let month = calendar.year * 100 + calendar.month
        let day = month * 100 + calendar.day
        switch self {
        case .last: return Int64(number)
        case .hourly: return day * 100 + calendar.hour
        case .daily: return day
        case .weekly: return calendar.isoWeek.year * 100 + calendar.isoWeek.week
        case .monthly: return month
        case .yearly: return calendar.year
        }
    }
}
