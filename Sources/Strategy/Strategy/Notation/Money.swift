/// An amount of money in the currency of its price table, exact to a billionth.
package struct Money: Sendable, Hashable, Comparable {
    package var billionths: UInt64

    package init(billionths: UInt64) { self.billionths = billionths }

    /// Reads `0.006` or `12`: digits, and at most nine behind a point.
    ///
    /// Bounds: below a billion.
    package init(_ text: String) throws(NotationError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        guard isNumber, parts.count <= 2, parts[0].utf8.count <= 9, parts.count == 1 || parts[1].utf8.count <= 9 else {
            throw NotationError(
                "\"\(printable(text))\" is no amount",
                next: "write a number such as 0.006, without a currency: that is the key \"currency\""
            )
        }
        let fraction = parts.count == 2 ? parts[1] : "0"
        let padded = fraction + String(repeating: "0", count: 9 - fraction.utf8.count)
        billionths = (UInt64(parts[0]) ?? 0) * 1_000_000_000 + (UInt64(padded) ?? 0)
    }

    package static func < (left: Money, right: Money) -> Bool { left.billionths < right.billionths }

    package static func + (left: Money, right: Money) -> Money {
        let (sum, isOver) = left.billionths.addingReportingOverflow(right.billionths)
        return Money(billionths: isOver ? .max : sum)
    }

    /// So many times this; more than fits is the most that fits.
    package static func * (price: Money, times: Double) -> Money {
        let product = (Double(price.billionths) * max(0, times)).rounded()
        return Money(billionths: product < 1.8e19 ? UInt64(product) : .max)
    }

    /// As it is read again: `0.006`.
    package var text: String {
        let (whole, rest) = billionths.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard rest > 0 else { return "\(whole)" }
        let digits = String(rest)
        var fraction = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }

    /// For people, to the hundredth: `1.10`; what is less is `<0.01`.
    package var rounded: String {
        guard billionths > 0 else { return "0.00" }
        guard billionths >= 10_000_000 else { return "<0.01" }
        let cents = billionths / 10_000_000 + (billionths % 10_000_000 >= 5_000_000 ? 1 : 0)
        let rest = cents % 100
        return "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
