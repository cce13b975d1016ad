package import Console
package import Outcome

/// A command line or a run that ends with words for the user and an exit status, in restic's wording.
package struct CommandFailure: Error, Sendable {
    package var message: Text
    package var status: ExitStatus

    /// A message as it stands: wrong usage, mostly.
    package init(_ message: Text, status: ExitStatus = .failed) {
        self.message = message
        self.status = status
    }

    /// A message after `Fatal: `.
    package static func fatal(_ message: Text, status: ExitStatus = .failed) -> CommandFailure {
        CommandFailure("Fatal: \(message)", status: status)
    }

    /// What a later version will do, refused by its name instead of ignored.
    package static func notYet(_ what: Text) -> CommandFailure {
        .fatal(
            "\(what) is not supported yet\n  state: nothing was read or changed\n  next:  use stock restic for it; both work on the same repository"
        )
    }
}
