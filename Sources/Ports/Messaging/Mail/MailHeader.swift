import Bytes

/// One line of a mail's head, folded where it is long.
///
/// 1. A value is one line of ASCII that no reader takes for an encoded one, or encoded words (RFC 2047); so nothing of it starts a header (S-09).
/// 2. No line has more than 76 bytes, but for an address that alone has more.
enum MailHeader {
    private static let lineBytes = 76
    private static let opening = "=?UTF-8?B?"
    private static let closing = "?="

    /// `Subject: …` with its line end.
    static func text(_ name: String, _ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { (0x20...0x7e).contains($0) } && !value.contains("=?")
        if isPlain, name.utf8.count + 2 + value.utf8.count <= lineBytes { return "\(name): \(value)\r\n" }
        return "\(name): \(encodedWords(value, usedBytes: name.utf8.count + 2))\r\n"
    }

    /// `To: …`, one address on each line.
    static func addresses(_ name: String, _ addresses: [MailAddress]) -> String {
        let lines = addresses.map { address in
            guard !address.name.isEmpty else { return address.address }
            let isPlain = address.name.utf8.allSatisfy { byte in
                byte == 0x20 || (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a)
            }
            let phrase = isPlain ? address.name : encodedWords(address.name, usedBytes: name.utf8.count + 2)
            return "\(phrase)\r\n <\(address.address)>"
        }
        return "\(name): \(lines.joined(separator: ",\r\n "))\r\n"
    }

    /// Words of whole characters, each on a line of its own.
    private static func encodedWords(_ value: String, usedBytes: Int) -> String {
        var words: [String] = []
        var word: [UInt8] = []
        var room = wordBytes(usedBytes)
        for scalar in value.unicodeScalars {
            let bytes = Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            if word.count + bytes.count > room {
                words.append(opening + Base64.encode(word) + closing)
                word = []
                room = wordBytes(1)
            }
            word += bytes
        }
        words.append(opening + Base64.encode(word) + closing)
        return words.joined(separator: "\r\n ")
    }

    /// Bytes whose Base64 fits on a line that has some already; a word has 75 at most.
    private static func wordBytes(_ usedBytes: Int) -> Int {
        (min(75, lineBytes - usedBytes) - opening.utf8.count - closing.utf8.count) / 4 * 3
    }
}
