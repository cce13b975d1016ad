package import Bytes
import Console

/// Reads `2012-11-01 22:08:41` (a fraction of a second may follow) as a time of this process's zone.
///
/// The complaint is in Go's words.
package func parseTime(_ value: ByteString, time: any TimeSource) throws(CommandFailure) -> ZonedTime {
    var reader = TimeReader(value: value, rest: value.bytes[...])
    let year = try reader.number("2006", digits: 4)
    try reader.literal("-")
    let month = try reader.number("01", digits: 2)
    guard (1...12).contains(month) else { throw reader.outOfRange("month") }
    try reader.literal("-")
    let day = try reader.number("02", digits: 2)
    try reader.literal(" ")
    let hour = try reader.number("15", digits: 2)
    guard hour < 24 else { throw reader.outOfRange("hour") }
    try reader.literal(":")
    let minute = try reader.number("04", digits: 2)
    guard minute < 60 else { throw reader.outOfRange("minute") }
    try reader.literal(":")
    let second = try reader.number("05", digits: 2)
    guard second < 60 else { throw reader.outOfRange("second") }
    let nanoseconds = reader.fraction()
    guard reader.rest.isEmpty else { throw reader.failure(": extra text: \(quoted(ByteString(Array(reader.rest))))") }
    guard day >= 1, day <= daysIn(month, of: year) else { throw reader.outOfRange("day") }
    let civil = daysFromEpoch(year, month, day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    let moment = localMoment(civil, nanoseconds: nanoseconds, time: time)
    return ZonedTime(moment, offsetSeconds: time.localOffsetSeconds(at: moment))
}

/// The moment that clock and calendar of this process's zone name; `civil` is what they show, counted as if in UTC.
///
/// As Go: the offset that holds when the digits are taken for UTC, corrected once.
func localMoment(_ civil: Int64, nanoseconds: Int32, time: any TimeSource) -> Timestamp {
    let first = time.localOffsetSeconds(at: Timestamp(seconds: civil))
    let second = time.localOffsetSeconds(at: Timestamp(seconds: civil - Int64(first)))
    return Timestamp(seconds: civil - Int64(first == 0 ? 0 : second), nanoseconds: nanoseconds)
}

private struct TimeReader {
    static let layout = "2006-01-02 15:04:05"
    var value: ByteString
    var rest: ArraySlice<UInt8>

    func failure(_ what: Text) -> CommandFailure { CommandFailure("parsing time \(quoted(value))\(what)") }

    func outOfRange(_ unit: String) -> CommandFailure { failure(": \(unit) out of range") }

    func mismatch(_ element: String) -> CommandFailure {
        failure(" as \"\(Self.layout)\": cannot parse \(quoted(ByteString(Array(rest)))) as \"\(element)\"")
    }

    mutating func number(_ element: String, digits: Int) throws(CommandFailure) -> Int {
        let isHour = element == "15"
        let head = rest.prefix(digits)
        if head.count == digits, head.allSatisfy({ (0x30...0x39).contains($0) }) {
            rest = rest.dropFirst(digits)
            return head.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        guard isHour, let first = head.first, (0x30...0x39).contains(first) else { throw mismatch(element) }
        rest.removeFirst()
        return Int(first - 0x30)
    }

    mutating func literal(_ text: String) throws(CommandFailure) {
        guard rest.starts(with: text.utf8) else { throw mismatch(text) }
        rest = rest.dropFirst(text.utf8.count)
    }

    /// `.5` or `,5`: nanoseconds; digits after the ninth are dropped.
    mutating func fraction() -> Int32 {
        guard let point = rest.first, point == 0x2e || point == 0x2c else { return 0 }
        let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return 0 }
        rest = rest.dropFirst(digits.count + 1)
        let kept = Array(digits.prefix(9)) + [UInt8](repeating: 0x30, count: max(0, 9 - digits.count))
        return kept.reduce(0) { $0 * 10 + Int32($1 - 0x30) }
    }
}

private func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

/// Days of a month.
func daysIn(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
func daysFromEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return Int64(era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468)
}
