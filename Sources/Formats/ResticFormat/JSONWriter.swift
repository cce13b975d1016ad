package import Bytes

/// Appends JSON exactly as Go's `encoding/json` does, since tree identifiers hash these bytes.
package enum JSONWriter {
    /// A quoted string; invalid UTF-8 becomes U+FFFD, HTML-sensitive characters are escaped.
    package static func string(_ text: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var index = 0
        var clean = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                if isPlain(byte) {
                    index += 1
                    continue
                }
                output.append(contentsOf: text[clean..<index])
                escape(byte, to: &output)
                index += 1
                clean = index
                continue
            }
            let length = utf8Length(text, at: index)
            if length == 0 {
                output.append(contentsOf: text[clean..<index])
                output.append(contentsOf: Array("\\ufffd".utf8))
                index += 1
                clean = index
                continue
            }
            // U+2028 and U+2029: E2 80 A8, E2 80 A9.
            if length == 3, byte == 0xe2, text[index + 1] == 0x80, text[index + 2] & 0xfe == 0xa8 {
                output.append(contentsOf: text[clean..<index])
                output.append(contentsOf: Array("\\u202".utf8))
                output.append(text[index + 2] == 0xa8 ? 0x38 : 0x39)
                index += 3
                clean = index
                continue
            }
            index += length
        }
        output.append(contentsOf: text[clean...])
        output.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "<")
            && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "&")
    }

    private static func escape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 8: output.append(UInt8(ascii: "b"))
        case 12: output.append(UInt8(ascii: "f"))
        case 10: output.append(UInt8(ascii: "n"))
        case 13: output.append(UInt8(ascii: "r"))
        case 9: output.append(UInt8(ascii: "t"))
        default:
            output.append(contentsOf: [UInt8(ascii: "u"), 48, 48])
            appendHexByte(byte, to: &output)
        }
    }

    /// An unsigned integer in decimal digits.
    package static func number(_ value: UInt64, to output: inout [UInt8]) {
        if value < 10 {
            output.append(48 + UInt8(value))
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { buffer in
            var rest = value
            var start = 20
            while rest > 0 {
                start -= 1
                buffer[start] = 48 + UInt8(rest % 10)
                rest /= 10
            }
            output.append(contentsOf: buffer[start..<20])
        }
    }

    /// A quoted RFC 3339 time.
    package static func time(_ time: ZonedTime, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        RFC3339.append(time, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// A quoted identifier of 64 hexadecimal digits.
    package static func digest(_ digest: Digest, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        digest.appendHex(to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Quoted bytes in standard base64 with padding.
    package static func base64(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: Base64.encode(bytes))
        output.append(UInt8(ascii: "\""))
    }

    /// A key and its colon.
    @inline(__always)
    package static func key(_ name: StaticString, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        output.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        output.append(UInt8(ascii: "\""))
        output.append(UInt8(ascii: ":"))
    }
}

func appendHexByte(_ byte: UInt8, to output: inout [UInt8]) {
    for nibble in [byte >> 4, byte & 15] { output.append(nibble < 10 ? 48 + nibble : 87 + nibble) }
}

/// Length of the valid UTF-8 sequence at `index`, or 0.
func utf8Length(_ text: [UInt8], at index: Int) -> Int {
    let first = text[index]
    func continuation(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xbf) -> Bool {
        index + offset < text.count && text[index + offset] >= low && text[index + offset] <= high
    }
    switch first {
    case 0x00...0x7f: return 1
    case 0xc2...0xdf: return continuation(1) ? 2 : 0
    case 0xe0: return continuation(1, 0xa0) && continuation(2) ? 3 : 0
    case 0xe1...0xec, 0xee, 0xef: return continuation(1) && continuation(2) ? 3 : 0
    case 0xed: return continuation(1, 0x80, 0x9f) && continuation(2) ? 3 : 0
    case 0xf0: return continuation(1, 0x90) && continuation(2) && continuation(3) ? 4 : 0
    case 0xf1...0xf3: return continuation(1) && continuation(2) && continuation(3) ? 4 : 0
    case 0xf4: return continuation(1, 0x80, 0x8f) && continuation(2) && continuation(3) ? 4 : 0
    default: return 0
    }
}
