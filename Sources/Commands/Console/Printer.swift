package import Bytes

/// How much a command says.
package enum Verbosity: Int, Sendable, Hashable, Comparable {
    case quiet, normal, verbose, detailed

    package static func < (left: Verbosity, right: Verbosity) -> Bool { left.rawValue < right.rawValue }
}

/// Messages of a command by importance; in JSON mode the words for people are dropped.
package struct Printer: Sendable {
    package let screen: Screen
    /// What the operator asked for.
    package let verbosity: Verbosity
    package let isJSON: Bool

    package init(screen: Screen, verbosity: Verbosity, isJSON: Bool) {
        self.screen = screen
        self.verbosity = verbosity
        self.isJSON = isJSON
    }

    private func says(_ level: Verbosity) -> Bool { !isJSON && verbosity >= level }

    /// To standard error, whatever the verbosity.
    package func error(_ text: Text) { screen.errorLine(text) }

    /// To standard output, whatever the verbosity: results.
    package func result(_ text: Text) { screen.line(text) }

    /// Unless `--quiet`.
    package func normal(_ text: @autoclosure () -> Text) {
        if says(.normal) { screen.line(text()) }
    }

    /// Unless `--quiet`, and only where a person looks.
    package func onTerminal(_ text: @autoclosure () -> Text) {
        if screen.facts.outputIsTerminal, says(.normal) { screen.line(text()) }
    }

    /// With `-v`.
    package func verbose(_ text: @autoclosure () -> Text) {
        if says(.verbose) { screen.line(text()) }
    }

    /// With `-vv`; many of them, so they are written together.
    package func detailed(_ text: @autoclosure () -> Text) {
        if says(.detailed) { screen.bulk(text()) }
    }

    /// A name as standard output may show it.
    package func name(_ name: ByteString) -> ByteString { screen.shown(name) }
}
