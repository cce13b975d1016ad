import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Protection
import Strategy

/// The verb `holdfast secret rotate`.
struct SecretRotateVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast secret rotate host-os", "holdfast secret rotate offsite --to \"vault:restic-offsite new\"",
    ]

    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Makes a new password for a repository, stores it, adds its key, proves it; the old one stays valid.",
        discussion: """
            The new password goes beside the old one: a file NAME.DATE, or an item of the vault \"ITEM DATE\". It is read back from there, then the \
            repository gets a further key, and is opened anew with it. Repositories that share the reference are rotated together; one that is not \
            here stops all of them before anything is changed. holdfast.yaml is not edited: the line to change is printed.

            Ends in 0; 21 when a disk is not there; 12 when the old password does not open a repository; 11 when another rotation runs; 1 when \
            something failed. Whenever it is broken off, the old password opens everything.
            """
    )

    @Argument(help: "The repository's name in the declaration.")
    var name: String

    @Option(help: "Where the new password goes: file:PATH or vault:ITEM, which must not exist yet.")
    var to: String?

    @Flag(name: .customLong("dry-run"), help: "Open everything, say what would be done, and change nothing.")
    var dryRun = false

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let place = try target()
        let session = try LabSession(options, screen: screen, ask: masterPasswordQuestion(screen))
        let name = name
        let page = RotationPage(session: session)
        let rotation = PasswordRotation(
            session.environment,
            reached: { page.show($0) },
            journal: { await session.openJournal() }
        )
        if dryRun {
            return page.show(plan: try await session.onPool { try await rotation.plan(name, to: place) })
        }
        return page.show(try await session.onPool { try await rotation.run(name, to: place) })
    }

    /// The named place; a relative path counts from here.
    private func target() throws -> SecretReference? {
        guard let to else { return nil }
        do throws(NotationError) {
            let folder: String
            do throws(Errno) { folder = String(decoding: try currentDirectory().bytes, as: UTF8.self) } catch {
                throw NotationError("cannot be found from here: \(error)", next: error.remedy)
            }
            return try readSecretReference(to, folder: folder)
        } catch {
            throw LabFailure(
                .declaration,
                operation: "rotate to",
                // The text may be a password that was pasted.
                object: "--to",
                what: error.what,
                state: "nothing was changed",
                next: "write --to file:PATH or --to \"vault:ITEM\""
            )
        }
    }
}

/// What is said while passwords are rotated, and afterwards.
struct RotationPage: Sendable {
    let session: LabSession

    private var printer: Printer { session.printer }

    /// As it is reached.
    func show(_ stage: PasswordRotation.Stage) {
        switch stage {
        case .opened(let repositories):
            printer.verbose(Text("the old password opens \(repositories.joined(separator: " and "))"))
        case .stored(let reference): printer.normal(Text("stored \(reference.text), and read it back"))
        case .keyed(let repository, let key): printer.normal(Text("\(repository): key \(key) added"))
        case .proven(let repository, let what):
            printer.normal(Text("\(repository): opens with the new password alone; \(what)"))
        case .recorded: break
        }
    }

    /// The end; returns the exit status.
    func show(_ report: PasswordRotation.Report) -> Int32 {
        let failures = report.outcomes.compactMap(\.failure)
        guard !printer.isJSON else {
            for outcome in report.outcomes { showJSON(outcome, report, isPlan: false) }
            return (failures.first?.exitStatus ?? .success).rawValue
        }
        for outcome in report.outcomes {
            guard let failure = outcome.failure else { continue }
            let text = FailureReport(failure, fallbackState: "", fallbackNext: "mend the cause").text
            printer.error(Text(text))
            let hint =
                "\(report.new.text) is stored, and may open it already; run `holdfast secret rotate` again when this is mended"
            printer.error(Text("  \(outcome.repository.name): the old password opens it as before; \(hint)"))
        }
        let good = report.outcomes.filter { $0.failure == nil }
            .sorted { $0.repository.passwordPlace < $1.repository.passwordPlace }
        if !good.isEmpty {
            printer.result("\nNow change, and only there:")
            for outcome in good { show(line(outcome, report)) }
        }
        let names = report.outcomes.map(\.repository.name).joined(separator: " and ")
        printer.result(
            Text(
                "\nThe old password still opens \(names); nothing was removed. Until the declaration names the new one, runs use the old one."
            )
        )
        printer.result(
            "Then prove it: holdfast secret check; and print it: holdfast kit create FILE, holdfast kit test FILE"
        )
        return (failures.first?.exitStatus ?? .success).rawValue
    }

    /// What would be done.
    func show(plan report: PasswordRotation.Report) -> Int32 {
        guard !printer.isJSON else {
            for outcome in report.outcomes { showJSON(outcome, report, isPlan: true) }
            return ExitStatus.success.rawValue
        }
        printer.result(Text("would store a new password as \(report.new.text)"))
        for outcome in report.outcomes {
            printer.result(
                Text("would add its key to \(outcome.repository.name) (\(outcome.path)), which the old one opens")
            )
        }
        printer.result("nothing was changed")
        return ExitStatus.success.rawValue
    }

    // MARK: parts

    private func line(_ outcome: PasswordRotation.Outcome, _ report: PasswordRotation.Report) -> DeclarationLine {
        DeclarationLine(outcome.repository.passwordPlace, in: session.place, value: report.new.text)
    }

    private func show(_ line: DeclarationLine) {
        printer.result(Text("  \(line.place)"))
        if let before = line.before { printer.result(Text("  - \(before)")) }
        printer.result(Text("  + \(line.after)"))
    }

    private func showJSON(_ outcome: PasswordRotation.Outcome, _ report: PasswordRotation.Report, isPlan: Bool) {
        var json = JSONLine(messageType: isPlan ? "rotation_planned" : "rotated")
        json.add("repository", outcome.repository.name)
        json.add("path", outcome.path)
        json.add("reference", report.old.text)
        json.add("new_reference", report.new.text)
        if !isPlan { json.add("ok", outcome.failure == nil) }
        if let key = outcome.key { json.add("key", key) }
        if let failure = outcome.failure {
            json.add("code", failure.codeName)
            json.add("object", failure.object)
            json.add("message", failure.what)
            json.add("next", failure.next)
        } else {
            let line = line(outcome, report)
            json.add("file", outcome.repository.passwordPlace.file)
            json.add("line", outcome.repository.passwordPlace.line)
            if let before = line.before { json.add("before", before) }
            json.add("after", line.after)
        }
        printer.result(json.text)
    }
}
