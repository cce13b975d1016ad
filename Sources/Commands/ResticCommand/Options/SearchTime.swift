package import Bytes

/// Reads a time as `find --oldest` and `--newest` take it; nil when it has none of their forms.
///
/// `2006-01-02` or `02.01.2006`, then perhaps ` 15:04`, `:05` with a fraction, and a zone ` -0700` or ` MST`; and
/// `Mon Jan 2 15:04:05 -0700 MST 2006`. Without a zone it is a time of this process's zone.
package func parseSearchTime(_ text: ByteString, time: any TimeSource) -> Timestamp? {
    var reader = SearchTimeReader(rest: text.bytes[...])
    return reader.plain(time)
        ?? {
            reader = SearchTimeReader(rest: text.bytes[...]); return reader.unixDate(time)
        }()
}

private struct SearchTimeReader {
    var rest: ArraySlice<UInt8>
    private var day: (year: Int, month: Int, day: Int) = (0, 1, 1)
    private var seconds = 0
    private var nanoseconds: Int32 = 0

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    init(rest: ArraySlice<UInt8>) { self.rest = rest }

    /// The forms that begin with a date in digits.
    mutating func plain(_ time: any TimeSource) -> Timestamp? {
        guard date(), isDateValid else { return nil }
        if rest.isEmpty { return local(time) }
        guard take(" "), clock() else { return nil }
        if rest.isEmpty { return local(time) }
        guard take(":"), second() else { return nil }
        if rest.isEmpty { return local(time) }
        guard take(" ") else { return nil }
        if let offset = numericZone() { return rest.isEmpty ? moment(offset: offset) : nil }
        let zone = word()
        return rest.isEmpty ? named(zone, time) : nil
    }

    /// `Mon Jan 2 15:04:05 -0700 MST 2006`.
    mutating func unixDate(_ time: any TimeSource) -> Timestamp? {
        guard Self.weekdays.contains(String(decoding: word(), as: UTF8.self)), take(" "),
            let month = Self.months.firstIndex(of: String(decoding: word(), as: UTF8.self)), take(" ")
        else { return nil }
        if rest.first == 0x20 { rest.removeFirst() }
        guard let number = number(1...2), take(" "), clock(), take(":"), second(), take(" "),
            let offset = numericZone(), take(" "), !word().isEmpty, take(" "), let year = self.number(4...4),
            rest.isEmpty
        else { return nil }
        day = (year, month + 1, number)
        return isDateValid ? moment(offset: offset) : nil
    }

    // MARK: pieces

    private mutating func date() -> Bool {
        let start = rest
        if let year = number(4...4), take("-"), let month = number(2...2), take("-"), let number = number(2...2) {
            day = (year, month, number)
            return true
        }
        rest = start
        guard let number = number(2...2), take("."), let month = self.number(2...2), take("."),
            let year = self.number(4...4)
        else { return false }
        day = (year, month, number)
        return true
    }

    private var isDateValid: Bool {
        (1...12).contains(day.month) && day.day >= 1 && day.day <= daysIn(day.month, of: day.year)
    }

    private mutating func clock() -> Bool {
        guard let hour = number(1...2), hour < 24, take(":"), let minute = number(2...2), minute < 60 else {
            return false
        }
        seconds = hour * 3600 + minute * 60
        return true
    }

    private mutating func second() -> Bool {
        guard let second = number(2...2), second < 60 else { return false }
        seconds += second
        guard let point = rest.first, point == 0x2e || point == 0x2c else { return true }
        let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return true }
        rest = rest.dropFirst(digits.count + 1)
        let padded = Array(digits.prefix(9)) + [UInt8](repeating: 0x30, count: max(0, 9 - digits.count))
        nanoseconds = padded.reduce(0) { $0 * 10 + Int32($1 - 0x30) }
        return true
    }

    /// `+0130` as seconds east of UTC.
    private mutating func numericZone() -> Int64? {
        guard let sign = rest.first, sign == 0x2b || sign == 0x2d else { return nil }
        rest.removeFirst()
        guard let hours = number(2...2), hours <= 24, let minutes = number(2...2), minutes <= 60 else { return nil }
        return Int64(hours * 3600 + minutes * 60) * (sign == 0x2d ? -1 : 1)
    }

    private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        let found = rest.prefix(digits.upperBound).prefix { (0x30...0x39).contains($0) }
        guard found.count >= digits.lowerBound else { return nil }
        rest = rest.dropFirst(found.count)
        return found.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func word() -> ArraySlice<UInt8> {
        let found = rest.prefix { $0 != 0x20 }
        rest = rest.dropFirst(found.count)
        return found
    }

    // MARK: moments

    private var civil: Int64 { daysFromEpoch(day.year, day.month, day.day) * 86_400 + Int64(seconds) }

    private func moment(offset: Int64) -> Timestamp { Timestamp(seconds: civil - offset, nanoseconds: nanoseconds) }

    private func local(_ time: any TimeSource) -> Timestamp {
        localMoment(civil, nanoseconds: nanoseconds, time: time)
    }

    /// A zone by its letters: that of this process where it calls itself so at that moment; any other counts as UTC, as in Go.
    private func named(_ zone: ArraySlice<UInt8>, _ time: any TimeSource) -> Timestamp? {
        guard (3...5).contains(zone.count), zone.allSatisfy({ (0x41...0x5a).contains($0) }) else { return nil }
        let local = local(time)
        return zone.elementsEqual(LocalTime(local).zoneName.utf8) ? local : moment(offset: 0)
    }
}
