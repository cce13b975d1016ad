/// Standard base64 with padding, as Go's `base64.StdEncoding` writes and reads it.
package enum GoBase64 {
    /// Appends the encoding of `bytes`, padded to a multiple of four characters.
    package static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var index = 0
        while index &+ 3 <= bytes.count {
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index &+ 1]) << 8 | UInt32(bytes[index &+ 2])
            for shift in [UInt32(18), 12, 6, 0] { output.append(character(group >> shift)) }
            index &+= 3
        }
        switch bytes.count &- index {
        case 1:
            let group = UInt32(bytes[index]) << 16
            output.append(character(group >> 18))
            output.append(character(group >> 12))
            output.append(padding)
            output.append(padding)
        case 2:
            let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index &+ 1]) << 8
            output.append(character(group >> 18))
            output.append(character(group >> 12))
            output.append(character(group >> 6))
            output.append(padding)
        default: break
        }
    }

    /// The encoding of `bytes`.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        bytes.withUnsafeBytes { append($0, to: &output) }
        return output
    }

    /// The bytes behind an encoding, or nil when it is not one.
    ///
    /// As lenient as Go: line breaks are skipped and the unused low bits before padding may be anything.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 4 * 3)
        var group: UInt32 = 0
        var filled = 0
        var paddings = 0
        for byte in text where byte != 0x0a && byte != 0x0d {
            if byte == padding {
                paddings &+= 1
                guard filled >= 2, filled &+ paddings <= 4 else { return nil }
                continue
            }
            guard paddings == 0, let value = value(of: byte) else { return nil }
            group = group << 6 | value
            filled &+= 1
            if filled == 4 {
                output.append(UInt8(truncatingIfNeeded: group >> 16))
                output.append(UInt8(truncatingIfNeeded: group >> 8))
                output.append(UInt8(truncatingIfNeeded: group))
                group = 0
                filled = 0
            }
        }
        switch (filled, paddings) {
        case (0, 0): break
        case (2, 2): output.append(UInt8(truncatingIfNeeded: group >> 4))
        case (3, 1):
            output.append(UInt8(truncatingIfNeeded: group >> 10))
            output.append(UInt8(truncatingIfNeeded: group >> 2))
        default: return nil
        }
        return output
    }

    private static let padding = UInt8(ascii: "=")

    @inline(__always)
    private static func character(_ value: UInt32) -> UInt8 {
        switch UInt8(truncatingIfNeeded: value) & 63 {
        case let v where v < 26: 0x41 &+ v
        case let v where v < 52: 0x61 &+ (v &- 26)
        case let v where v < 62: 0x30 &+ (v &- 52)
        case 62: 0x2b
        default: 0x2f
        }
    }

    @inline(__always)
    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 0x41...0x5a: UInt32(character &- 0x41)
        case 0x61...0x7a: UInt32(character &- 0x61) &+ 26
        case 0x30...0x39: UInt32(character &- 0x30) &+ 52
        case 0x2b: 62
        case 0x2f: 63
        default: nil
        }
    }
}
