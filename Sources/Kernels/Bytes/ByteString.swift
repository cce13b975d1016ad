/// Bytes of a name, a path or another text of the operating system, which need not be UTF-8.
package struct ByteString: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ string: String) { bytes = Array(string.utf8) }

    package init(stringLiteral value: String) { bytes = Array(value.utf8) }

    package static func < (left: ByteString, right: ByteString) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// The text for a terminal: invalid UTF-8 and control characters as `\xNN`.
    package var display: String {
        var output = ""
        for character in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if character.value < 0x20 || (0x7f...0x9f).contains(character.value) {
                output += "\\x" + (character.value < 16 ? "0" : "") + String(character.value, radix: 16)
            } else {
                output.unicodeScalars.append(character)
            }
        }
        return output
    }

    package var description: String { display }
}
