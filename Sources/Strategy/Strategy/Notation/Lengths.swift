/// Reads a length of time as people write it: `4h`, `90 min`, `1d 12h`, `1.5 days`.
///
/// Units are seconds to weeks, each once, larger ones first; `m` is a minute. Months and years have no fixed length and are refused, as is
/// a number without a unit. Bounds: more than nothing, at most a hundred years.
package func readLength(_ text: String) throws(NotationError) -> Duration {
    let example = "write a number with s, min, h, d or w: 90min, 4h, 1d 12h"
    var rest = text[...]
    var seconds: UInt64 = 0
    var smallest = UInt64.max
    repeat {
        guard let quantity = Quantity.take(&rest) else {
            throw NotationError("\"\(text)\" is no length of time", next: example)
        }
        guard !quantity.unit.isEmpty else { throw NotationError("\"\(text)\" has no unit", next: example) }
        guard let unit = lengthUnit(quantity.unit) else {
            throw NotationError(
                "\"\(quantity.unit)\" is no unit of time here",
                next: unitAdvice(quantity.unit) ?? example
            )
        }
        guard unit < smallest else {
            throw NotationError("\"\(text)\" has its units out of order", next: "each unit once, the larger ones first")
        }
        smallest = unit
        guard let part = quantity.times(unit), part <= lengthSecondsMax, seconds + part <= lengthSecondsMax else {
            throw NotationError("\"\(text)\" is longer than a hundred years", next: example)
        }
        seconds += part
    } while !rest.isEmpty
    guard seconds > 0 else { throw NotationError("\"\(text)\" is no time at all", next: example) }
    return .seconds(Int64(seconds))
}

/// A length of time in its largest whole units: `1d 12h`.
package func lengthText(_ length: Duration) -> String {
    var seconds = length.components.seconds
    guard seconds > 0 else { return "0s" }
    var parts: [String] = []
    for (unit, name) in [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")] as [(Int64, String)] where seconds >= unit {
        parts.append("\(seconds / unit)\(name)")
        seconds %= unit
    }
    return parts.joined(separator: " ")
}

/// A length for people, rounded down: `45 s`, `12 min`, `5 h`, `3 days`.
package func ageText(_ length: Duration) -> String {
    let seconds = max(0, length.components.seconds)
    switch seconds {
    case ..<120: return "\(seconds) s"
    case ..<7200: return "\(seconds / 60) min"
    case ..<172_800: return "\(seconds / 3600) h"
    default: return "\(seconds / 86_400) days"
    }
}

/// A hundred years.
private let lengthSecondsMax: UInt64 = 36_525 * 86_400

private func lengthUnit(_ word: Substring) -> UInt64? {
    switch word.lowercased() {
    case "s", "sec", "secs", "second", "seconds": 1
    case "m", "min", "mins", "minute", "minutes": 60
    case "h", "hr", "hrs", "hour", "hours": 3600
    case "d", "day", "days": 86_400
    case "w", "wk", "week", "weeks": 7 * 86_400
    default: nil
    }
}

private func unitAdvice(_ word: Substring) -> String? {
    switch word.lowercased() {
    case "mo", "month", "months", "y", "yr", "year", "years":
        "months and years have no fixed length: write days or weeks"
    case "ms", "us", "ns": "a second is the shortest time here"
    default: nil
    }
}
