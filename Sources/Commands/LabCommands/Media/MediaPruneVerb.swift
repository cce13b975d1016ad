import ArgumentParser
import Console
import Outcome
import Protection
import Strategy

/// The verb `holdfast media prune`.
struct MediaPruneVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast media prune cloud", "holdfast media prune cloud --release 3f9a1c77"]

    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Removes from a medium what its rules keep no longer, with the credentials that runs do not hold.",
        discussion: """
            For media that declare `pruning`: runs remove nothing there. That key is read now, or typed, and kept nowhere; where it is in the vault, the master password is asked for. The same rules hold as in a run: nothing of a workload whose last run was not good, nothing \
            where damage is open, and nothing above the floor without the digits that it shows. What is locked stays stored until its lock ends.

            On a server that is `append-only` and has no such key nothing is removed: what others removed there is shown, with the digits that say it is right.

            Ends in 0; 21 when something is held back; 1 when something failed.
            """
    )

    @Argument(help: "The medium's name in the declaration.")
    var name: String

    @Option(help: "The digits that an earlier one showed, to let go what it held back.")
    var release: String?

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        // The vault itself is asked: what may delete is in no sealed copy.
        let ask = masterPasswordQuestion(screen)
        let session = await (try LabSession(options, screen: screen, ask: ask)).recording()
        var environment = session.environment
        if session.lab.medium(named: name)?.pruning == .typed {
            let prompt = "key that may delete on \(name), KEY-ID:SECRET: "
            environment.typedCredentials = try await KitInput.passphrase(nil, prompt, screen)
        }
        let asked = environment
        let reporter = session.reporter
        let report = try await reporter.whileShown {
            try await session.onPool {
                try await MediumPruning(asked, observer: reporter).run(name, release: release)
            }
        }
        show(report, session.printer)
        return report.exitStatus.rawValue
    }

    private func show(_ report: RunReport, _ printer: Printer) {
        if printer.isJSON {
            var line = JSONLine(messageType: "summary")
            line.add("snapshots_removed", report.snapshotsRemoved)
            line.add("held_back", report.held.count)
            if let digits = report.digits { line.add("release", digits) }
            line.add("exit_code", report.exitStatus.rawValue)
            return printer.result(line.text)
        }
        for removal in report.held { printer.error(Text(heldText(removal))) }
        if let digits = report.digits {
            let next = "holdfast media prune \(name) --release \(digits)"
            printer.error(Text("  state: nothing of that was removed\n  next:  if that is what you want: \(next)"))
        }
        let status = report.exitStatus
        let end = status == .success ? "" : "; ends in \(status.rawValue)"
        printer.normal(Text("\(name): \(counted(report.snapshotsRemoved, "snapshot")) removed\(end)"))
    }
}
