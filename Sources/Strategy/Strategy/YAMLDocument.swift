internal import Yams

/// A YAML value with its line, reduced to the three shapes that `holdfast.yaml` uses.
indirect enum YAMLValue {
    case text(String, line: Int)
    case list([YAMLValue], line: Int)
    case table([YAMLEntry], line: Int)
    /// Nothing stands behind the key.
    case empty(line: Int)
    /// The key itself is not there; the line is that of the table.
    case absent(line: Int)

    var line: Int {
        switch self {
        case .text(_, let line), .list(_, let line), .table(_, let line), .empty(let line), .absent(let line): line
        }
    }

    /// For messages: `a list`.
    var shape: String {
        switch self {
        case .text: "a text"
        case .list: "a list"
        case .table: "a table of keys"
        case .empty, .absent: "nothing"
        }
    }

    var isAbsent: Bool {
        if case .absent = self { true } else { false }
    }
}

/// One `key: value` of a table.
struct YAMLEntry {
    var key: String
    var line: Int
    var value: YAMLValue
}

/// Reads one YAML document into `YAMLValue`.
///
/// Bounds (L3, L5): size, nesting and entries are checked against `StrategyLimits` before and while reading. Anchors,
/// tags, several documents and keys that are not plain text are refused: a declaration that an operator reviews has one
/// way to say a thing, and no alias can blow up in memory.
func readYAML(_ bytes: [UInt8]) throws(StrategyProblem) -> YAMLValue {
    try boundNesting(bytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw StrategyProblem(line: firstInvalidLine(bytes), what: "is not UTF-8 text")
    }
    do {
        let parser = try Parser(yaml: text)
        // The reader holds its anchors weakly: while it lives, an anchored value can be told from a plain one.
        return try withExtendedLifetime(parser) {
            guard let root = try parser.singleRoot() else {
                throw StrategyProblem(line: 1, what: "is empty", next: "start with `lab: NAME`")
            }
            return try value(of: root)
        }
    } catch let error as YamlError {
        throw problem(of: error)
    } catch let error as StrategyProblem {
        throw error
    } catch {
        throw StrategyProblem(line: 0, what: "cannot be read as YAML: \(error)")
    }
}

private func value(of node: Node) throws(StrategyProblem) -> YAMLValue {
    let line = node.mark?.line ?? 0
    switch node {
    case .scalar(let scalar):
        guard scalar.anchor == nil else { throw anchorProblem(line) }
        let isBare = scalar.style == .plain || scalar.style == .any
        if isBare, ["", "~", "null"].contains(scalar.string) { return .empty(line: line) }
        return .text(scalar.string, line: line)
    case .sequence(let sequence):
        guard sequence.anchor == nil else { throw anchorProblem(line) }
        guard sequence.count <= StrategyLimits.entries else { throw tooMany(line) }
        var items: [YAMLValue] = []
        for item in sequence { items.append(try value(of: item)) }
        return .list(items, line: line)
    case .mapping(let mapping):
        guard mapping.anchor == nil else { throw anchorProblem(line) }
        guard mapping.count <= StrategyLimits.entries else { throw tooMany(line) }
        var entries: [YAMLEntry] = []
        for (key, item) in mapping {
            guard case .scalar(let name) = key, !name.string.isEmpty else {
                throw StrategyProblem(line: key.mark?.line ?? line, what: "a key must be a plain word")
            }
            entries.append(YAMLEntry(key: name.string, line: name.mark?.line ?? line, value: try value(of: item)))
        }
        return .table(entries, line: line)
    case .alias:
        throw anchorProblem(line)
    }
}

private func anchorProblem(_ line: Int) -> StrategyProblem {
    StrategyProblem(line: line, what: "anchors and aliases are not accepted", next: "write the value out")
}

private func tooMany(_ line: Int) -> StrategyProblem {
    StrategyProblem(line: line, what: "has more than \(StrategyLimits.entries) entries")
}

/// Refuses what would make the parser recurse deeply or expand aliases, by looking at bytes alone.
private func boundNesting(_ bytes: [UInt8]) throws(StrategyProblem) {
    guard bytes.count <= StrategyLimits.fileBytes else {
        throw StrategyProblem(line: 0, what: "is larger than \(StrategyLimits.fileBytes >> 20) MiB")
    }
    var line = 1
    var depth = 0
    var leading = 0
    var isLeading = true
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
            throw StrategyProblem(line: line, what: "is nested too deeply")
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

private func problem(of error: YamlError) -> StrategyProblem {
    switch error {
    case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _), .composer(_, let what, let mark, _):
        StrategyProblem(
            line: mark.line,
            what: "is not YAML: \(what)",
            next: "check indentation, quotes and brackets here"
        )
    case .duplicatedKeysInMapping(let duplicates, let context):
        StrategyProblem(
            line: context.mark.line,
            what: "the key \(duplicates.map { "\"\($0)\"" }.joined(separator: ", ")) stands twice",
            next: "keep one of them"
        )
    default:
        StrategyProblem(line: 0, what: "cannot be read as YAML: \(error)")
    }
}
