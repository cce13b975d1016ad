import Bytes

/// Names inside trees: Go's `strconv.Quote` without the outer quotes.
package enum GoQuote {
    /// True when the name needs no quoting and no JSON escapes: plain ASCII letters, digits and harmless signs.
    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// The name as it stands in a tree document, before the JSON escapes.
    package static func quote(_ name: [UInt8]) -> [UInt8] {
        if name.allSatisfy({ isPlain($0) }) { return name }
        var output: [UInt8] = []
        output.reserveCapacity(name.count + 8)
        var index = 0
        while index < name.count {
            let length = utf8Length(name, at: index)
            if length == 0 {
                escapeByte(name[index], &output)
                index += 1
            } else if length == 1 {
                quoteASCII(name[index], &output)
                index += 1
            } else {
                quoteScalar(name[index..<index + length], &output)
                index += length
            }
        }
        return output
    }

    private static func quoteASCII(_ byte: UInt8, _ output: inout [UInt8]) {
        if isPlain(byte) { return output.append(byte) }
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 7: output.append(UInt8(ascii: "a"))
        case 8: output.append(UInt8(ascii: "b"))
        case 12: output.append(UInt8(ascii: "f"))
        case 10: output.append(UInt8(ascii: "n"))
        case 13: output.append(UInt8(ascii: "r"))
        case 9: output.append(UInt8(ascii: "t"))
        case 11: output.append(UInt8(ascii: "v"))
        default:
            output.removeLast()
            escapeByte(byte, &output)
        }
    }

    private static func escapeByte(_ byte: UInt8, _ output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        output.append(UInt8(ascii: "x"))
        appendHexByte(byte, to: &output)
    }

    private static func quoteScalar(_ bytes: ArraySlice<UInt8>, _ output: inout [UInt8]) {
        guard let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first else { return }
        if isPrintable(scalar) { return output.append(contentsOf: bytes) }
        output.append(UInt8(ascii: "\\"))
        let wide = scalar.value > 0xffff
        output.append(wide ? UInt8(ascii: "U") : UInt8(ascii: "u"))
        for shift in stride(from: wide ? 24 : 8, through: 0, by: -8) {
            appendHexByte(UInt8(truncatingIfNeeded: scalar.value >> UInt32(shift)), to: &output)
        }
    }

    /// Go's `unicode.IsPrint` with Unicode 15.0 for a scalar above ASCII: letters, marks, numbers, punctuation, symbols.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age, (age.major, age.minor) <= (15, 0) else { return false }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark,
            .decimalNumber, .letterNumber, .otherNumber,
            .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation,
            .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            return true
        default:
            return false
        }
    }

    /// Undoes `quote`, all of Go's escapes included; nil when it is no quoted text.
    package static func unquote(_ text: [UInt8]) -> [UInt8]? {
        guard text.contains(UInt8(ascii: "\\")) else {
            return text.contains(UInt8(ascii: "\"")) || text.contains(10) ? nil : text
        }
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\"") || byte == 10 { return nil }
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                continue
            }
            guard index < text.count, unescape(text, &index, &output) else { return nil }
        }
        return output
    }

    private static func unescape(_ text: [UInt8], _ index: inout Int, _ output: inout [UInt8]) -> Bool {
        let code = text[index]
        index += 1
        switch code {
        case UInt8(ascii: "a"): output.append(7)
        case UInt8(ascii: "b"): output.append(8)
        case UInt8(ascii: "f"): output.append(12)
        case UInt8(ascii: "n"): output.append(10)
        case UInt8(ascii: "r"): output.append(13)
        case UInt8(ascii: "t"): output.append(9)
        case UInt8(ascii: "v"): output.append(11)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): output.append(code)
        case UInt8(ascii: "x"):
            guard let value = hex(text, &index, 2) else { return false }
            output.append(UInt8(value))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            guard let value = hex(text, &index, code == UInt8(ascii: "u") ? 4 : 8), Unicode.Scalar(value) != nil else {
                return false
            }
            appendUTF8(value, to: &output)
        case 48...55:
            guard index + 2 <= text.count, (48...55).contains(text[index]), (48...55).contains(text[index + 1]) else {
                return false
            }
            let value = UInt32(code - 48) * 64 + UInt32(text[index] - 48) * 8 + UInt32(text[index + 1] - 48)
            index += 2
            guard value < 256 else { return false }
            output.append(UInt8(value))
        default: return false
        }
        return true
    }

    private static func hex(_ text: [UInt8], _ index: inout Int, _ count: Int) -> UInt32? {
        guard index + count <= text.count else { return nil }
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = hexDigit(text[index]) else { return nil }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
