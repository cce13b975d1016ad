/// One thing wrong with `holdfast.yaml`, with its place and what to write instead.
package struct StrategyProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1; 0 when the file as a whole is meant.
    package var line: Int
    /// The key path, `media.usb-ssd.kind`; empty for the whole file.
    package var key: String
    package var what: String
    /// What the operator writes instead; may be empty.
    package var next: String

    package init(line: Int, key: String = "", what: String, next: String = "") {
        self.line = line
        self.key = key
        self.what = what
        self.next = next
    }

    /// One line for people: line, key, problem and remedy.
    package var description: String {
        var text = line > 0 ? "line \(line): " : ""
        if !key.isEmpty { text += "\(key): " }
        text += what
        return next.isEmpty ? text : "\(text); \(next)"
    }
}

/// All that is wrong with a file, in the order of its lines; never empty.
package struct StrategyProblems: Error, Sendable, Hashable {
    package var problems: [StrategyProblem]

    package init(problems: [StrategyProblem]) {
        precondition(!problems.isEmpty)
        self.problems = problems
    }
}
