/// Values on paper: what cannot be seen or typed is written as `\xHH`, byte by byte.
///
/// Blanks stand alone and never at an end, so that how many a person types makes no difference.
enum KitValue {
    /// As it is printed.
    static func printed(_ text: String) -> String {
        var shown = ""
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let isLoneBlank =
                scalar == " " && index > 0 && index < scalars.count - 1 && scalars[index - 1] != " "
                && scalars[index + 1] != " "
            if isLoneBlank || isPlain(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                for byte in String(scalar).utf8 { shown += "\\x" + hex(byte) }
            }
        }
        return shown
    }

    /// Whether it can be seen, told from others, and typed.
    static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar != "\\", !scalar.properties.isWhitespace, !scalar.properties.isDefaultIgnorableCodePoint else {
            return false
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = Array("0123456789abcdef")
        return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
    }

    /// What a printed value stands for; nil for a backslash that stands for nothing.
    static func read(_ shown: String) -> String? {
        let source = Array(shown.utf8)
        var bytes: [UInt8] = []
        var position = 0
        while position < source.count {
            guard source[position] == 0x5c else {
                bytes.append(source[position])
                position += 1
                continue
            }
            guard position + 3 < source.count, source[position + 1] | 0x20 == 0x78,
                let high = digit(source[position + 2]), let low = digit(source[position + 3])
            else { return nil }
            bytes.append(high << 4 | low)
            position += 4
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// A printed value in pieces that fit on lines; none begins or ends with a blank.
    static func pieces(_ shown: String, width: Int = 56) -> [String] {
        var rest = Array(shown.unicodeScalars)[...]
        var pieces: [String] = []
        while rest.count > width {
            var cut = rest.startIndex + width
            while cut > rest.startIndex + 1, rest[cut - 1] == " " || rest[cut] == " " { cut -= 1 }
            pieces.append(text(rest[..<cut]))
            rest = rest[cut...]
        }
        return pieces + [text(rest)]
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }
}
