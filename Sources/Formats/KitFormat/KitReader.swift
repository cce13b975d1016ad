package import Outcome

/// What is wrong with one line of a kit.
package struct KitProblem: Sendable, Hashable {
    /// The number of the line on the paper; nil: no single one.
    package var line: Int?
    /// Which line of the text it is, from 1; nil: it is not there.
    package var textLine: Int?
    package var what: String

    package init(line: Int?, textLine: Int? = nil, what: String) {
        self.line = line
        self.textLine = textLine
        self.what = what
    }
}

/// Why a text is not taken for a kit: all lines that are wrong, as far as they can be told.
package struct KitTextError: Error, Sendable, Hashable {
    package var problems: [KitProblem]

    init(_ problems: [KitProblem]) { self.problems = problems }

    init(_ what: String, line: Int? = nil) { problems = [KitProblem(line: line, what: what)] }
}

/// What a text turned out to be.
package enum KitReading: Sendable {
    /// `strange` are lines of text without a number that this program would not print there.
    case open(RecoveryKit, strange: [Int])
    case sealed(SealedKit)
}

/// Reads the text of a kit, as printed or as typed from paper.
///
/// 1. Lines that do not begin with a number are words for people, and may be left out. 2. Every numbered line is proven by its group, all of
/// them together by the sum at the end; nothing is guessed. 3. How many blanks there are makes no difference, nor do capitals in
/// keys, in groups, and in secrets that have letters of one kind.
package enum KitReader {
    /// Errors: all lines that are wrong.
    package static func read(_ text: Secret) throws(KitTextError) -> KitReading {
        guard text.count <= KitLimits.textBytes else { throw KitTextError("is larger than any kit") }
        var scan = KitScan(text.withBytes { String(decoding: $0, as: UTF8.self) })
        let lines = try scan.lines()
        guard let first = lines.first, first.key == .version else {
            throw KitTextError("does not begin with the line \"holdfast kit\"", line: 1)
        }
        var builder = KitBuilder(lines)
        switch first.value {
        case "1":
            let kit = try builder.kit()
            let known = Set(KitPage.lines(kit).map(collapsed))
            return .open(kit, strange: scan.words.filter { !known.contains($0.text) }.map(\.line))
        case "1 sealed": return .sealed(try builder.sealed())
        default: throw KitTextError("was made by a later version of this program", line: 1)
        }
    }
}

/// With single blanks between words.
func collapsed(_ text: String) -> String { blankSeparated(text).joined(separator: " ") }

/// The words of a line, whatever kinds of blanks lie between them.
func blankSeparated(_ text: String) -> [String] {
    text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map { String(Substring($0)) }
}
