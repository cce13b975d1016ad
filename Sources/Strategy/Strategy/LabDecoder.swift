/// Reads `holdfast.yaml`: strict, bounded, all problems at once.
///
/// `folder` is the absolute folder of the file, from which relative paths count. Unknown keys are refused with the
/// nearest known key and the line. Pure: nothing on disk is looked at.
package func decodeLab(_ bytes: [UInt8], folder: String) throws(StrategyProblems) -> Lab {
    let root: YAMLValue
    do {
        root = try readYAML(bytes)
    } catch {
        throw StrategyProblems(problems: [error])
    }
    var decoder = LabDecoder(folder: folder)
    let lab = decoder.lab(root)
    guard decoder.problems.isEmpty else {
        let ordered = decoder.problems.sorted { $0.line < $1.line }
        throw StrategyProblems(problems: Array(ordered.prefix(StrategyLimits.problems)))
    }
    return lab
}

/// Collects problems while it builds the value; where a problem was found, the value holds a placeholder.
private struct LabDecoder {
    let folder: String
    var problems: [StrategyProblem] = []

    init(folder: String) { self.folder = folder }

    mutating func lab(_ root: YAMLValue) -> Lab {
        let table = open(root, key: "", known: ["lab", "media", "repositories", "protect"])
        let name = text(table["lab"], key: "lab") ?? ""
        if !name.isEmpty { checkName(name, key: "lab", line: table.line(of: "lab")) }
        let media = entries(table["media"], key: "media").map { medium($0) }
        let repositories = entries(table["repositories"], key: "repositories").map { repository($0) }
        let protections = items(table["protect"], key: "protect").map { protection($0) }
        let lab = Lab(name: name, media: media, repositories: repositories, protections: protections)
        checkReferences(lab)
        return lab
    }

    private mutating func medium(_ entry: YAMLEntry) -> Medium {
        let key = "media.\(entry.key)"
        checkName(entry.key, key: key, line: entry.line)
        let table = open(entry.value, key: key, known: ["kind", "path"])
        let kindLine = table.line(of: "kind")
        let word = text(table["kind"], key: "\(key).kind") ?? MediumKind.internal.rawValue
        let kinds = MediumKind.allCases.map(\.rawValue)
        let kind = MediumKind(rawValue: word)
        if kind == nil {
            report(kindLine, "\(key).kind", "\"\(word)\" is no kind of medium", suggestion(for: word, among: kinds))
        } else if kind == .offsite {
            report(
                kindLine,
                "\(key).kind",
                "a folder on this machine is not off-site",
                "write stand-in for a rehearsal: it never counts as an off-site copy"
            )
        }
        let path = absolute(text(table["path"], key: "\(key).path") ?? "", key: "\(key).path", line: entry.line)
        return Medium(name: entry.key, kind: kind ?? .internal, path: path, line: entry.line)
    }

    private mutating func repository(_ entry: YAMLEntry) -> RepositoryDeclaration {
        let key = "repositories.\(entry.key)"
        checkName(entry.key, key: key, line: entry.line)
        let table = open(entry.value, key: key, known: ["medium", "password"])
        let medium = text(table["medium"], key: "\(key).medium") ?? ""
        let line = table.line(of: "password")
        let reference = text(table["password"], key: "\(key).password").map {
            secret($0, key: "\(key).password", line: line)
        }
        return RepositoryDeclaration(
            name: entry.key,
            medium: medium,
            password: reference ?? .environment("-"),
            line: entry.line
        )
    }

    private mutating func secret(_ word: String, key: String, line: Int) -> SecretReference {
        let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count == 2 && !parts[1].isEmpty) {
        case ("file", true): return .file(absolute(parts[1], key: key, line: line))
        case ("env", true): return .environment(parts[1])
        default:
            // The text itself is not shown: it may be a password that was pasted here.
            report(line, key, "is not a reference to a secret", "write \"file:PATH\" or \"env:NAME\"")
            return .environment("-")
        }
    }

    private mutating func protection(_ value: YAMLValue) -> HostProtection {
        let table = open(value, key: "protect", known: ["host", "to"])
        let hostLine = table.line(of: "host")
        let host = open(table["host"], key: "protect.host", known: ["paths", "exclude"])
        let paths = items(host["paths"], key: "protect.host.paths").compactMap { path($0) }
        let exclude = host["exclude"].isAbsent ? [] : items(host["exclude"], key: "protect.host.exclude")
        let patterns = exclude.compactMap { text($0, key: "protect.host.exclude") }
        let targets = items(table["to"], key: "protect.to").compactMap { text($0, key: "protect.to") }
        return HostProtection(paths: paths, exclude: patterns, repositories: targets, line: max(hostLine, value.line))
    }

    private mutating func path(_ value: YAMLValue) -> String? {
        guard let word = text(value, key: "protect.host.paths") else { return nil }
        return absolute(word, key: "protect.host.paths", line: value.line)
    }
}

// MARK: - What must hold between the parts

extension LabDecoder {
    private mutating func checkReferences(_ lab: Lab) {
        let media = lab.media.map(\.name)
        for repository in lab.repositories where !repository.medium.isEmpty && !media.contains(repository.medium) {
            report(
                repository.line,
                "repositories.\(repository.name).medium",
                "there is no medium \"\(repository.medium)\"",
                suggestion(for: repository.medium, among: media)
            )
        }
        let repositories = lab.repositories.map(\.name)
        for protection in lab.protections {
            for name in protection.repositories where !repositories.contains(name) {
                report(
                    protection.line,
                    "protect.to",
                    "there is no repository \"\(name)\"",
                    suggestion(for: name, among: repositories)
                )
            }
            checkOnce(protection.repositories, key: "protect.to", line: protection.line)
        }
        checkPaths(of: lab.media)
    }

    /// Two media in one folder, or one inside the other, would be one medium that is counted twice.
    private mutating func checkPaths(of media: [Medium]) {
        for (index, medium) in media.enumerated() where !medium.path.isEmpty {
            let clash = media[..<index].first {
                $0.path == medium.path || $0.path.hasPrefix(medium.path + "/") || medium.path.hasPrefix($0.path + "/")
            }
            guard let clash else { continue }
            report(
                medium.line,
                "media.\(medium.name).path",
                "shares its folder with medium \"\(clash.name)\"",
                "give each medium a folder of its own"
            )
        }
    }

    private mutating func checkOnce(_ names: [String], key: String, line: Int) {
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            report(line, key, "names \"\(name)\" twice", "keep one of them")
        }
    }
}

// MARK: - Shapes

extension LabDecoder {
    /// The entries of a table, and the line that stands for a key that is absent.
    private struct OpenTable {
        var entries: [YAMLEntry]
        var fallbackLine: Int

        subscript(_ key: String) -> YAMLValue {
            entries.first { $0.key == key }?.value ?? .absent(line: fallbackLine)
        }

        func line(of key: String) -> Int { entries.first { $0.key == key }?.line ?? fallbackLine }
    }

    private mutating func open(_ value: YAMLValue, key: String, known: [String]) -> OpenTable {
        guard case .table(let entries, let line) = value else {
            report(
                value.line,
                key,
                value.isAbsent ? "is missing" : "is \(value.shape), not a table of keys",
                "known keys: \(known.joined(separator: ", "))"
            )
            return OpenTable(entries: [], fallbackLine: value.line)
        }
        for entry in entries where !known.contains(entry.key) {
            report(entry.line, key, "unknown key \"\(printable(entry.key))\"", suggestion(for: entry.key, among: known))
        }
        return OpenTable(entries: entries, fallbackLine: line)
    }

    private mutating func entries(_ value: YAMLValue, key: String) -> [YAMLEntry] {
        guard case .table(let entries, _) = value, !entries.isEmpty else {
            report(value.line, key, "needs at least one entry `NAME: { … }`")
            return []
        }
        return entries
    }

    private mutating func items(_ value: YAMLValue, key: String) -> [YAMLValue] {
        guard case .list(let items, _) = value, !items.isEmpty else {
            report(value.line, key, "needs a list with at least one entry")
            return []
        }
        return items
    }

    private mutating func text(_ value: YAMLValue, key: String) -> String? {
        guard case .text(let text, let line) = value, !text.isEmpty else {
            report(value.line, key, value.isAbsent ? "is missing" : "is \(value.shape), not a text")
            return nil
        }
        guard !text.utf8.contains(0) else {
            report(line, key, "holds a zero byte")
            return nil
        }
        return text
    }

    private mutating func absolute(_ path: String, key: String, line: Int) -> String {
        guard !path.isEmpty else { return "" }
        guard !path.hasPrefix("~") else {
            report(line, key, "\"~\" is not expanded", "write the whole path")
            return path
        }
        let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private mutating func checkName(_ name: String, key: String, line: Int) {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard allowed, !name.hasPrefix("."), !name.hasPrefix("-"), name.utf8.count <= 64 else {
            report(line, key, "is not a name", "use up to 64 letters, digits, - _ . and start with a letter or digit")
            return
        }
    }

    private mutating func report(_ line: Int, _ key: String, _ what: String, _ next: String = "") {
        problems.append(StrategyProblem(line: line, key: key, what: what, next: next))
    }

    private func suggestion(for word: String, among known: [String]) -> String {
        if let near = nearestWord(to: word, among: known) { return "did you mean \"\(near)\"?" }
        return known.isEmpty ? "" : "known here: \(known.joined(separator: ", "))"
    }

    private func printable(_ word: String) -> String {
        String(
            String.UnicodeScalarView(word.unicodeScalars.prefix(64).map { $0.value < 32 || $0.value == 127 ? "?" : $0 })
        )
    }
}
