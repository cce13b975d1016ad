import Glibc

/// `value` with exactly `places` decimals, rounded as C does.
package func fixed(_ value: Double, _ places: Int) -> String {
    withVaList([Int32(places), value]) { arguments in
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
            let count = vsnprintf(buffer.baseAddress, buffer.count, "%.*f", arguments)
            return String(decoding: buffer[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

/// `1.657 KiB`: binary units, three decimals from KiB on.
package func formatBytes(_ count: UInt64) -> String {
    let units: [(UInt64, String)] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    for (size, name) in units where count >= size {
        return "\(fixed(Double(count) / Double(size), 3)) \(name)"
    }
    return "\(count) B"
}

/// `12.30%`, at most 100; empty when the whole is 0.
package func formatPercent(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "" }
    return fixed(min(100, 100 * Double(part) / Double(whole)), 2) + "%"
}

/// `M:SS`, or `H:MM:SS` from an hour on.
package func formatSeconds(_ seconds: UInt64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    return hours > 0 ? "\(hours):\(twoDigits(minutes)):\(twoDigits(rest))" : "\(minutes):\(twoDigits(rest))"
}

/// A number with at least two digits.
package func twoDigits(_ value: some BinaryInteger) -> String {
    (value < 10 ? "0" : "") + String(value)
}

/// Blanks added on the left up to `width` characters.
package func padLeft(_ value: some CustomStringConvertible, _ width: Int) -> String {
    let text = value.description
    return String(repeating: " ", count: max(0, width - text.utf8.count)) + text
}

/// Blanks added on the right up to `width` characters.
package func padRight(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.utf8.count))
}
