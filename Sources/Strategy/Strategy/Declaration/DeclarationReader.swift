import Bytes

/// The text of one file of a declaration.
package struct DeclarationFile: Sendable {
    /// As the operator knows it, for messages.
    package var name: String
    /// Absolute folder, from which relative paths count.
    package var folder: String
    package var bytes: [UInt8]

    /// Absolute.
    var path: String { "\(folder == "/" ? "" : folder)/\(name.split(separator: "/").last ?? "")" }

    package init(name: String, folder: String, bytes: [UInt8]) {
        self.name = name
        self.folder = folder
        self.bytes = bytes
    }
}

/// What the reader of a declaration asks from outside.
package struct DeclarationRules {
    /// Brings an included file by its absolute path; asked at most `StrategyLimits.includes` times.
    package var load: (String) throws(StrategyProblem) -> DeclarationFile
    /// What is wrong with an exclude pattern; nil: nothing.
    package var patternProblem: (String) -> String?
    /// Whether the machine knows a time zone of that name.
    package var isKnownZone: (String) -> Bool
    /// What is wrong with a template; nil: nothing.
    package var templateProblem: (String) -> String?

    package init(
        load: @escaping (String) throws(StrategyProblem) -> DeclarationFile,
        patternProblem: @escaping (String) -> String?,
        isKnownZone: @escaping (String) -> Bool = { _ in true },
        templateProblem: @escaping (String) -> String? = { _ in nil }
    ) {
        self.load = load
        self.patternProblem = patternProblem
        self.isKnownZone = isKnownZone
        self.templateProblem = templateProblem
    }
}

/// Reads a declaration: strict, bounded, all problems at once.
///
/// Unknown keys are refused with the nearest known key and the place. Pure but for `rules`: no other file is looked at.
package func readDeclaration(_ main: DeclarationFile, _ rules: DeclarationRules) throws(StrategyProblems) -> Lab {
    var reader = DeclarationReader(rules: rules)
    let parts = reader.parts(of: main)
    let whole = reader.whole(parts)
    guard reader.fitsSchema else { throw reader.refusal }
    // Names that dangle keep nobody from hearing of the rest.
    var builder = LabBuilder(root: whole)
    let lab = builder.lab()
    let problems = reader.problems + builder.problems
    guard problems.isEmpty else { throw StrategyProblems(problems, in: reader.files) }
    return lab
}

extension StrategyProblems {
    /// The first of them in the order of files and lines; never empty.
    init(_ problems: [StrategyProblem], in files: [String]) {
        let ordered = problems.sorted { left, right in
            let (first, second) = (files.firstIndex(of: left.place.file), files.firstIndex(of: right.place.file))
            return first == second ? left.place < right.place : (first ?? .max) < (second ?? .max)
        }
        self.init(problems: Array(ordered.prefix(StrategyLimits.problems)))
    }
}

/// Joins the files of a declaration into one table that fits the schema.
private struct DeclarationReader {
    let rules: DeclarationRules
    var problems: [StrategyProblem] = []
    /// Names of the files, in the order in which they are read.
    private(set) var files: [String] = []
    /// All but the names fits, so that a lab can be built of it.
    private(set) var fitsSchema = false

    init(rules: DeclarationRules) { self.rules = rules }

    var refusal: StrategyProblems { StrategyProblems(problems, in: files) }

    /// The main file and those that it includes, in order; included ones include nothing themselves.
    mutating func parts(of main: DeclarationFile) -> [DeclaredTable] {
        guard let first = table(of: main, as: labSchema) else { return [] }
        var parts = [first]
        let includes = first["include"]?.items ?? []
        var seen: Set<String> = []
        for include in includes.prefix(StrategyLimits.includes) {
            guard include.text != main.path else {
                report(include.place, "include", "names this file itself", "remove it")
                continue
            }
            guard seen.insert(include.text).inserted else {
                report(include.place, "include", "names \"\(printable(include.text))\" twice", "keep one of them")
                continue
            }
            do throws(StrategyProblem) {
                let file = try rules.load(include.text)
                if let table = table(of: file, as: includedSchema) { parts.append(table) }
            } catch {
                report(include.place, "include", error.what, error.next)
            }
        }
        if includes.count > StrategyLimits.includes {
            report(
                first.place(of: "include"),
                "include",
                "names more than \(StrategyLimits.includes) files",
                "join some of them"
            )
        }
        return parts
    }

    private mutating func table(of file: DeclarationFile, as schema: TableShape) -> DeclaredTable? {
        files.append(file.name)
        do throws(StrategyProblem) {
            let root = try readYAML(file.bytes, file: file.name)
            var reader = SchemaReader(folder: file.folder, rules: rules)
            let value = reader.read(root, as: .table(schema), key: "", isPart: true)
            problems += reader.problems
            return value?.table
        } catch {
            problems.append(error)
            return nil
        }
    }

    /// One table of all parts: lists follow each other, and a name stands once.
    mutating func whole(_ parts: [DeclaredTable]) -> DeclaredTable {
        var whole = DeclaredTable(entries: [], place: parts.first?.place ?? Place(file: ""))
        for entry in parts.flatMap(\.entries) {
            guard let index = whole.entries.firstIndex(where: { $0.key == entry.key }) else {
                whole.entries.append(entry)
                continue
            }
            whole.entries[index].value = joined(whole.entries[index].value, entry, labSchema.key(entry.key)?.shape)
        }
        for key in labSchema.keys where key.isRequired && whole[key.name] == nil && problems.isEmpty {
            report(whole.place, key.name, "is missing", key.remedy)
        }
        fitsSchema = problems.isEmpty
        checkReferences(in: .table(whole), as: .table(labSchema), key: "", root: whole)
        return whole
    }

    private mutating func joined(_ first: DeclaredValue, _ entry: DeclaredTable.Entry, _ shape: Shape?) -> DeclaredValue
    {
        switch (first, shape) {
        case (.list(let items, let place), .list):
            return .list(items + entry.value.items, place)
        case (.table(var table), .names):
            for named in entry.value.table.entries {
                if let twin = table.entries.first(where: { $0.key == named.key }) {
                    let key = "\(entry.key).\(named.key)"
                    report(named.place, key, "stands already at \(twin.place.text)", "give one of them another name")
                } else {
                    table.entries.append(named)
                }
            }
            return .table(table)
        default:
            report(entry.place, entry.key, "stands already at \(first.place.text)", "keep one of them")
            return first
        }
    }

    /// Finds names that nothing carries.
    private mutating func checkReferences(in value: DeclaredValue, as shape: Shape, key: String, root: DeclaredTable) {
        switch (value, shape) {
        case (.scalar(.text(let word), let place), .scalar(.reference(let target))):
            let known = root[target]?.table.entries.map(\.key) ?? []
            guard !known.contains(word) else { return }
            let advice = known.isEmpty ? "declare it below \(target)" : suggestion(for: word, among: known)
            report(place, key, "there is no \"\(printable(word))\" below \(target)", advice)
        case (.list(let items, _), .list(let shape)):
            for item in items { checkReferences(in: item, as: shape, key: key, root: root) }
        case (.table(let table), .names(let shape)):
            for entry in table.entries {
                checkReferences(in: entry.value, as: shape, key: "\(key).\(entry.key)", root: root)
            }
        case (.table(let table), .table(let shape)):
            for entry in table.entries {
                guard let known = shape.key(entry.key) else { continue }
                let path = key.isEmpty ? entry.key : "\(key).\(entry.key)"
                checkReferences(in: entry.value, as: known.shape, key: path, root: root)
            }
        default: break
        }
    }

    private mutating func report(_ place: Place, _ key: String, _ what: String, _ next: String) {
        problems.append(StrategyProblem(place, key: key, what: what, next: next))
    }
}

/// What an included file may hold: all but what is said once.
private let includedSchema = TableShape(
    labSchema.keys.filter { !["lab", "include", "time-zone", "state", "budget", "defaults"].contains($0.name) }
)
