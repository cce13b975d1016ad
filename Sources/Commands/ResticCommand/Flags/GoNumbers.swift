package import Bytes
import Console

/// Why Go's number parsers refuse a text; the words are Go's.
package struct NumberSyntax: Error, Hashable {
    enum Reason: String { case syntax = "invalid syntax", range = "value out of range" }
    var function: String
    var value: ByteString
    var reason: Reason

    var text: Text { "strconv.\(function): parsing \(quoted(value)): \(reason.rawValue)" }
}

/// `true` and `false` in the spellings that Go accepts.
func parseGoBool(_ value: ByteString) throws(NumberSyntax) -> Bool {
    switch value.display {
    case "1", "t", "T", "TRUE", "true", "True": return true
    case "0", "f", "F", "FALSE", "false", "False": return false
    default: throw NumberSyntax(function: "ParseBool", value: value, reason: .syntax)
    }
}

/// A signed number; `base` 0 takes the prefixes `0x`, `0o`, `0b`, `0` and underscores between digits.
package func parseGoInt(_ value: ByteString, base: Int = 0, bits: Int = 64) throws(NumberSyntax) -> Int64 {
    var digits = value.bytes[...]
    var isNegative = false
    if let first = digits.first, first == 0x2b || first == 0x2d {
        isNegative = first == 0x2d
        digits.removeFirst()
    }
    let magnitude: UInt64
    do { magnitude = try parseMagnitude(digits, base: base) } catch {
        throw NumberSyntax(function: "ParseInt", value: value, reason: error.reason)
    }
    let limit: UInt64 = 1 << UInt64(bits - 1)
    guard isNegative ? magnitude <= limit : magnitude < limit else {
        throw NumberSyntax(function: "ParseInt", value: value, reason: .range)
    }
    return isNegative ? Int64(truncatingIfNeeded: 0 &- magnitude) : Int64(magnitude)
}

/// An unsigned number, without a sign.
func parseGoUInt(_ value: ByteString, base: Int = 0, bits: Int = 64) throws(NumberSyntax) -> UInt64 {
    let magnitude: UInt64
    do { magnitude = try parseMagnitude(value.bytes[...], base: base) } catch {
        throw NumberSyntax(function: "ParseUint", value: value, reason: error.reason)
    }
    guard bits == 64 || magnitude >> UInt64(bits) == 0 else {
        throw NumberSyntax(function: "ParseUint", value: value, reason: .range)
    }
    return magnitude
}

/// A decimal fraction such as `12.5`, `1e3`; nil when it is none.
func parseGoFloat(_ value: ByteString) -> Double? {
    guard let first = value.bytes.first, first != 0x20, value.bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        return nil
    }
    return Double(value.display)
}

private struct MagnitudeSyntax: Error { var reason: NumberSyntax.Reason }

private func parseMagnitude(_ text: ArraySlice<UInt8>, base given: Int) throws(MagnitudeSyntax) -> UInt64 {
    var digits = text
    var base = given
    if given == 0 {
        base = 10
        if digits.count >= 3, digits.first == 0x30, let found = prefixBase(digits[digits.startIndex + 1]) {
            base = found
            digits = digits.dropFirst(2)
            if digits.first == 0x5f { digits.removeFirst() }
        } else if digits.count >= 2, digits.first == 0x30 {
            base = 8
            digits.removeFirst()
            if digits.first == 0x5f { digits.removeFirst() }
        }
        guard digits.last != 0x5f, !hasDoubleUnderscore(digits), digits.first != 0x5f else {
            throw MagnitudeSyntax(reason: .syntax)
        }
        digits = ArraySlice(digits.filter { $0 != 0x5f })
    }
    guard !digits.isEmpty else { throw MagnitudeSyntax(reason: .syntax) }
    var result: UInt64 = 0
    var isTooLarge = false
    for byte in digits {
        guard let digit = digitValue(byte), digit < base else { throw MagnitudeSyntax(reason: .syntax) }
        let (product, first) = result.multipliedReportingOverflow(by: UInt64(base))
        let (sum, second) = product.addingReportingOverflow(UInt64(digit))
        isTooLarge = isTooLarge || first || second
        result = sum
    }
    if isTooLarge { throw MagnitudeSyntax(reason: .range) }
    return result
}

private func hasDoubleUnderscore(_ digits: ArraySlice<UInt8>) -> Bool {
    zip(digits, digits.dropFirst()).contains { $0 == 0x5f && $1 == 0x5f }
}

private func prefixBase(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x78, 0x58: 16
    case 0x6f, 0x4f: 8
    case 0x62, 0x42: 2
    default: nil
    }
}

private func digitValue(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x61...0x7a: Int(byte) - 0x61 + 10
    case 0x41...0x5a: Int(byte) - 0x41 + 10
    default: nil
    }
}
