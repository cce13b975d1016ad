/// Lower-case hexadecimal, as every name and identifier of the formats is written.
package enum Hex {
    /// Two digits for each byte.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var position = 0
            for byte in bytes {
                buffer[position] = digit(byte >> 4)
                buffer[position + 1] = digit(byte & 15)
                position += 2
            }
            return position
        }
    }

    /// The bytes of an even number of lower-case digits, or nil.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for character in text {
            guard let value = value(of: character) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }

    /// The bytes of an even number of lower-case digits, or nil.
    package static func decode(_ text: String) -> [UInt8]? { decode(text.utf8) }

    /// The value of one to sixteen lower-case digits, or nil; leading zeros are allowed.
    package static func number(_ text: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(text.count) else { return nil }
        var number: UInt64 = 0
        for character in text {
            guard let value = value(of: character) else { return nil }
            number = number << 4 | UInt64(value)
        }
        return number
    }

    /// Whether every character is a lower-case digit.
    package static func isHex(_ text: some Sequence<UInt8>) -> Bool { text.allSatisfy { value(of: $0) != nil } }

    /// The digit for the low four bits.
    @inlinable
    package static func digit(_ nibble: UInt8) -> UInt8 { nibble & 15 < 10 ? 48 + nibble & 15 : 87 + nibble & 15 }

    /// The value of one lower-case digit, or nil.
    @inlinable
    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: nil
        }
    }
}
