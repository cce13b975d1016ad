import Bytes
import HostSystem
import Protection
import Strategy

/// A line of the declaration as it stands, and as it should stand with another value.
struct DeclarationLine {
    /// `holdfast.yaml:12`.
    var place: String
    /// Nil when the file cannot be read again or is not as it was.
    var before: String?
    /// The line with the new value; only that, quoted, when the line is not known.
    var after: String

    /// Replaces the scalar at `place`; everything else of the line stays.
    init(_ place: Place, in declaration: DeclarationPlace, value: String) {
        let quoted = DeclarationTemplate.quoted(value)
        self.place = "\(place.file):\(place.line)"
        after = "password: \(quoted)"
        let path =
            place.file == declaration.name
            ? declaration.path : place.file.hasPrefix("/") ? place.file : "\(declaration.folder)/\(place.file)"
        guard let bytes = try? readFile(ByteString(path), limit: DeclarationPlace.bytesMax) else { return }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard place.line >= 1, place.line <= lines.count else { return }
        let line = lines[place.line - 1]
        // The parser counts characters from 1.
        guard place.column >= 1,
            let start = line.unicodeScalars.index(
                line.unicodeScalars.startIndex,
                offsetBy: place.column - 1,
                limitedBy: line.unicodeScalars.endIndex
            ),
            let end = Self.end(of: line[start...])
        else { return }
        before = String(line)
        let shown = Self.asWritten(value, like: line[start..<end], folder: splitPath(path).folder)
        after = "\(line[..<start])\(DeclarationTemplate.quoted(shown))\(line[end...])"
    }

    /// A relative path stays relative.
    private static func asWritten(_ value: String, like old: Substring, folder: String) -> String {
        let start = "file:\(folder)/"
        guard old.contains("file:"), !old.contains("file:/"), value.hasPrefix(start) else { return value }
        return "file:" + value.dropFirst(start.count)
    }

    /// Where a scalar of one line ends; nil when it does not end in it, or does not begin with it.
    private static func end(of text: Substring) -> Substring.Index? {
        guard let mark = text.first, mark == "\"" || mark == "'" else {
            // Behind these marks stands more than the scalar: a block of lines, an anchor, a tag.
            guard let mark = text.first, !">|&!".contains(mark) else { return nil }
            let plain = text.firstIndex { ",}]#".contains($0) } ?? text.endIndex
            var end = plain
            while end > text.startIndex, text[text.index(before: end)].isWhitespace { end = text.index(before: end) }
            return end > text.startIndex ? end : nil
        }
        var index = text.index(after: text.startIndex)
        while index < text.endIndex {
            if mark == "\"", text[index] == "\\" {
                index = text.index(after: index)
                guard index < text.endIndex else { return nil }
            } else if text[index] == mark {
                return text.index(after: index)
            }
            index = text.index(after: index)
        }
        return nil
    }
}
