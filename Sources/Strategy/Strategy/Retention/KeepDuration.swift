package import Bytes

/// A length of time in the units of people: `1y5m7d2h`.
package struct KeepDuration: Sendable, Hashable {
    package var years: Int64
    package var months: Int64
    package var days: Int64
    package var hours: Int64

    /// Beyond it in any unit the span reaches back before every snapshot; far inside of what 64 bits can add up.
    private static let unitMax: Int64 = 100_000_000_000

    /// The year 1: no snapshot is older, no zone changed its offset before, and no table of zones has to be asked about it.
    package static let calendarBegins = Timestamp(seconds: -62_135_596_800)

    package init(years: Int64 = 0, months: Int64 = 0, days: Int64 = 0, hours: Int64 = 0) {
        self.years = years
        self.months = months
        self.days = days
        self.hours = hours
    }

    package static let zero = KeepDuration()

    /// True when any unit is below zero.
    package var isNegative: Bool { years < 0 || months < 0 || days < 0 || hours < 0 }

    /// `1y2m`: the units that are not zero; empty for no time at all.
    package var text: String {
        let units = [(years, "y"), (months, "m"), (days, "d"), (hours, "h")]
        return units.filter { $0.0 != 0 }.map { "\($0.0)\($0.1)" }.joined()
    }

    /// The moment so much before `latest`, or one before every other when the span is longer than the calendar.
    ///
    /// Years, months and days go back on the calendar of the zone that `latest` was written in, hours on the clock. A time in this
    /// process's zone keeps its hour over a change to summer time, as in restic; `localOffset` is that zone.
    package func before(_ latest: ZonedTime, localOffset: (Timestamp) -> Int32) -> Timestamp {
        let beginning = Timestamp(seconds: .min)
        guard [years, months, days, hours].allSatisfy({ $0 <= Self.unitMax }) else { return beginning }
        let isLocal = latest.offsetSeconds != 0 && localOffset(latest.moment) == latest.offsetSeconds
        func offset(_ seconds: Int64) -> Int64 {
            guard isLocal else { return Int64(latest.offsetSeconds) }
            return Int64(localOffset(max(Self.calendarBegins, Timestamp(seconds: seconds))))
        }
        let clock = CalendarTime(latest.moment, offsetSeconds: latest.offsetSeconds)
        let (hourSeconds, isOver) = hours.multipliedReportingOverflow(by: 3600)
        guard !isOver, years <= 1_000_000 else { return beginning }
        var seconds = clock.secondsBefore(years: years, months: months, days: days)
        // The offset at that wall-clock time: first as if it were UTC, then where that leads.
        let guess = offset(seconds)
        if guess != 0 { seconds -= offset(seconds - guess) }
        return Timestamp(seconds: seconds - hourSeconds, nanoseconds: latest.moment.nanoseconds)
    }
}
