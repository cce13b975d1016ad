import Bytes
import Sealing

/// A part of a kit that stays together on paper.
struct KitSection {
    /// The lines of its values, which numbers go through from one section to the next.
    var lines: [KitLine]
    /// Nil: the head, or the secrets at the end.
    var repository: KitRepository?
}

extension RecoveryKit {
    /// The kit in lines, without the one that ends it.
    var sections: [KitSection] {
        var head = [KitLine(.version, "1")] + openLines + valueLines(.host, host)
        for account in accounts { head += valueLines(.account, account) }
        var sections = [KitSection(lines: head)]
        for repository in repositories {
            sections.append(KitSection(lines: repository.lines, repository: repository))
        }
        let others = secrets.flatMap { secretLines(.secret, $0) }
        if !others.isEmpty { sections.append(KitSection(lines: others)) }
        return sections
    }

    /// What may be read without a passphrase.
    var openLines: [KitLine] {
        valueLines(.lab, lab) + valueLines(.serial, serial) + valueLines(.made, made) + valueLines(.program, program)
            + holders.flatMap { valueLines(.holder, $0) }
    }
}

extension KitRepository {
    fileprivate var lines: [KitLine] {
        var lines = valueLines(.repository, name) + valueLines(.medium, medium) + valueLines(.kind, kind)
        lines += valueLines(.location, location)
        if let disk { lines += valueLines(.disk, disk) }
        if let id { lines += packedLines(.id, id, width: 32) }
        for workload in workloads { lines += valueLines(.workloads, workload) }
        lines += valueLines(.state, state)
        let packed = PackedSecret(password)
        lines += [KitLine(.password, packed.heading)] + packed.lines
        return lines + variables.flatMap { secretLines(.variable, $0) }
    }
}

/// A value on as many lines as it needs.
func valueLines(_ key: KitLine.Key, _ value: String) -> [KitLine] {
    KitValue.pieces(KitValue.printed(value)).enumerated().map { KitLine($0.offset == 0 ? key : .more, $0.element) }
}

private func secretLines(_ key: KitLine.Key, _ named: KitSecret) -> [KitLine] {
    let packed = PackedSecret(named.secret)
    return [KitLine(key, "\(named.name), \(packed.heading)")] + packed.lines
}

/// Puts numbers on lines.
struct KitNumbering {
    /// Digits of each number.
    let digits: Int
    private let total: Int
    private(set) var lines: [KitLine] = []

    /// For that many lines, the last one among them.
    init(total: Int) {
        self.total = total
        digits = max(2, String(total).utf8.count)
    }

    /// The next line as it is printed.
    mutating func text(_ line: KitLine) -> String {
        lines.append(line)
        return line.text(number: lines.count, digits: digits)
    }

    /// The line behind all others: how many there are, and one sum over them.
    mutating func end() -> String {
        precondition(lines.count == total - 1, "a kit has another number of lines than was said")
        return text(KitLine(.end, "\(total) lines, sum \(kitSum(lines))"))
    }
}

/// Eight characters over all lines, so that two wrong letters in one line do not pass.
func kitSum(_ lines: [KitLine]) -> String {
    var bytes = Array(lines.flatMap { Array("\($0.key.rawValue): \($0.value)\n".utf8) })
    defer { wipe(&bytes) }
    let digest = Array(Hex.decode(sha256(bytes).hex) ?? [])
    let text = KitCheck.characters(for: Array(digest.prefix(8)))
    return "\(text.prefix(4))-\(text.suffix(4))"
}
