import Bytes
package import Outcome

/// The printed form of a kit: numbered lines that `KitReader` reads back, and between them words for people.
///
/// One repository is one page: a form feed stands in front of each.
package enum KitPage {
    /// The text of the kit.
    package static func text(_ kit: RecoveryKit) -> Secret { Secret(lines(kit).joined(separator: "\n").utf8 + [0x0a]) }

    /// The text of a sealed kit.
    package static func text(_ sealed: SealedKit) -> Secret {
        var numbering = KitNumbering(total: sealed.lines.count + 1)
        var lines = ["RECOVERY KIT of the lab \"\(KitValue.printed(sealed.lab))\", sealed", ""]
        for line in sealed.lines { lines.append(numbering.text(line)) }
        lines.append(numbering.end())
        lines += KitSteps.opening(sealed)
        return Secret(lines.joined(separator: "\n").utf8 + [0x0a])
    }

    /// All lines of text.
    static func lines(_ kit: RecoveryKit) -> [String] {
        let sections = kit.sections
        var numbering = KitNumbering(total: sections.reduce(1) { $0 + $1.lines.count })
        var lines = KitSteps.head(kit)
        for (index, section) in sections.enumerated() {
            if index > 0 { lines.append(section.repository == nil ? "" : "\u{0c}") }
            for line in section.lines { lines.append(numbering.text(line)) }
            if let repository = section.repository { lines += KitSteps.steps(repository, of: kit) }
        }
        lines.append(numbering.end())
        return lines
    }
}
