package import Bytes

/// A date of the Gregorian calendar, continued to both sides, without a zone.
package struct CivilDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var year: Int
    /// 1...12.
    package var month: Int
    /// 1...31.
    package var day: Int

    package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date that many days after 1970-01-01; any count of a magnitude below 2^60.
    package init(daysSinceEpoch days: Int) {
        // Years start in March here, so that the day that comes and goes is the last one of a year.
        let shifted = days + 719_468
        let era = shifted.dividedDown(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days from 1970-01-01 to here, negative before it.
    package var daysSinceEpoch: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear.dividedDown(by: 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// 0 for Monday to 6 for Sunday.
    package var weekday: Int {
        // 1970-01-01 was a Thursday.
        let day = daysSinceEpoch + 3
        return day - day.dividedDown(by: 7) * 7
    }

    /// 28 to 31.
    package static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Whether the year has a February 29.
    package static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    package static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    /// `2026-03-29`.
    package var description: String { "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" }
}

/// What the clock on a wall shows: a date and a time of day to the second, without a zone.
package struct LocalTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seconds from 1970-01-01T00:00:00 on that clock, each day having 86,400.
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    package init(_ date: CivilDate, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        seconds = Int64(date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second)
    }

    /// What a clock in UTC shows at that moment.
    package init(utc moment: Timestamp) { seconds = moment.seconds }

    package var date: CivilDate { CivilDate(daysSinceEpoch: Int(seconds).dividedDown(by: 86_400)) }

    /// 0..<86,400.
    package var secondOfDay: Int { Int(seconds) - Int(seconds).dividedDown(by: 86_400) * 86_400 }

    package static func < (left: LocalTime, right: LocalTime) -> Bool { left.seconds < right.seconds }

    /// `2026-03-29 02:30:00`.
    package var description: String {
        let second = secondOfDay
        return "\(date) \(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    }
}

extension Int {
    /// The quotient rounded toward negative infinity, for a positive divisor.
    ///
    /// Inlined, so that a constant divisor becomes a multiplication: a date is five of them.
    @inline(__always)
    func dividedDown(by divisor: Int) -> Int {
        self >= 0 ? self / divisor : (self + 1) / divisor - 1
    }
}

/// The number in at least that many digits, zeros first.
func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(digits - text.utf8.count, 0)) + text
}
