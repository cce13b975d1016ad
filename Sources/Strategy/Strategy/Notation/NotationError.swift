/// Why a text is not the amount that it should be, in words behind "is", and what to write instead.
package struct NotationError: Error, Sendable, Hashable {
    package var what: String
    package var next: String

    package init(_ what: String, next: String) {
        self.what = what
        self.next = next
    }
}

/// A number with what stands behind it: `1.5` and `GiB`.
struct Quantity {
    /// The digits, without the point.
    var digits: UInt64
    /// 1, 10, 100 or 1000: what the digits are divided by.
    var divisor: UInt64
    /// Letters behind it, spaces between taken away.
    var unit: Substring

    /// Reads one quantity from the front of the text and takes it away, with the spaces around it.
    ///
    /// Bounds: 15 digits, three of them behind the point, so that a product with any unit is checked once. Nil where no number stands.
    static func take(_ text: inout Substring) -> Quantity? {
        text = text.drop { $0 == " " }
        let whole = text.prefix { $0.isASCII && $0.isNumber }
        guard !whole.isEmpty else { return nil }
        var rest = text[whole.endIndex...]
        var fraction: Substring = ""
        if rest.first == "." {
            fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard !fraction.isEmpty, fraction.count <= 3 else { return nil }
            rest = rest[fraction.endIndex...]
        }
        guard whole.count + fraction.count <= 15, let digits = UInt64(whole + fraction) else { return nil }
        rest = rest.drop { $0 == " " }
        let unit = rest.prefix { $0.isLetter || $0 == "/" }
        text = rest[unit.endIndex...].drop { $0 == " " }
        let divisor = [1, 10, 100, 1000][fraction.count] as UInt64
        return Quantity(digits: digits, divisor: divisor, unit: unit)
    }

    /// The amount in the smallest unit, rounded down; nil when it does not fit.
    func times(_ factor: UInt64) -> UInt64? {
        let (product, isOver) = digits.multipliedReportingOverflow(by: factor)
        return isOver ? nil : product / divisor
    }
}
