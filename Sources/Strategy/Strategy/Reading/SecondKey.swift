internal import Yams

/// Finds where a key stands for the second time, which the YAML parser does not tell: it names the first alone.
///
/// In a copy of the text each key that is refused gets another name, until the rest is read; then both stand in one table.
/// Bounds: `attempts` readings of the file. Nil where that does not lead to it.
struct SecondKey {
    private static let attempts = 8
    private static let prefixLength = 8

    /// From 1.
    struct Spot: Comparable {
        var line: Int
        var column: Int

        static func < (left: Spot, right: Spot) -> Bool { (left.line, left.column) < (right.line, right.column) }
    }

    private var lines: [[Unicode.Scalar]]
    /// Where a prefix was put in, each by the columns of then.
    private var changes: [Spot] = []

    init(_ text: String) {
        lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
    }

    /// The second place of a key whose first is known.
    mutating func find(_ key: String, first: Spot) -> Spot? {
        var (refused, spot) = (key, first)
        for number in 0..<Self.attempts {
            guard rename(refused, at: spot, by: prefix(number)) else { return nil }
            do {
                let text = String(String.UnicodeScalarView(lines.joined(separator: CollectionOfOne("\n"))))
                guard let root = try Parser(yaml: text).singleRoot() else { return nil }
                return table(in: root, with: prefix(0) + key).flatMap { second(key, in: $0) }
            } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
                guard let next = duplicates.first else { return nil }
                (refused, spot) = (next, Spot(line: context.mark.line, column: context.mark.column))
            } catch {
                return nil
            }
        }
        return nil
    }

    private func prefix(_ number: Int) -> String { "twice-\(number)-" }

    private mutating func rename(_ key: String, at spot: Spot, by prefix: String) -> Bool {
        guard lines.indices.contains(spot.line - 1), lines[spot.line - 1].indices.contains(spot.column - 1) else {
            return false
        }
        let isQuoted = ["\"", "'"].contains(lines[spot.line - 1][spot.column - 1])
        let index = spot.column - (isQuoted ? 0 : 1)
        guard lines[spot.line - 1][index...].starts(with: key.unicodeScalars) else { return false }
        lines[spot.line - 1].insert(contentsOf: prefix.unicodeScalars, at: index)
        changes.append(Spot(line: spot.line, column: index + 1))
        return true
    }

    private func table(in node: Node, with key: String) -> Node.Mapping? {
        switch node {
        case .mapping(let mapping):
            if mapping.contains(where: { $0.key.string == key }) { return mapping }
            return mapping.lazy.compactMap { table(in: $0.value, with: key) }.first
        case .sequence(let sequence): return sequence.lazy.compactMap { table(in: $0, with: key) }.first
        case .scalar, .alias: return nil
        }
    }

    private func second(_ key: String, in mapping: Node.Mapping) -> Spot? {
        let names = [key] + (1..<Self.attempts).map { prefix($0) + key }
        return mapping.compactMap { entry in
            guard let name = entry.key.string, names.contains(name) else { return nil }
            return entry.key.mark.map { original(Spot(line: $0.line, column: $0.column)) }
        }.min()
    }

    /// The place in the text as it came.
    private func original(_ spot: Spot) -> Spot {
        changes.reversed().reduce(spot) { spot, change in
            guard spot.line == change.line, spot.column > change.column else { return spot }
            return Spot(line: spot.line, column: spot.column - Self.prefixLength)
        }
    }
}
