package import Bytes

/// Reads a moment as people write it: `2026-11-20`, `2026-11-20 12:00`, `2026-11-20T12:00:05Z`; or `3d`, so long ago.
///
/// A day alone stands for its end, so that "the copy of that day" is the last one of it; likewise a minute and a second, so that a time that was
/// shown fits what it was shown for. Without a `Z` the clock is the one that `offset` tells, in
/// seconds east of UTC; where it is set back, the later of the two.
package func readMoment(
    _ text: String,
    now: Timestamp,
    offset: (Timestamp) -> Int32
) throws(NotationError) -> Timestamp {
    if !text.contains("-"), let length = try? readLength(text) {
        return Timestamp(seconds: now.seconds - length.components.seconds)
    }
    var reader = MomentReader(rest: text[...])
    guard let shown = reader.read() else {
        throw NotationError(
            "\"\(text)\" is no time",
            next: "write 2026-11-20, \"2026-11-20 12:00\", or 3d for three days ago"
        )
    }
    guard !reader.isUTC else { return endOfSecond(shown.seconds) }
    let first = shown.seconds - Int64(offset(Timestamp(seconds: shown.seconds)))
    return endOfSecond(shown.seconds - Int64(offset(Timestamp(seconds: first))))
}

private func endOfSecond(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds, nanoseconds: 999_999_999) }

private struct MomentReader {
    var rest: Substring
    var isUTC = false

    mutating func read() -> LocalTime? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            (1...12).contains(month), (1...CivilDate.daysInMonth(month, of: year)).contains(day)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard !rest.isEmpty else { return LocalTime(date, hour: 23, minute: 59, second: 59) }
        guard take(" ") || take("T"), let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60
        else { return nil }
        var second = 59
        if take(":") {
            guard let seconds = number(2), seconds < 60 else { return nil }
            second = seconds
        }
        isUTC = take("Z")
        return rest.isEmpty ? LocalTime(date, hour: hour, minute: minute, second: second) : nil
    }

    private mutating func number(_ digits: Int) -> Int? {
        let found = rest.prefix(digits)
        guard found.count == digits, found.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return Int(found)
    }

    private mutating func take(_ text: Character) -> Bool {
        guard rest.first == text else { return false }
        rest.removeFirst()
        return true
    }
}
