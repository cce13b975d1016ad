/// Reads a span of the calendar as restic writes it: `1y6m14d12h`, where `m` is a month.
///
/// Units in the order y, m, d, h, each at most once. Bounds: more than nothing, 10,000 of a unit.
package func readCalendarSpan(_ text: String) throws(NotationError) -> KeepDuration {
    let advice = "write y, m, d and h in that order: 14d, 6m, 1y6m"
    var span = KeepDuration()
    var rest = text[...]
    var last = -1
    repeat {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let amount = Int64(digits), amount <= 10_000, let unit = rest.dropFirst(digits.count).first,
            let order = Array("ymdh").firstIndex(of: unit), order > last
        else { throw NotationError("\"\(printable(text))\" is no span of the calendar", next: advice) }
        switch unit {
        case "y": span.years = amount
        case "m": span.months = amount
        case "d": span.days = amount
        default: span.hours = amount
        }
        last = order
        rest = rest.dropFirst(digits.count + 1)
    } while !rest.isEmpty
    guard span != .zero else { throw NotationError("\"\(printable(text))\" is no time at all", next: advice) }
    return span
}
