/// Base64 with the standard alphabet and padding (RFC 4648 section 4), as Go writes byte strings in JSON.
package enum Base64 {
    /// Four characters for each three bytes, padded with `=`.
    package static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var held = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            guard held == 3 else { continue }
            text.append(character(group >> 18))
            text.append(character(group >> 12))
            text.append(character(group >> 6))
            text.append(character(group))
            group = 0
            held = 0
        }
        switch held {
        case 1: text += [character(group >> 2), character(group << 4), pad, pad]
        case 2: text += [character(group >> 10), character(group >> 4), character(group << 2), pad]
        default: break
        }
        return text
    }

    /// The bytes of canonical text; nil for foreign characters, line breaks, missing padding or stray bits at the end.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var held = 0
        var padding = 0
        for character in text {
            if character == pad {
                padding += 1
            } else {
                guard padding == 0, let value = value(of: character) else { return nil }
                group = group << 6 | value
                held += 1
            }
            guard held + padding == 4 else { continue }
            guard append(group, held: held, to: &bytes) else { return nil }
            guard padding == 0 else {
                // Padding ends the text.
                return padding <= 2 && bytes.count == text.count / 4 * 3 - padding ? bytes : nil
            }
            group = 0
            held = 0
        }
        return bytes
    }

    private static func append(_ group: UInt32, held: Int, to bytes: inout [UInt8]) -> Bool {
        switch held {
        case 4:
            bytes.append(UInt8(truncatingIfNeeded: group >> 16))
            bytes.append(UInt8(truncatingIfNeeded: group >> 8))
            bytes.append(UInt8(truncatingIfNeeded: group))
            return true
        case 3:
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
            return group & 3 == 0
        case 2:
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
            return group & 15 == 0
        default: return false
        }
    }

    private static let pad = UInt8(ascii: "=")

    private static func character(_ bits: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: bits & 63)
        return switch value {
        case 0..<26: 65 + value
        case 26..<52: 71 + value
        case 52..<62: value - 4
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 65...90: UInt32(character - 65)
        case 97...122: UInt32(character - 71)
        case 48...57: UInt32(character + 4)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
