/// Texts as targets take them: names of guests and files stand in them, and those are not ours.
enum MessageText {
    /// One line without control characters and marks of direction, of at most so many bytes.
    static func oneLine(_ text: String, bytesMax: Int = MessagingLimits.titleBytes) -> String {
        var line = String.UnicodeScalarView()
        var isBlankOwed = false
        for scalar in text.unicodeScalars where !turnsDirection(scalar) {
            if isControl(scalar) || scalar == " " {
                isBlankOwed = !line.isEmpty
                continue
            }
            if isBlankOwed { line.append(" ") }
            isBlankOwed = false
            line.append(scalar)
            // What is cut below needs no more than this.
            if line.count > bytesMax { break }
        }
        return cut(String(line), bytesMax: bytesMax, notice: "…")
    }

    /// Lines that end in one line feed each; other control characters but the tab are shown as one that cannot be.
    static func lines(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var wasReturn = false
        for scalar in text.unicodeScalars {
            defer { wasReturn = scalar == "\r" }
            switch scalar {
            case "\n" where wasReturn: break
            case "\n", "\r": result.append("\n")
            case "\t": result.append(scalar)
            case _ where isControl(scalar) || turnsDirection(scalar): result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// The text, or what of its beginning fits together with the notice; cut between characters.
    ///
    /// **Bounds**: `weight` of each byte, one unless told, counts against `bytesMax`.
    static func cut(
        _ text: String,
        bytesMax: Int,
        notice: String,
        weight: (UInt8) -> Int = { _ in 1 }
    ) -> String {
        if text.utf8.reduce(0, { $0 + weight($1) }) <= bytesMax { return text }
        var left = bytesMax - notice.utf8.reduce(0) { $0 + weight($1) }
        var end = text.startIndex
        for index in text.indices {
            left -= text[index].utf8.reduce(0) { $0 + weight($1) }
            if left < 0 { break }
            end = text.index(after: index)
        }
        return text[..<end] + notice
    }

    /// The last line of a text that was cut.
    static func cutNotice(_ text: String, bytesMax: Int) -> String {
        "\n[cut here: the text has \(text.utf8.count) bytes, and \(bytesMax) are taken]"
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func turnsDirection(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
