/// One thing wrong with a declaration, with its place and what to write instead.
package struct StrategyProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var place: Place
    /// The key path, `media.usb-ssd.kind`; empty for the whole file.
    package var key: String
    package var what: String
    /// What the operator writes instead; may be empty.
    package var next: String

    package init(_ place: Place, key: String = "", what: String, next: String = "") {
        self.place = place
        self.key = key
        self.what = what
        self.next = next
    }

    /// One line for people: place, key, problem and remedy.
    package var description: String {
        let subject = key.isEmpty ? "" : "\(key): "
        return "\(place.text): \(subject)\(what)" + (next.isEmpty ? "" : "; \(next)")
    }
}

/// All that is wrong with a declaration, in the order of its lines; never empty.
package struct StrategyProblems: Error, Sendable, Hashable, CustomStringConvertible {
    package var problems: [StrategyProblem]

    package init(problems: [StrategyProblem]) {
        precondition(!problems.isEmpty)
        self.problems = problems
    }

    /// One problem a line.
    package var description: String { problems.map(\.description).joined(separator: "\n  ") }
}
