package import KitFormat
package import Outcome

/// What can go wrong with a recovery kit.
package enum KitCode: String, FailureCode {
    /// The text is no kit, or lines of it are wrong.
    case text = "E-KIT"
    /// The file that would be written exists, or lies where a kit must not.
    case place = "E-OCCUPIED"
    /// The passphrase is another one, or too short.
    case passphrase = "E-PASSPHRASE"
    /// Something that belongs into it cannot be had.
    case incomplete = "E-KIT-INCOMPLETE"
    /// It does not open what it names.
    case opensNot = "E-KIT-OPENS-NOT"
    /// A repository that it names is not where it says, or cannot be reached.
    case away = "E-KIT-AWAY"

    package var exitStatus: ExitStatus {
        switch self {
        case .text, .opensNot: .kitFailed
        case .place: .refusedByGuard
        case .passphrase: .wrongPassword
        case .incomplete: .failed
        case .away: .incomplete
        }
    }
}

package typealias KitFailure = Failure<KitCode>

extension KitFailure {
    /// The problems of a text as one failure, one a line.
    package init(_ error: KitTextError, object: String) {
        let lines = error.problems.map { problem in
            let number = problem.line.map { "line \($0)" } ?? "the whole"
            let place = problem.textLine.map { " (line \($0) of the text)" } ?? ""
            return "\(number)\(place) \(problem.what)"
        }
        let isMany = lines.count > 1
        self.init(
            .text,
            operation: "read kit",
            object: object,
            what: isMany
                ? "has \(lines.count) lines that are wrong:\n" + lines.map { "  \($0)" }.joined(separator: "\n")
                : lines[0],
            state: "nothing was opened and nothing was changed",
            next: "compare \(isMany ? "these lines" : "it") with the paper, letter by letter, and correct the text"
        )
    }
}
