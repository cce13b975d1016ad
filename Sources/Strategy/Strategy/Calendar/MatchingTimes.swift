/// The local times that match a calendar event, as sets of bits: made once, searched often.
///
/// **Cost** of a search: a few operations for each month that is looked at, none for time that passes. Rare events look at many
/// months: February 29 on a Monday at 28 years of one month each, at most 12 x 230 when nothing is left.
struct MatchingTimes: Sendable, Hashable {
    /// Ascending; all of 1970 to 2199 when the event names none.
    private let years: [Int]
    private let months: NumberSet
    private let days: NumberSet
    private let countsFromEnd: Bool
    private let weekdays: Weekdays
    private let dayRule: CalendarEvent.DayRule
    private let hours: NumberSet
    private let minutes: NumberSet
    private let seconds: NumberSet

    init(_ event: CalendarEvent) {
        years = Set(event.years.values(.year)).sorted()
        months = NumberSet(event.months.values(.month))
        days = NumberSet(event.days.values(event.countsFromEnd ? .dayFromEnd : .day))
        countsFromEnd = event.countsFromEnd
        weekdays = event.weekdays
        dayRule = event.dayRule
        hours = NumberSet(event.hours.values(.hour))
        minutes = NumberSet(event.minutes.values(.minute))
        seconds = NumberSet(event.seconds.values(.second))
    }

    /// The first matching time later than that one; nil when there is none until the end of 2199.
    func first(after local: LocalTime) -> LocalTime? {
        let date = local.date
        if matches(date), let second = firstSecond(after: local.secondOfDay) {
            return LocalTime(date, second: second)
        }
        guard let date = firstDate(after: date), let second = firstSecond(after: -1) else { return nil }
        return LocalTime(date, second: second)
    }

    /// The last matching time earlier than that one; nil when there is none from the start of 1970.
    func last(before local: LocalTime) -> LocalTime? {
        let date = local.date
        if matches(date), let second = lastSecond(before: local.secondOfDay) { return LocalTime(date, second: second) }
        guard let date = lastDate(before: date), let second = lastSecond(before: 86_400) else { return nil }
        return LocalTime(date, second: second)
    }

    /// Whether any date matches at all.
    var isEmpty: Bool { firstDate(after: CivilDate(year: 1969, month: 12, day: 31)) == nil }
}

// MARK: - Dates

extension MatchingTimes {
    private func matches(_ date: CivilDate) -> Bool {
        let index = yearIndex(date.year)
        return index < years.count && years[index] == date.year && months.contains(date.month)
            && matchingDays(date.year, date.month).contains(date.day)
    }

    private func firstDate(after date: CivilDate) -> CivilDate? {
        for index in yearIndex(date.year)..<years.count {
            let year = years[index]
            var next = months.first(from: year == date.year ? date.month : 1)
            while let month = next {
                let isSame = year == date.year && month == date.month
                if let day = matchingDays(year, month).first(from: isSame ? date.day + 1 : 1) {
                    return CivilDate(year: year, month: month, day: day)
                }
                next = months.first(from: month + 1)
            }
        }
        return nil
    }

    private func lastDate(before date: CivilDate) -> CivilDate? {
        for index in (0..<yearIndex(date.year + 1)).reversed() {
            let year = years[index]
            var next = months.last(through: year == date.year ? date.month : 12)
            while let month = next {
                let isSame = year == date.year && month == date.month
                if let day = matchingDays(year, month).last(through: isSame ? date.day - 1 : 31) {
                    return CivilDate(year: year, month: month, day: day)
                }
                next = months.last(through: month - 1)
            }
        }
        return nil
    }

    /// Where that year is among the years, or the first later one.
    private func yearIndex(_ year: Int) -> Int {
        // Where no year is left out it is found by counting.
        let counted = year - (years.first ?? year)
        if years.indices.contains(counted), years[counted] == year { return counted }
        var low = 0
        var high = years.count
        while low < high {
            let middle = (low + high) / 2
            if years[middle] < year { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func matchingDays(_ year: Int, _ month: Int) -> NumberSet {
        let length = CivilDate.daysInMonth(month, of: year)
        let whole = NumberSet(bits: (1 << UInt64(length) - 1) << 1)
        let named = NumberSet(bits: (countsFromEnd ? days.mirrored(in: length) : days).bits & whole.bits)
        guard weekdays != .all else { return named }
        // The seven bits, turned to the weekday of the first, once for each week.
        let first = UInt64(CivilDate(year: year, month: month, day: 1).weekday)
        let week = (weekdays.bits >> first | weekdays.bits << (7 - first)) & 0x7F
        let onWeekdays = (week * (1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28)) << 1 & whole.bits
        switch dayRule {
        case .both: return NumberSet(bits: named.bits & onWeekdays)
        case .either: return NumberSet(bits: named.bits | onWeekdays)
        }
    }
}

// MARK: - Times of day

extension MatchingTimes {
    private func firstSecond(after second: Int) -> Int? {
        let from = second + 1
        let (hour, minute) = (from / 3600, from / 60 % 60)
        if hours.contains(hour) {
            if minutes.contains(minute), let second = seconds.first(from: from % 60) {
                return hour * 3600 + minute * 60 + second
            }
            if let minute = minutes.first(from: minute + 1), let second = seconds.first(from: 0) {
                return hour * 3600 + minute * 60 + second
            }
        }
        guard let hour = hours.first(from: hour + 1), let minute = minutes.first(from: 0),
            let second = seconds.first(from: 0)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private func lastSecond(before second: Int) -> Int? {
        let through = second - 1
        guard through >= 0 else { return nil }
        let (hour, minute) = (through / 3600, through / 60 % 60)
        if hours.contains(hour) {
            if minutes.contains(minute), let second = seconds.last(through: through % 60) {
                return hour * 3600 + minute * 60 + second
            }
            if let minute = minutes.last(through: minute - 1), let second = seconds.last(through: 59) {
                return hour * 3600 + minute * 60 + second
            }
        }
        guard let hour = hours.last(through: hour - 1), let minute = minutes.last(through: 59),
            let second = seconds.last(through: 59)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }
}

/// A set of numbers 0...63.
struct NumberSet: Sendable, Hashable {
    var bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    init(_ numbers: [Int]) {
        bits = 0
        for number in numbers { bits |= 1 << UInt64(number) }
    }

    func contains(_ number: Int) -> Bool { bits >> UInt64(number) & 1 == 1 }

    /// The smallest number that is at least `number`, which is not negative.
    func first(from number: Int) -> Int? {
        // A shift by 64 or more leaves nothing.
        let rest = (bits >> UInt64(number)) << UInt64(number)
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// The largest number that is at most `number`.
    func last(through number: Int) -> Int? {
        guard number >= 0 else { return nil }
        let rest = number >= 63 ? bits : bits & (1 << UInt64(number + 1) - 1)
        return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
    }

    /// Each number n of 1...length becomes length + 1 - n.
    func mirrored(in length: Int) -> NumberSet {
        var mirrored = NumberSet(bits: 0)
        for number in 1...length where contains(number) { mirrored.bits |= 1 << UInt64(length + 1 - number) }
        return mirrored
    }
}
