package import Bytes

/// When something is due, as people write it: a calendar event of systemd and Proxmox VE, or five fields of cron.
///
/// `02:30`, `mon..fri 22:00`, `*-*-01 03:00`, `sat *-1..7 15:00`, `*/15`, `daily`, `02:00 Europe/Berlin`; `30 2 * * 1-5`, `@daily`.
/// A value, and pure: the clock and the rules of the zone are passed in (L6). The two kinds of text are told apart by their form: five
/// words or more of which the first is no name, and a first `@`, are cron's.
///
/// **Rule for clocks that are set**, kept for every zone and every date:
/// 1. Each matching local time fires once.
/// 2. One that occurs twice, where the clock is set back, fires at its first occurrence.
/// 3. One that does not exist, where the clock jumps ahead, fires at the moment the jump ends; several in one jump, and one that is
///    due at its end, fire once there.
///
/// In one sentence: a schedule fires when the local clock first shows, or jumps over, a time that matches. (Were a clock to jump over
/// a time and be set back to before it within the same day, the jump counts; no zone has done so since 1970.) February 29 and days
/// 29 to 31 come as the calendar has them. Leap seconds do not exist.
///
/// **Bounds**: local times of 1970 to 2199, as systemd; `StrategyLimits.scheduleBytes` of text, `scheduleListEntries` in a list.
/// **Cost** of a question: microseconds, whatever the distance; no allocation.
package struct Schedule: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    package let text: String
    /// The zone named in the text, `UTC` or a name such as `Europe/Berlin`, for the caller to resolve; nil for the zone of the lab.
    package let zoneName: String?

    private let event: CalendarEvent
    private let times: MatchingTimes

    /// Reads a schedule.
    ///
    /// Refuses what can never come, such as February 30.
    package init(_ text: String) throws(ScheduleError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= StrategyLimits.scheduleBytes else {
            throw ScheduleError(
                .tooLong,
                column: StrategyLimits.scheduleBytes + 1,
                what: "the schedule has \(bytes.count) bytes",
                next: "write at most \(StrategyLimits.scheduleBytes)"
            )
        }
        let words = ScheduleScanner.words(of: bytes)
        guard let first = words.first else {
            throw ScheduleError(
                .unexpected,
                column: 1,
                what: "the schedule is empty",
                next: "write one like 02:30 or daily"
            )
        }
        let firstByte = bytes[first.lowerBound]
        if firstByte == UInt8(ascii: "@") || words.count >= 5 && !firstByte.isASCIILetter {
            event = try CronParser(bytes, words).parse()
            zoneName = nil
        } else {
            var parser = CalendarEventParser(bytes, words)
            try parser.parse()
            event = parser.event
            zoneName = parser.zoneName
        }
        times = MatchingTimes(event)
        self.text = text
        guard !times.isEmpty else {
            throw ScheduleError(
                .never,
                column: first.lowerBound + 1,
                what: "no date from 1970 to 2199 is meant by \(event)",
                next: "look at its day and month"
            )
        }
    }

    /// The form that `systemd-analyze calendar` prints as normalised; it reads back as the same schedule.
    ///
    /// Cron's "day of month or day of week" has no such form: then it is two of them, joined by ` or `.
    package var description: String { event.description + (zoneName.map { " \($0)" } ?? "") }

    /// The first moment later than that one at which it fires; nil when it never does again.
    package func next(after moment: Timestamp, in zone: ZoneRules) -> Timestamp? {
        times.first(after: zone.latestShown(by: moment)).map { zone.firstMoment(reaching: $0) }
    }

    /// The last moment at which it fired, that moment included; nil when it never did since 1970.
    package func previous(atOrBefore moment: Timestamp, in zone: ZoneRules) -> Timestamp? {
        let next = LocalTime(seconds: zone.latestShown(by: moment).seconds + 1)
        return times.last(before: next).map { zone.firstMoment(reaching: $0) }
    }

    /// The moments at which it fires from that one until before the other, ascending, each found when it is asked for.
    package func occurrences(from start: Timestamp, to end: Timestamp, in zone: ZoneRules) -> ScheduleOccurrences {
        ScheduleOccurrences(schedule: self, zone: zone, start: start, end: end)
    }
}

/// The moments at which a schedule fires in a stretch of time.
package struct ScheduleOccurrences: Sequence, IteratorProtocol, Sendable {
    private let schedule: Schedule
    private let zone: ZoneRules
    private let end: Timestamp
    /// The next one is later than this.
    private var last: Timestamp

    init(schedule: Schedule, zone: ZoneRules, start: Timestamp, end: Timestamp) {
        self.schedule = schedule
        self.zone = zone
        self.end = end
        // It fires on whole seconds: from a whole one on means later than the second before.
        let isWhole = start.nanoseconds == 0 && start.seconds > .min
        last = isWhole ? Timestamp(seconds: start.seconds - 1) : start
    }

    package mutating func next() -> Timestamp? {
        guard let next = schedule.next(after: last, in: zone), next < end else { return nil }
        last = next
        return next
    }
}
