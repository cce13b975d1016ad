/// The rule of a POSIX TZ string, as the footer of a TZif file has it: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// Names are checked and dropped. Offsets there count west of Greenwich, here east. Without daylight saving there are no dates;
/// with it both dates are required, since what is meant without them differs from system to system.
struct PosixZone: Sendable, Hashable {
    /// When the clock goes over to daylight saving and back, in every year.
    struct Daylight: Sendable, Hashable {
        /// Seconds east of UTC.
        var offset: Int64
        var start: Change
        var end: Change
    }

    /// A day of the year and a time on the clock that is still in use then.
    struct Change: Sendable, Hashable {
        var day: Day
        /// Within 167 hours of both signs: a rule may name a day and mean one nearby.
        var second: Int
    }

    /// The three ways to name a day.
    enum Day: Sendable, Hashable {
        /// `M10.5.0`: month, week 1...5 where 5 is the last, weekday 0 for Sunday to 6.
        case weekday(month: Int, week: Int, weekday: Int)
        /// `J60`: 1...365, February 29 never counted, so that 60 is always March 1.
        case withoutLeapDay(Int)
        /// `59`: 0...365, February 29 counted.
        case withLeapDay(Int)
    }

    /// Seconds east of UTC.
    var standardOffset: Int64
    var daylight: Daylight?

    /// The changes of those years, ascending, one for each moment; some lie a few days outside.
    func transitions(years: ClosedRange<Int>) -> [ZoneTransition] {
        guard let daylight else { return [] }
        var all: [ZoneTransition] = []
        all.reserveCapacity(years.count * 2)
        for year in years {
            // A saving that ends when the next one starts never ends: of two at one moment the start is later in the list.
            let end = daylight.end.localSeconds(in: year) - daylight.offset
            let start = daylight.start.localSeconds(in: year) - standardOffset
            all.append(ZoneTransition(moment: end, offset: standardOffset))
            all.append(ZoneTransition(moment: start, offset: daylight.offset))
        }
        all.sort {
            ($0.moment, $0.offset == daylight.offset ? 1 : 0) < ($1.moment, $1.offset == daylight.offset ? 1 : 0)
        }
        var kept: [ZoneTransition] = []
        kept.reserveCapacity(all.count)
        for transition in all {
            if kept.last?.moment == transition.moment { kept.removeLast() }
            kept.append(transition)
        }
        return kept
    }

    /// Seconds east of UTC at that moment.
    func offset(at moment: Int64) -> Int64 {
        let year = year(of: moment)
        return transitions(years: (year - 2)...(year + 1)).last { $0.moment <= moment }?.offset ?? standardOffset
    }
}

extension PosixZone.Change {
    /// Seconds since 1970 on the clock that is still in use then.
    fileprivate func localSeconds(in year: Int) -> Int64 {
        Int64(day.daysSinceEpoch(in: year) * 86_400 + second)
    }
}

extension PosixZone.Day {
    fileprivate func daysSinceEpoch(in year: Int) -> Int {
        let newYear = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
        switch self {
        case .withLeapDay(let day):
            return newYear + day
        case .withoutLeapDay(let day):
            return newYear + day - 1 + (day >= 60 && CivilDate.isLeap(year) ? 1 : 0)
        case .weekday(let month, let week, let weekday):
            let first = CivilDate(year: year, month: month, day: 1)
            let wanted = (weekday + 6) % 7
            let day = 1 + (wanted - first.weekday + 7) % 7 + (week - 1) * 7
            let isBeyond = day > CivilDate.daysInMonth(month, of: year)
            return first.daysSinceEpoch + day - 1 - (isBeyond ? 7 : 0)
        }
    }
}

// MARK: - Text

extension PosixZone {
    /// Reads `std offset [dst [offset] , start [/time] , end [/time]]`, all of it.
    init(_ text: ArraySlice<UInt8>) throws(ZoneRulesError) {
        var reader = PosixZoneReader(text: text, position: text.startIndex)
        try reader.name()
        let standard = -(try reader.time(hoursAtMost: 24))
        standardOffset = Int64(standard)
        guard !reader.isAtEnd else { return }
        try reader.name()
        let hasOffset = reader.peek != UInt8(ascii: ",")
        let offset = hasOffset ? -(try reader.time(hoursAtMost: 24)) : standard + 3600
        let start = try reader.change()
        let end = try reader.change()
        guard reader.isAtEnd else { throw reader.wants("its end") }
        daylight = Daylight(offset: Int64(offset), start: start, end: end)
    }
}

/// Reads a TZ string front to back.
private struct PosixZoneReader {
    let text: ArraySlice<UInt8>
    var position: Int

    var isAtEnd: Bool { position == text.endIndex }

    var peek: UInt8? { isAtEnd ? nil : text[position] }

    func wants(_ expected: String) -> ZoneRulesError {
        .badFooter(column: position - text.startIndex + 1, expected: expected)
    }

    mutating func take(_ letter: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: letter) else { return false }
        position += 1
        return true
    }

    /// `CET`, three letters or more, or `<+0330>`, three letters, digits or signs or more in angle brackets.
    mutating func name() throws(ZoneRulesError) {
        let isQuoted = take("<")
        let start = position
        while let byte = peek, byte.isASCIILetter || isQuoted && (byte.isASCIIDigit || byte.isSign) { position += 1 }
        guard position - start >= 3 else { throw wants("a name of three letters or more") }
        if isQuoted, !take(">") { throw wants(">") }
    }

    /// `[+-]hours[:minutes[:seconds]]` in seconds.
    mutating func time(hoursAtMost bound: Int) throws(ZoneRulesError) -> Int {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        var seconds = try number("hours", 0...bound) * 3600
        if take(":") {
            seconds += try number("minutes", 0...59) * 60
            if take(":") { seconds += try number("seconds", 0...59) }
        }
        return isNegative ? -seconds : seconds
    }

    /// `,day[/time]`; 02:00 without a time.
    mutating func change() throws(ZoneRulesError) -> PosixZone.Change {
        guard take(",") else { throw wants("a comma and a day") }
        let day = try day()
        return PosixZone.Change(day: day, second: take("/") ? try time(hoursAtMost: 167) : 7200)
    }

    private mutating func day() throws(ZoneRulesError) -> PosixZone.Day {
        if take("J") { return .withoutLeapDay(try number("a day", 1...365)) }
        guard take("M") else { return .withLeapDay(try number("a day", 0...365)) }
        let month = try number("a month", 1...12)
        guard take(".") else { throw wants("a dot and a week") }
        let week = try number("a week", 1...5)
        guard take(".") else { throw wants("a dot and a weekday") }
        return .weekday(month: month, week: week, weekday: try number("a weekday", 0...6))
    }

    private mutating func number(_ what: String, _ range: ClosedRange<Int>) throws(ZoneRulesError) -> Int {
        let start = position
        var value = 0
        while let byte = peek, byte.isASCIIDigit, position - start < 3 {
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            position += 1
        }
        guard position > start, range.contains(value) else {
            position = start
            throw wants("\(what) of \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

extension UInt8 {
    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isASCIILetter: Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
    }

    fileprivate var isSign: Bool { self == UInt8(ascii: "+") || self == UInt8(ascii: "-") }
}
