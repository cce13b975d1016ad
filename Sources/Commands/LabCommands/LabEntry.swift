import ArgumentParser
package import Bytes
package import Console
import HostSystem
import Outcome

/// The version that our own verbs name.
package let holdfastVersion = "0.1.0"

/// Runs one of the strategy's verbs and returns the exit status; `arguments` are those behind the program's name.
///
/// Help and versions go to standard output and end in 0; a usage error ends in 1, as everywhere in this program.
package func runLab(arguments: [ByteString]) async -> Int32 {
    let facts = TerminalFacts.current(term: environmentText("TERM"), noColor: environmentText("NO_COLOR"))
    return await runLab(arguments: arguments.map(\.escapedText), screen: Screen(facts: facts))
}

/// As `runLab(arguments:)`, on a screen that the caller chose; arguments are texts as `ByteString.escapedText` makes them.
package func runLab(arguments: [String], screen: Screen) async -> Int32 {
    let json = JSONErrors.areWanted(by: arguments) ? JSONErrors(screen: screen) : nil
    let status = await performed(arguments, screen, json)
    screen.flush()
    // Who stops reading has seen enough; what could not be written is missing in a file.
    guard status == ExitStatus.success.rawValue, let lost = screen.outputFailure, lost.kind != .brokenPipe else {
        return status
    }
    let message = "what this command printed could not be written whole: \(lost)"
    if let json { json.show(message, .failed) } else { screen.errorLine(Text(message)) }
    return ExitStatus.failed.rawValue
}

private func performed(_ arguments: [String], _ screen: Screen, _ json: JSONErrors?) async -> Int32 {
    do {
        var command = try HoldfastVerbs.parseAsRoot(arguments)
        if let verb = command as? any LabVerb {
            if !(verb is any FileNamingVerb) { try refuseOtherBytes(arguments) }
            return try await verb.perform(on: screen)
        }
        try command.run()
        return ExitStatus.success.rawValue
    } catch is CancellationError {
        screen.setStatus([])
        let message = "interrupted; nothing half-done is visible, run it again"
        if let json { json.show(message, .interrupted) } else { screen.errorLine(Text(message)) }
        return ExitStatus.interrupted.rawValue
    } catch let failure as any ReportableFailure {
        screen.setStatus([])
        let report = FailureReport(
            failure,
            fallbackState: "earlier snapshots are not touched",
            fallbackNext: "mend the cause and run the same command again"
        )
        if let json { json.show(failure, report) } else { screen.errorLine(Text(report.text)) }
        return report.exitStatus.rawValue
    } catch {
        return ended(error, arguments, screen, json)
    }
}

/// Errors: `E-DECLARATION` for an argument that is not UTF-8.
func refuseOtherBytes(_ arguments: [String]) throws {
    guard let argument = arguments.first(where: ByteString.holdsEscapes) else { return }
    throw LabFailure(
        .declaration,
        operation: "read",
        object: ByteString(escapedText: argument).display,
        what: "is not UTF-8, as all that belongs to a declaration is",
        state: "nothing was changed",
        next: "give the file or folder another name, or reach it by a link with one"
    )
}

/// What the argument parser wants to say: help, version, or a usage error.
private func ended(_ error: any Error, _ arguments: [String], _ screen: Screen, _ json: JSONErrors?) -> Int32 {
    screen.setStatus([])
    var message = HoldfastVerbs.fullMessage(for: error)
    if message.contains("USAGE:"), HoldfastVerbs.exitCode(for: error).isSuccess {
        let examples = examples(of: arguments)
        message += "\n\nEXAMPLES:\n" + examples.map { "  \($0)" }.joined(separator: "\n")
    }
    guard HoldfastVerbs.exitCode(for: error).isSuccess else {
        if let json { json.show(message, .failed) } else { screen.errorLine(Text(message)) }
        return ExitStatus.failed.rawValue
    }
    screen.line(Text(message))
    return ExitStatus.success.rawValue
}

/// The examples of the verb that the arguments name, shown at the end of its help.
private func examples(of arguments: [String]) -> [String] {
    var command: any ParsableCommand.Type = HoldfastVerbs.self
    for argument in arguments {
        let next = command.configuration.subcommands.first { $0.configuration.commandName == argument }
        command = next ?? command
    }
    let verbs = [command] + command.configuration.subcommands
    return verbs.compactMap { ($0 as? any ExampledCommand.Type)?.examples }.first ?? []
}

/// A command whose help ends in examples.
protocol ExampledCommand {
    static var examples: [String] { get }
}

/// A verb that works asynchronously and chooses its exit status.
protocol LabVerb: ExampledCommand {
    func perform(on screen: Screen) async throws -> Int32
}

/// The program's own verbs; restic's are behind `holdfast restic`.
struct HoldfastVerbs: ParsableCommand, ExampledCommand {
    /// Shown at the end of the help.
    static let examples = ["holdfast quickstart", "holdfast restic -r /mnt/usb/host backup /etc"]

    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "Backs up a homelab in layers, and proves that the copies restore.",
        discussion: """
            `holdfast restic COMMAND …` takes restic's own command line; so does this program when it is called `restic`.
            """,
        version: "holdfast \(holdfastVersion)",
        subcommands: [
            QuickstartVerb.self, InitVerb.self, PlanVerb.self, RunVerb.self, StatusVerb.self, CoverageVerb.self,
            RestoreVerb.self, FindVerb.self, RecoverVerb.self, ServeVerb.self, DoctorVerb.self,
            ConfigVerb.self, SecretVerb.self, KitVerb.self, VerifyVerb.self, MediaVerb.self, NotifyVerb.self,
        ]
    )
}
