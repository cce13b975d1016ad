import HostSystem

/// What is known about the three standard streams before the first byte is written.
package struct TerminalFacts: Sendable, Hashable {
    package var inputIsTerminal: Bool
    package var outputIsTerminal: Bool
    package var errorIsTerminal: Bool
    /// The cursor can be moved, so progress is drawn in place.
    package var canUpdateStatus: Bool
    /// Colours are wanted: a terminal, and `NO_COLOR` is empty.
    package var hasColor: Bool

    package init(
        inputIsTerminal: Bool = false,
        outputIsTerminal: Bool = false,
        errorIsTerminal: Bool = false,
        canUpdateStatus: Bool = false,
        hasColor: Bool = false
    ) {
        self.inputIsTerminal = inputIsTerminal
        self.outputIsTerminal = outputIsTerminal
        self.errorIsTerminal = errorIsTerminal
        self.canUpdateStatus = canUpdateStatus
        self.hasColor = hasColor
    }

    /// Asks the system about descriptors 0, 1 and 2; `term` and `noColor` are the environment's `TERM` and `NO_COLOR`.
    package static func current(term: String?, noColor: String?) -> TerminalFacts {
        let isDumb = term == nil || term == "" || term == "dumb"
        let output = Terminal.isTerminal(.standardOutput)
        let error = Terminal.isTerminal(.standardError)
        return TerminalFacts(
            inputIsTerminal: Terminal.isTerminal(.standardInput),
            outputIsTerminal: output,
            errorIsTerminal: error,
            canUpdateStatus: output && !isDumb,
            hasColor: error && !isDumb && (noColor ?? "").isEmpty
        )
    }

    /// Columns of the terminal behind standard output, 80 when it does not say.
    package static var outputColumns: Int { Terminal.width(.standardOutput) ?? 80 }

    /// True when the shell put this process into the background, where a status line would disturb the foreground.
    package static var isInBackground: Bool { !Terminal.isForeground(.standardOutput) }
}
