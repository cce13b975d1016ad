/// Text in lines of at most 76 bytes of ASCII (RFC 2045 section 6.7).
enum QuotedPrintable {
    private static let lineBytes = 76
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Lines of `text` end in LF, those of the result in CR LF, the last one too.
    static func encode(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines { append(line, to: &result) }
        return result
    }

    private static func append(_ line: Substring.UTF8View, to result: inout [UInt8]) {
        var used = 0
        let last = line.indices.last
        for index in line.indices {
            let piece = piece(line[index], isLast: index == last)
            // One byte is kept for the sign that the line goes on.
            if used + piece.count > (index == last ? lineBytes : lineBytes - 1) {
                result += "=\r\n".utf8
                used = 0
            }
            result += piece
            used += piece.count
        }
        result += "\r\n".utf8
    }

    /// Blanks at the end of a line are lost on the way, unless they are encoded.
    private static func piece(_ byte: UInt8, isLast: Bool) -> [UInt8] {
        switch byte {
        case UInt8(ascii: " "), 9: isLast ? escaped(byte) : [byte]
        case UInt8(ascii: "="): escaped(byte)
        case 0x21...0x7e: [byte]
        default: escaped(byte)
        }
    }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
