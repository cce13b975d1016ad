package import Bytes
import Console

/// A length of time in Go's notation: `5m`, `1h30m`, `1.5s`.
package struct GoDuration: Hashable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    private static let units: [(name: String, nanoseconds: UInt64)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Parses; the error's text is Go's.
    package static func parse(_ value: ByteString) throws(CommandFailure) -> GoDuration {
        let invalid = CommandFailure("time: invalid duration \(quoted(value))")
        var rest = value.bytes[...]
        var isNegative = false
        if let first = rest.first, first == 0x2b || first == 0x2d {
            isNegative = first == 0x2d
            rest.removeFirst()
        }
        if rest.elementsEqual([0x30]) { return GoDuration(nanoseconds: 0) }
        guard !rest.isEmpty else { throw invalid }
        var total: UInt64 = 0
        while !rest.isEmpty {
            let whole = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(whole.count)
            var fraction: ArraySlice<UInt8> = []
            if rest.first == 0x2e {
                rest.removeFirst()
                fraction = rest.prefix { (0x30...0x39).contains($0) }
                rest = rest.dropFirst(fraction.count)
            }
            guard !whole.isEmpty || !fraction.isEmpty else { throw invalid }
            let unitBytes = rest.prefix { $0 != 0x2e && !(0x30...0x39).contains($0) }
            rest = rest.dropFirst(unitBytes.count)
            guard !unitBytes.isEmpty else { throw CommandFailure("time: missing unit in duration \(quoted(value))") }
            guard let unit = units.first(where: { $0.name.utf8.elementsEqual(unitBytes) }) else {
                let name = ByteString(Array(unitBytes))
                throw CommandFailure("time: unknown unit \(quoted(name)) in duration \(quoted(value))")
            }
            guard let part = amount(whole, fraction, unit.nanoseconds) else { throw invalid }
            let (sum, isOver) = total.addingReportingOverflow(part)
            guard !isOver, sum <= 1 << 63 else { throw invalid }
            total = sum
        }
        if isNegative { return GoDuration(nanoseconds: Int64(truncatingIfNeeded: 0 &- total)) }
        guard let nanoseconds = Int64(exactly: total) else { throw invalid }
        return GoDuration(nanoseconds: nanoseconds)
    }

    private static func amount(_ whole: ArraySlice<UInt8>, _ fraction: ArraySlice<UInt8>, _ unit: UInt64) -> UInt64? {
        var total: UInt64 = 0
        for digit in whole {
            let (product, first) = total.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(digit - 0x30))
            guard !first, !second else { return nil }
            total = sum
        }
        let (scaled, isOver) = total.multipliedReportingOverflow(by: unit)
        guard !isOver else { return nil }
        var part = 0.0
        var scale = 1.0
        for digit in fraction {
            part = part * 10 + Double(digit - 0x30)
            scale *= 10
        }
        return scaled &+ UInt64(part * (Double(unit) / scale))
    }

    /// As Go prints it: `0s`, `250ms`, `1.5s`, `5m0s`, `1h0m0s`.
    package var description: String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        if magnitude == 0 { return "0s" }
        if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + decimal(magnitude, 1000) + "µs" }
        if magnitude < 1_000_000_000 { return sign + decimal(magnitude, 1_000_000) + "ms" }
        let seconds = magnitude / 1_000_000_000
        let rest = decimal(magnitude - seconds / 60 * 60_000_000_000, 1_000_000_000) + "s"
        if seconds < 60 { return sign + rest }
        let minutes = seconds / 60
        return minutes < 60 ? "\(sign)\(minutes)m\(rest)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(rest)"
    }

    /// Rounded to whole milliseconds, halves up.
    var roundedToMilliseconds: GoDuration {
        GoDuration(nanoseconds: (nanoseconds + 500_000) / 1_000_000 * 1_000_000)
    }

    private func decimal(_ value: UInt64, _ unit: UInt64) -> String {
        var digits = String(value % unit)
        digits = String(repeating: "0", count: String(unit).utf8.count - 1 - digits.utf8.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return digits.isEmpty ? String(value / unit) : "\(value / unit).\(digits)"
    }
}
