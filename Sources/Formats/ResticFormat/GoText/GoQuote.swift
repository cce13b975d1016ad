package import Bytes

/// Go's `strconv.Quote` without the outer quotes, in which restic writes file names, and the way back.
///
/// A double quote and a backslash get a backslash; control characters and bytes that are not UTF-8 become `\a`..`\v` or `\xhh`;
/// runes outside Go's printable table (`GoPrintable`) become `\uhhhh` or `\Uhhhhhhhh`; everything else stays.
package enum GoQuote {
    /// The quoted form of `name`, without the outer quotes.
    package static func quote(_ name: ByteString) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(name.count)
        name.bytes.withUnsafeBytes { appendQuoted($0, to: &output) }
        return output
    }

    /// `name` unchanged when every character prints, otherwise quoted with its outer quotes, as restic shows paths on a terminal.
    package static func forTerminal(_ name: ByteString) -> ByteString {
        if name.bytes.withUnsafeBytes(isPrintable) { return name }
        return ByteString([doubleQuote] + quote(name) + [doubleQuote])
    }

    /// The bytes behind a quoted form, or nil when Go's `strconv.Unquote` would refuse it.
    package static func unquote(_ text: [UInt8]) -> ByteString? {
        lend(text) { unquote($0) }
    }

    private static let doubleQuote = UInt8(ascii: "\"")

    private static func isPrintable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            let (scalar, width) = decodeScalar(bytes, at: index)
            if scalar == invalidScalar || scalar == 0xfffd || !GoPrintable.contains(scalar) { return false }
            index &+= width
        }
        return true
    }

    private static func appendQuoted(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let (scalar, width) = decodeScalar(bytes, at: index)
            let isLiteral = scalar != 0x22 && scalar != 0x5c && scalar != invalidScalar && GoPrintable.contains(scalar)
            if isLiteral {
                for position in index..<(index &+ width) { output.append(bytes[position]) }
            } else if scalar == invalidScalar {
                output.append(contentsOf: "\\x".utf8)
                appendHexDigits(UInt32(bytes[index]), count: 2, to: &output)
            } else {
                appendEscaped(scalar, to: &output)
            }
            index &+= width
        }
    }

    private static func appendEscaped(_ scalar: UInt32, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch scalar {
        case 0x22: output.append(UInt8(ascii: "\""))
        case 0x5c: output.append(UInt8(ascii: "\\"))
        case 0x07: output.append(UInt8(ascii: "a"))
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x0c: output.append(UInt8(ascii: "f"))
        case 0x0a: output.append(UInt8(ascii: "n"))
        case 0x0d: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0b: output.append(UInt8(ascii: "v"))
        case ..<0x80:
            output.append(UInt8(ascii: "x"))
            appendHexDigits(scalar, count: 2, to: &output)
        case ..<0x1_0000:
            output.append(UInt8(ascii: "u"))
            appendHexDigits(scalar, count: 4, to: &output)
        default:
            output.append(UInt8(ascii: "U"))
            appendHexDigits(scalar, count: 8, to: &output)
        }
    }

    /// `unquote` over lent bytes.
    static func unquote(_ text: UnsafeRawBufferPointer) -> ByteString? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            switch byte {
            case 0x22, 0x0a: return nil
            case 0x5c:
                guard let next = appendUnescaped(text, at: index &+ 1, to: &output) else { return nil }
                index = next
            case ..<0x80:
                output.append(byte)
                index &+= 1
            default:
                let (scalar, width) = decodeScalar(text, at: index)
                appendScalar(scalar, to: &output)
                index &+= width
            }
        }
        return ByteString(output)
    }

    /// Reads the escape whose letter stands at `index`; returns the index behind it, or nil when Go knows no such escape.
    private static func appendUnescaped(_ text: UnsafeRawBufferPointer, at index: Int, to output: inout [UInt8]) -> Int?
    {
        guard index < text.count else { return nil }
        switch text[index] {
        case UInt8(ascii: "a"): output.append(0x07)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0c)
        case UInt8(ascii: "n"): output.append(0x0a)
        case UInt8(ascii: "r"): output.append(0x0d)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "v"): output.append(0x0b)
        case UInt8(ascii: "\\"): output.append(0x5c)
        case UInt8(ascii: "\""): output.append(0x22)
        case UInt8(ascii: "x"):
            guard let value = number(text, at: index &+ 1, digits: 2) else { return nil }
            output.append(UInt8(truncatingIfNeeded: value))
            return index &+ 3
        case UInt8(ascii: "u"):
            guard let value = number(text, at: index &+ 1, digits: 4), isScalar(value) else { return nil }
            appendScalar(value, to: &output)
            return index &+ 5
        case UInt8(ascii: "U"):
            guard let value = number(text, at: index &+ 1, digits: 8), isScalar(value) else { return nil }
            appendScalar(value, to: &output)
            return index &+ 9
        case 0x30...0x37:
            guard let value = octal(text, at: index) else { return nil }
            output.append(value)
            return index &+ 3
        default: return nil
        }
        return index &+ 1
    }

    private static func isScalar(_ value: UInt32) -> Bool { value <= 0x10_ffff && value & 0xffff_f800 != 0xd800 }

    private static func number(_ text: UnsafeRawBufferPointer, at index: Int, digits: Int) -> UInt32? {
        guard text.count &- index >= digits else { return nil }
        var value: UInt32 = 0
        for position in index..<(index &+ digits) {
            guard let digit = hexDigitValue(text[position]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func octal(_ text: UnsafeRawBufferPointer, at index: Int) -> UInt8? {
        guard text.count &- index >= 3 else { return nil }
        var value: UInt32 = 0
        for position in index..<(index &+ 3) {
            guard case 0x30...0x37 = text[position] else { return nil }
            value = value << 3 | UInt32(text[position] &- 0x30)
        }
        return UInt8(exactly: value)
    }
}
