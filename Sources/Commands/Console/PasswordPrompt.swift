package import HostSystem
package import Outcome
import Synchronization

/// Asks a person for a password, or takes a line from a pipe.
package enum PasswordPrompt {
    private static let isOpenFlag = Atomic<Bool>(false)

    /// True while the terminal hides what is typed; whoever ends the process then calls `restoreTerminal` first.
    package static var isOpen: Bool { isOpenFlag.load(ordering: .acquiring) }

    /// Makes typing visible again.
    package static func restoreTerminal() { Terminal.restoreEcho(.standardInput) }

    /// Reads one line of standard input; on a terminal after asking on standard error, and without echo.
    ///
    /// Blocks its thread. Errors: the system's, when the input cannot be read or is longer than 64 KiB.
    package static func read(_ prompt: String, screen: Screen) throws(Errno) -> Secret {
        screen.flush()
        guard screen.facts.inputIsTerminal else {
            if screen.facts.outputIsTerminal { screen.line("reading repository password from stdin") }
            return try Terminal.readLine(.standardInput)
        }
        isOpenFlag.store(true, ordering: .releasing)
        defer { isOpenFlag.store(false, ordering: .releasing) }
        return try Terminal.readHidden(prompt: prompt, from: .standardInput, to: .standardError)
    }
}
