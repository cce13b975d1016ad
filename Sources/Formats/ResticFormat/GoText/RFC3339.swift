package import Bytes

/// Times as Go's `time.Time` goes to and from JSON: RFC 3339 with up to nine fraction digits and the zone's offset.
///
/// Written: no trailing zeros in the fraction, `Z` for offset zero, otherwise `+hh:mm` with the seconds of the offset dropped (the
/// digits before it still count them, as in old local mean times). Calendar: proleptic Gregorian. Nothing here overflows: seconds
/// beyond what Go's calendar holds wrap as they do in Go.
package enum RFC3339 {
    /// Go's zero time, 0001-01-01T00:00:00Z, which stands for an absent field.
    package static let zeroTime = ZonedTime(Timestamp(seconds: -62_135_596_800))

    /// Appends `time`; a year below 0 is written as 0, one above 9999 as 9999, at the same month, day and time of day.
    package static func append(_ time: ZonedTime, to output: inout [UInt8]) {
        let local = LocalTime(time.moment.seconds, offset: time.offsetSeconds)
        let (year, month, day) =
            local.isFourDigits ? local.date : LocalTime(clamped(time).moment.seconds, offset: time.offsetSeconds).date
        appendDigits(UInt32(truncatingIfNeeded: year), count: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        appendDigits(month, count: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        appendDigits(day, count: 2, to: &output)
        output.append(UInt8(ascii: "T"))
        appendDigits(local.secondOfDay / 3600, count: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        appendDigits(local.secondOfDay / 60 % 60, count: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        appendDigits(local.secondOfDay % 60, count: 2, to: &output)
        appendFraction(time.moment.nanoseconds, to: &output)
        appendZone(time.offsetSeconds, to: &output)
    }

    /// The bytes of `append`.
    package static func format(_ time: ZonedTime) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(35)
        append(time, to: &output)
        return output
    }

    /// `time` brought into the years 0...9999 at the same offset; unchanged when it is there already.
    package static func clamped(_ time: ZonedTime) -> ZonedTime {
        clamped(time.moment) { _ in time.offsetSeconds }
    }

    /// A moment in the zone that `offset` describes (seconds east of UTC at a moment), brought into the years 0...9999.
    ///
    /// As restic does for the times of nodes: the year changes, the wall clock of that zone stays, and the zone's offset is the one of
    /// the new year.
    package static func clamped(_ moment: Timestamp, offset: (Timestamp) -> Int32) -> ZonedTime {
        let first = offset(moment)
        let local = LocalTime(moment.seconds, offset: first)
        if local.isFourDigits { return ZonedTime(moment, offsetSeconds: first) }
        let year: Int64 = local.date.year < 0 ? 0 : 9999
        let days = daysSince1970(year: year, month: Int64(local.date.month), day: Int64(local.date.day))
        let wall = days * 86_400 + Int64(local.secondOfDay)
        // As Go's `Date`: take the offset in force at the wall time read as UTC, then the one at the moment this gives.
        let guess = offset(Timestamp(seconds: wall))
        let final = offset(Timestamp(seconds: wall - Int64(guess)))
        let seconds = wall - Int64(final)
        return ZonedTime(Timestamp(seconds: seconds, nanoseconds: moment.nanoseconds), offsetSeconds: final)
    }

    /// Reads what Go's decoder reads: `2006-01-02T15:04:05Z`, also with one digit for the hour, with a fraction of
    /// any length behind a dot or a comma (digits behind the ninth are dropped), and with an offset in place of `Z`.
    ///
    /// Anything else is nil.
    ///
    /// Offsets go up to 24:00 and their minutes up to 60, as in Go (which also reads 24:60, but cannot write it again).
    package static func parse(_ text: UnsafeRawBufferPointer) -> ZonedTime? {
        guard text.count >= 19 else { return nil }
        let hourDigits = text[12] == 0x3a ? 1 : 2
        // Where the minutes begin; with the seconds behind them they end at byte 18 or before.
        let minutes = 12 &+ hourDigits
        guard
            let year = digits(text, at: 0, count: 4),
            let month = digits(text, at: 5, count: 2), 1...12 ~= month,
            let day = digits(text, at: 8, count: 2), day >= 1, day <= daysIn(month: month, year: year),
            let hour = digits(text, at: 11, count: hourDigits), hour < 24,
            let minute = digits(text, at: minutes, count: 2), minute < 60,
            let second = digits(text, at: minutes &+ 3, count: 2), second < 60,
            text[4] == 0x2d, text[7] == 0x2d, text[10] == 0x54, text[minutes &- 1] == 0x3a, text[minutes &+ 2] == 0x3a
        else { return nil }
        var index = minutes &+ 5
        let nanoseconds = fraction(text, at: &index)
        guard let offset = zone(text, at: index) else { return nil }
        let days = daysSince1970(year: Int64(year), month: Int64(month), day: Int64(day))
        let wall = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        return ZonedTime(Timestamp(seconds: wall - Int64(offset), nanoseconds: nanoseconds), offsetSeconds: offset)
    }

    /// `parse` over an array.
    package static func parse(_ text: [UInt8]) -> ZonedTime? { text.withUnsafeBytes { parse($0) } }
}

/// Wall-clock seconds counted from the first of March of a year far in the past, as unsigned numbers that wrap where Go's do.
private struct LocalTime {
    /// Go's first year; a multiple of 400, so eras align.
    private static let firstYear: Int64 = -292_277_022_400
    private static let secondsTo1970 = (UInt64(292_277_022_400 / 400) &* 146_097 &+ 719_468) &* 86_400

    private let absolute: UInt64

    init(_ seconds: Int64, offset: Int32) {
        absolute = UInt64(bitPattern: seconds) &+ Self.secondsTo1970 &+ UInt64(bitPattern: Int64(offset))
    }

    var secondOfDay: UInt32 { UInt32(truncatingIfNeeded: absolute % 86_400) }

    var isFourDigits: Bool {
        // 0000-01-01 and 10000-01-01 in seconds since 1970.
        let since1970 = Int64(bitPattern: absolute &- Self.secondsTo1970)
        return since1970 >= -62_167_219_200 && since1970 < 253_402_300_800
    }

    /// The civil date; eras of 400 years, each year starting in March so that the leap day comes last.
    var date: (year: Int64, month: UInt32, day: UInt32) {
        let days = absolute / 86_400
        let era = days / 146_097
        let dayOfEra = UInt32(truncatingIfNeeded: days % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = Self.firstYear &+ Int64(era) &* 400 &+ Int64(yearOfEra) &+ (month <= 2 ? 1 : 0)
        return (year, month, day)
    }
}

/// Days from 1970-01-01 to a date of the years -400...10000; a day beyond its month's end runs into the next.
private func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = (month <= 2 ? year - 1 : year) + 400
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return (era - 1) * 146_097 + dayOfEra - 719_468
}

private func daysIn(month: UInt32, year: UInt32) -> UInt32 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

private func appendDigits(_ value: UInt32, count: Int, to output: inout [UInt8]) {
    if count == 4 {
        output.append(0x30 &+ UInt8(truncatingIfNeeded: value / 1000 % 10))
        output.append(0x30 &+ UInt8(truncatingIfNeeded: value / 100 % 10))
    }
    output.append(0x30 &+ UInt8(truncatingIfNeeded: value / 10 % 10))
    output.append(0x30 &+ UInt8(truncatingIfNeeded: value % 10))
}

private func appendFraction(_ nanoseconds: Int32, to output: inout [UInt8]) {
    var rest = UInt32(clamping: nanoseconds)
    guard rest > 0, rest < 1_000_000_000 else { return }
    var places = 9
    while rest % 10 == 0 {
        rest /= 10
        places &-= 1
    }
    output.append(UInt8(ascii: "."))
    let start = output.count
    output.append(contentsOf: repeatElement(0x30, count: places))
    var index = start &+ places
    while index > start {
        index &-= 1
        output[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
    }
}

private func appendZone(_ offset: Int32, to output: inout [UInt8]) {
    guard offset != 0 else {
        output.append(UInt8(ascii: "Z"))
        return
    }
    let minutes = offset / 60
    output.append(minutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
    appendDigits(minutes.magnitude / 60, count: 2, to: &output)
    output.append(UInt8(ascii: ":"))
    appendDigits(minutes.magnitude % 60, count: 2, to: &output)
}

@inline(__always)
private func digits(_ text: UnsafeRawBufferPointer, at index: Int, count: Int) -> UInt32? {
    var value: UInt32 = 0
    for position in index..<(index &+ count) {
        let digit = text[position] &- 0x30
        guard digit < 10 else { return nil }
        value = value &* 10 &+ UInt32(digit)
    }
    return value
}

/// Reads `.` or `,` and digits at `index` and moves behind them; a dot without digits is left alone and so refused by the zone.
private func fraction(_ text: UnsafeRawBufferPointer, at index: inout Int) -> Int32 {
    guard index &+ 1 < text.count, text[index] == 0x2e || text[index] == 0x2c, text[index &+ 1] &- 0x30 < 10 else {
        return 0
    }
    index &+= 1
    var value: Int32 = 0
    var places = 0
    while index < text.count, text[index] &- 0x30 < 10 {
        if places < 9 {
            value = value &* 10 &+ Int32(text[index] &- 0x30)
            places &+= 1
        }
        index &+= 1
    }
    while places < 9 {
        value = value &* 10
        places &+= 1
    }
    return value
}

/// The offset in seconds that stands from `index` to the end.
private func zone(_ text: UnsafeRawBufferPointer, at index: Int) -> Int32? {
    let left = text.count &- index
    if left == 1 { return text[index] == 0x5a ? 0 : nil }
    guard left == 6, text[index] == 0x2b || text[index] == 0x2d, text[index &+ 3] == 0x3a,
        let hours = digits(text, at: index &+ 1, count: 2),
        let minutes = digits(text, at: index &+ 4, count: 2), minutes <= 60, hours * 60 + minutes <= 24 * 60
    else { return nil }
    let offset = Int32(hours * 3600 + minutes * 60)
    return text[index] == 0x2d ? -offset : offset
}
