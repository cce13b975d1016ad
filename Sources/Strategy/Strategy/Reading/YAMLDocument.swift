internal import Yams

/// A YAML value with its place, reduced to the three shapes that a declaration uses.
indirect enum YAMLValue {
    /// `isBare`: written without quotes, as numbers and truth values are.
    case text(String, isBare: Bool, Place)
    case list([YAMLValue], Place)
    case table([YAMLEntry], Place)
    /// Nothing stands behind the key.
    case empty(Place)

    var place: Place {
        switch self {
        case .text(_, _, let place), .list(_, let place), .table(_, let place), .empty(let place): place
        }
    }

    /// For messages: `a list`.
    var shape: String {
        switch self {
        case .text: "a text"
        case .list: "a list"
        case .table: "a table of keys"
        case .empty: "nothing"
        }
    }
}

/// One `key: value` of a table.
struct YAMLEntry {
    var key: String
    var place: Place
    var value: YAMLValue
}

/// Reads one YAML document into `YAMLValue`.
///
/// Bounds (L3, L5): size, nesting and entries are checked against `StrategyLimits` before and while reading. Anchors,
/// tags, several documents and keys that are not plain text are refused: a declaration that an operator reviews has one
/// way to say a thing, and no alias can blow up in memory.
func readYAML(_ bytes: [UInt8], file: String) throws(StrategyProblem) -> YAMLValue {
    let reader = YAMLReader(file: file)
    try reader.boundNesting(bytes)
    // Some editors begin a file with this mark, which says nothing in UTF-8.
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let content = bytes.starts(with: mark) ? bytes[mark.count...] : bytes[...]
    guard let text = String(validating: content, as: UTF8.self) else {
        throw StrategyProblem(reader.place(line: firstInvalidLine(bytes)), what: "is not UTF-8 text")
    }
    do {
        let parser = try Parser(yaml: text)
        // The reader holds its anchors weakly: while it lives, an anchored value can be told from a plain one.
        return try withExtendedLifetime(parser) {
            guard let root = try parser.singleRoot() else {
                throw StrategyProblem(reader.place(line: 1), what: "is empty", next: "start with `lab: NAME`")
            }
            return try reader.value(of: root)
        }
    } catch let error as YamlError {
        throw reader.problem(of: error, in: text)
    } catch let error as StrategyProblem {
        throw error
    } catch {
        throw StrategyProblem(reader.place(line: 0), what: "cannot be read as YAML: \(error)")
    }
}

/// Turns the nodes of one file into values with places in it.
private struct YAMLReader {
    let file: String

    func place(line: Int) -> Place { Place(file: file, line: line) }

    private func place(_ mark: Mark?) -> Place {
        Place(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0)
    }

    func value(of node: Node) throws(StrategyProblem) -> YAMLValue {
        let place = place(node.mark)
        switch node {
        case .scalar(let scalar):
            guard scalar.anchor == nil else { throw anchorProblem(place) }
            let isBare = scalar.style == .plain || scalar.style == .any
            if isBare, ["", "~", "null"].contains(scalar.string) { return .empty(place) }
            return .text(scalar.string, isBare: isBare, place)
        case .sequence(let sequence):
            guard sequence.anchor == nil else { throw anchorProblem(place) }
            guard sequence.count <= StrategyLimits.entries else { throw tooMany(place) }
            var items: [YAMLValue] = []
            for item in sequence { items.append(try value(of: item)) }
            return .list(items, place)
        case .mapping(let mapping):
            guard mapping.anchor == nil else { throw anchorProblem(place) }
            guard mapping.count <= StrategyLimits.entries else { throw tooMany(place) }
            return .table(try entries(of: mapping), place)
        case .alias:
            throw anchorProblem(place)
        }
    }

    private func entries(of mapping: Node.Mapping) throws(StrategyProblem) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        for (key, item) in mapping {
            guard case .scalar(let name) = key, !name.string.isEmpty else {
                throw StrategyProblem(place(key.mark), what: "a key must be a plain word")
            }
            entries.append(YAMLEntry(key: name.string, place: place(name.mark), value: try value(of: item)))
        }
        return entries
    }

    private func anchorProblem(_ place: Place) -> StrategyProblem {
        StrategyProblem(place, what: "anchors and aliases are not accepted", next: "write the value out")
    }

    private func tooMany(_ place: Place) -> StrategyProblem {
        StrategyProblem(place, what: "has more than \(StrategyLimits.entries) entries", next: "keep fewer")
    }

    private func isIndentedByTab(_ text: String, line: Int) -> Bool {
        let lines = text.split(separator: "\n", maxSplits: max(0, line), omittingEmptySubsequences: false)
        guard line >= 1, line <= lines.count else { return false }
        return lines[line - 1].prefix { $0 == " " || $0 == "\t" }.contains("\t")
    }

    func problem(of error: YamlError, in text: String) -> StrategyProblem {
        switch error {
        case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _), .composer(_, let what, let mark, _):
            StrategyProblem(
                place(mark),
                what: "is not YAML: \(what)",
                next: isIndentedByTab(text, line: mark.line)
                    ? "indent this line by blanks: YAML takes no tab" : "check indentation, quotes and brackets here"
            )
        case .duplicatedKeysInMapping(let duplicates, let context):
            twice(duplicates.first ?? "", context.mark, text)
        default:
            StrategyProblem(place(line: 0), what: "cannot be read as YAML: \(error)")
        }
    }

    /// At the second place, which is the one that was added as a rule.
    private func twice(_ key: String, _ mark: Mark, _ text: String) -> StrategyProblem {
        var search = SecondKey(text)
        let second = search.find(key, first: SecondKey.Spot(line: mark.line, column: mark.column))
        return StrategyProblem(
            second.map { Place(file: file, line: $0.line, column: $0.column) } ?? place(mark),
            what: "the key \"\(printable(key))\" stands twice" + (second == nil ? "" : ", first in line \(mark.line)"),
            next: "keep one of them"
        )
    }

    /// Refuses what would make the parser recurse deeply or expand aliases, by looking at bytes alone.
    func boundNesting(_ bytes: [UInt8]) throws(StrategyProblem) {
        guard bytes.count <= StrategyLimits.fileBytes else {
            throw StrategyProblem(
                place(line: 0),
                what: "is larger than \(StrategyLimits.fileBytes >> 20) MiB, where a declaration has a few KiB",
                next: "name the declaration itself; a very long one may stand in several files, named by include"
            )
        }
        var (line, depth, leading, isLeading) = (1, 0, 0, true)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                leading = 0
                isLeading = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                isLeading = false
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth = max(0, depth - 1)
                isLeading = false
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                if isLeading { leading += 1 }
            default:
                isLeading = false
            }
            if depth > StrategyLimits.flowDepth || leading > StrategyLimits.indentColumns {
                throw StrategyProblem(place(line: line), what: "is nested too deeply")
            }
        }
    }
}

private func firstInvalidLine(_ bytes: [UInt8]) -> Int {
    var line = 1
    for piece in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        if String(validating: piece, as: UTF8.self) == nil { return line }
        line += 1
    }
    return 0
}
