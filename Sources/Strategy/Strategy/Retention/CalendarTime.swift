package import Bytes

/// A moment on the calendar and clock of one place, in the proleptic Gregorian calendar.
package struct CalendarTime: Sendable, Hashable {
    private static let secondsPerDay: Int64 = 86_400

    package var year: Int64
    /// 1…12.
    package var month: Int64
    /// 1…31.
    package var day: Int64
    package var secondOfDay: Int64

    /// What a clock shows that is `offsetSeconds` east of UTC.
    package init(_ moment: Timestamp, offsetSeconds: Int32) {
        let seconds = moment.seconds &+ Int64(offsetSeconds)
        let (days, rest) = seconds.dividedDown(by: Self.secondsPerDay)
        secondOfDay = rest
        (year, month, day) = Self.date(days: days)
    }

    package var hour: Int64 { secondOfDay / 3600 }

    /// The week by ISO 8601 and the year that it belongs to: a week has the year of its Thursday.
    package var isoWeek: (year: Int64, week: Int64) {
        let days = Self.daysSince1970(year: year, month: month, day: day)
        // 1970-01-01 was a Thursday; Monday counts 0.
        let weekday = (days + 3).dividedDown(by: 7).rest
        let thursday = days - weekday + 3
        let year = Self.date(days: thursday).year
        return (year, (thursday - Self.daysSince1970(year: year, month: 1, day: 1)) / 7 + 1)
    }

    /// Seconds that the same clock shows so much earlier: years and months on the calendar, days behind them.
    ///
    /// A day that the month does not have runs over into the next one: a month before 31 March is 3 March (2 in leap years).
    func secondsBefore(years: Int64, months: Int64, days: Int64) -> Int64 {
        let (yearsDown, monthIndex) = (month - 1 - months).dividedDown(by: 12)
        let first = Self.daysSince1970(year: year - years + yearsDown, month: monthIndex + 1, day: 1)
        return (first + day - 1 - days) * Self.secondsPerDay + secondOfDay
    }

    /// Days from 1970-01-01; eras of 400 years, each year starting in March so that the leap day comes last.
    static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.dividedDown(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).dividedDown(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    /// The quotient rounded toward minus infinity, and the rest, which is never negative.
    fileprivate func dividedDown(by divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
    }
}
