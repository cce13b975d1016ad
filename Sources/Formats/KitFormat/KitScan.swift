/// Finds the numbered lines of a text, and proves each.
struct KitScan {
    /// A line as it was found.
    private struct Found {
        var textLine: Int
        /// As typed.
        var number: Int
        /// Behind the number; without its group where it has one.
        var words: [String]
        var check: String
    }

    /// Lines without a number, blanks collapsed, empty ones left out.
    private(set) var words: [(line: Int, text: String)] = []
    private var found: [Found] = []
    private var problems: [KitProblem] = []
    private var proven: [KitLine] = []
    /// How the letters of the secret whose lines follow may be; several where its heading is wrong.
    private var letters = [LetterCase.asPrinted]

    init(_ text: String) {
        for (index, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var parts = blankSeparated(String(Substring(line)))
            guard let first = parts.first else { continue }
            guard first.utf8.count <= 5, first.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(first)
            else {
                words.append((index + 1, parts.joined(separator: " ")))
                continue
            }
            parts.removeFirst()
            let check = parts.popLast() ?? ""
            found.append(Found(textLine: index + 1, number: number, words: parts, check: check.asciiUppercased))
        }
    }

    /// The lines in their order, without the one that ends the kit.
    ///
    /// Errors: every line that is wrong, missing, or there twice.
    mutating func lines() throws(KitTextError) -> [KitLine] {
        guard found.count <= KitLimits.lines else { throw KitTextError("has more lines than any kit") }
        guard !found.isEmpty else { throw KitTextError("has no line of a recovery kit: none begins with a number") }
        var expected = 1
        for (index, line) in found.enumerated() {
            if problems.count >= KitLimits.problems { break }
            if index > 0, line.number == found[index - 1].number, line.words == found[index - 1].words {
                report(line.number, line, "stands there twice")
                continue
            }
            expected = accept(line, expected: expected)
            if proven.last?.key == .end, index < found.count - 1, problems.isEmpty {
                throw KitTextError("is followed by further lines", line: line.number)
            }
        }
        if proven.last?.key != .end, problems.isEmpty {
            problems.append(KitProblem(line: expected, what: "is missing: the kit ends before its last line"))
        }
        guard problems.isEmpty else { throw KitTextError(problems) }
        return try withoutEnd()
    }

    /// Returns the number of the line that follows.
    private mutating func accept(_ line: Found, expected: Int) -> Int {
        // Where a line is missing it may be the heading.
        if line.number != expected { letters = LetterCase.allCases }
        let readings = letters.compactMap { KitLine(line.words, $0) }
        guard let usual = readings.first else {
            letters = LetterCase.allCases
            report(expected, line, "is not of the form NUMBER KEY: VALUE GROUP, with a key that this program knows")
            return expected + 1
        }
        if let read = readings.first(where: { line.check == $0.check(line.number) }) {
            note(read)
            guard line.number >= expected else {
                report(line.number, line, "stands there twice, or in the wrong place")
                return expected
            }
            for missing in expected..<line.number where problems.count < KitLimits.problems {
                problems.append(KitProblem(line: missing, what: "is missing"))
            }
            proven.append(read)
            return line.number + 1
        }
        if let read = readings.first(where: { line.check == $0.check(expected) }) {
            note(read)
            report(expected, line, "has another number in front, \(line.number)")
        } else {
            if usual.key.isHeading { letters = LetterCase.allCases }
            report(expected, line, "has a wrong letter, or its group at the end has")
        }
        return expected + 1
    }

    /// What the lines below will be read with.
    private mutating func note(_ line: KitLine) {
        guard line.key.isHeading else { return }
        let heading = line.value.split(separator: ", ").suffix(2).joined(separator: ", ")
        letters = [PackedSecret.readHeading(heading)?.letters ?? .asPrinted]
    }

    private mutating func report(_ number: Int, _ line: Found, _ what: String) {
        problems.append(KitProblem(line: number, textLine: line.textLine, what: what))
    }

    private func withoutEnd() throws(KitTextError) -> [KitLine] {
        let lines = Array(proven.dropLast())
        guard let end = proven.last,
            end.value.asciiUppercased == "\(proven.count) lines, sum \(kitSum(lines))".asciiUppercased
        else {
            throw KitTextError("each line is right by itself, but together they are not what was printed")
        }
        return lines
    }
}

extension KitLine {
    /// Reads the words behind the number; nil where no key is known.
    init?(_ words: [String], _ letters: LetterCase) {
        let text = words.joined(separator: " ")
        guard let colon = text.utf8.firstIndex(of: 0x3a),
            let key = Key(rawValue: String(text[..<colon]).asciiLowercased.trimmedOfBlanks)
        else { return nil }
        let rest = String(text[text.utf8.index(after: colon)...]).trimmedOfBlanks
        self.init(key, rest)
        guard key.isPacked else { return }
        let packed = rest.split(separator: " ").joined()
        switch key {
        case .id: value = packed.asciiLowercased
        case .salt, .data: value = packed.asciiUppercased
        default: value = letters.folded(packed)
        }
    }
}

extension String {
    fileprivate var trimmedOfBlanks: String { collapsed(self) }
}
