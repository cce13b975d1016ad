/// Holds the YAML of one file against the schema: finds all that is wrong, and reads what is right.
///
/// Pure. Where a problem was found there is no value; a table goes on with its other keys, so that all problems are found at once.
struct SchemaReader {
    /// Absolute folder of the file, from which relative paths count.
    let folder: String
    let rules: DeclarationRules
    private(set) var problems: [StrategyProblem] = []

    init(folder: String, rules: DeclarationRules) {
        self.folder = folder
        self.rules = rules
    }

    /// Reads a value; nil after a problem.
    ///
    /// `key` is its path for messages. `isPart`: of a declaration in several files, so that a missing key may stand in another one.
    mutating func read(_ value: YAMLValue, as shape: Shape, key: String, isPart: Bool = false) -> DeclaredValue? {
        switch shape {
        case .scalar(let shape): return scalar(value, shape, key)
        case .list(let item): return list(value, of: item, key)
        case .table(let table): return self.table(value, as: table, key, isPart: isPart)
        case .names(let shape): return names(value, of: shape, key)
        }
    }

    private mutating func table(_ value: YAMLValue, as shape: TableShape, _ key: String, isPart: Bool) -> DeclaredValue?
    {
        guard case .table(let entries, let place) = value else {
            let known = shape.keys.map(\.name).joined(separator: ", ")
            return refuse(value.place, key, "is \(value.shape), not a table of keys", "known keys: \(known)")
        }
        var table = DeclaredTable(entries: [], place: place)
        for entry in entries {
            guard let known = shape.key(entry.key) else {
                let words = suggestion(for: entry.key, among: shape.keys.map(\.name))
                refuse(entry.place, key, "unknown key \"\(printable(entry.key))\"", words)
                continue
            }
            guard let read = read(entry.value, as: known.shape, key: join(key, known.name)) else { continue }
            table.entries.append(DeclaredTable.Entry(key: known.name, place: entry.place, value: read))
        }
        let written = Set(entries.map(\.key))
        if !isPart { requireKeys(of: shape, written, place, key) }
        return .table(table)
    }

    private mutating func requireKeys(of shape: TableShape, _ written: Set<String>, _ place: Place, _ key: String) {
        for known in shape.keys where known.isRequired && !written.contains(known.name) {
            refuse(place, join(key, known.name), "is missing", known.remedy)
        }
        guard !shape.alternatives.isEmpty else { return }
        let found = shape.alternatives.filter(written.contains)
        let words = shape.alternatives.joined(separator: ", ")
        if found.isEmpty { refuse(place, key, "says nothing of what it is about", "write one of: \(words)") }
        if found.count > 1 {
            refuse(place, key, "has \(found.joined(separator: " and ")) at once", "write each as an entry of its own")
        }
    }

    private mutating func names(_ value: YAMLValue, of shape: Shape, _ key: String) -> DeclaredValue? {
        guard case .table(let entries, let place) = value, !entries.isEmpty else {
            return refuse(value.place, key, "needs at least one entry `NAME: …`", advice(key))
        }
        var table = DeclaredTable(entries: [], place: place)
        for entry in entries {
            let path = join(key, printable(entry.key))
            checkName(entry.key, path, entry.place)
            guard let read = read(entry.value, as: shape, key: path) else { continue }
            table.entries.append(DeclaredTable.Entry(key: entry.key, place: entry.place, value: read))
        }
        return .table(table)
    }

    private mutating func list(_ value: YAMLValue, of item: Shape, _ key: String) -> DeclaredValue? {
        switch value {
        case .list(let items, let place) where !items.isEmpty:
            let read = items.compactMap { self.read($0, as: item, key: key) }
            return read.count == items.count ? .list(read, place) : nil
        case .text(_, _, let place):
            guard case .scalar = item else {
                return refuse(place, key, "is \(value.shape), not a list", advice(key))
            }
            return read(value, as: item, key: key).map { .list([$0], place) }
        default:
            return refuse(value.place, key, "needs a list with at least one entry", advice(key))
        }
    }

    private func advice(_ key: String) -> String { keyExample(key).map { "write such as \($0)" } ?? "" }

    private mutating func scalar(_ value: YAMLValue, _ shape: ScalarShape, _ key: String) -> DeclaredValue? {
        let advice = shape.advice.isEmpty ? advice(key) : shape.advice
        if case .text("", _, let place) = value { return refuse(place, key, "is empty", advice) }
        guard case .text(let text, let isBare, let place) = value else {
            return refuse(value.place, key, "is \(value.shape), not \(shape.noun)", advice)
        }
        guard !text.utf8.contains(0) else { return refuse(place, key, "holds a zero byte", "type the value anew") }
        if case .pattern = shape, let problem = rules.patternProblem(text) {
            return refuse(
                place,
                key,
                "\"\(printable(text))\" is no pattern: \(problem)",
                "see the exclude patterns of restic"
            )
        }
        if case .template = shape, let problem = rules.templateProblem(text) {
            return refuse(place, key, "is no template: \(problem)", "see docs/manual/alarms.md")
        }
        do throws(NotationError) {
            let value = try shape.read(text, isBare: isBare, folder: folder)
            let zone: String? =
                switch value {
                case .text(let name) where shape.isTimeZone: name
                case .schedule(let schedule): schedule.zoneName
                default: nil
                }
            if let zone, !rules.isKnownZone(zone) {
                let next = "look into /usr/share/zoneinfo, or install tzdata"
                return refuse(place, key, "this machine knows no time zone \"\(printable(zone))\"", next)
            }
            return .scalar(value, place)
        } catch {
            return refuse(place, key, error.what, error.next)
        }
    }

    @discardableResult
    private mutating func refuse(_ place: Place, _ key: String, _ what: String, _ next: String = "") -> DeclaredValue? {
        problems.append(StrategyProblem(place, key: key, what: what, next: next))
        return nil
    }

    private mutating func checkName(_ name: String, _ key: String, _ place: Place) {
        guard !isName(name) else { return }
        refuse(place, key, "is not a name", "use up to 64 letters, digits, - _ . and start with a letter or digit")
    }

    private func join(_ key: String, _ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }
}

/// Whether a word can name a thing of the declaration, in paths and on the command line too.
package func isName(_ word: String) -> Bool {
    let isAllowed = word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
    return isAllowed && !word.isEmpty && !word.hasPrefix(".") && !word.hasPrefix("-") && word.utf8.count <= 64
}

/// What a misspelt word may have meant, or what there is.
package func suggestion(for word: String, among known: [String]) -> String {
    if let near = nearestWord(to: word, among: known) { return "did you mean \"\(near)\"?" }
    return known.isEmpty ? "" : "known here: \(known.joined(separator: ", "))"
}

/// A word of the file as it may be shown: bounded, without control characters.
package func printable(_ word: String) -> String {
    let scalars = word.unicodeScalars.prefix(64).map { $0.value < 32 || (127..<160).contains($0.value) ? "?" : $0 }
    return String(String.UnicodeScalarView(scalars))
}
