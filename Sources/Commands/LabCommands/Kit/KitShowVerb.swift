import ArgumentParser
import Bytes
import Console
import KitFormat
import Outcome
import ResticRepository

/// The verb `holdfast kit show`.
struct KitShowVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast kit show /root/kit.txt", "holdfast kit show - --reveal"]

    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Reads a kit, as printed or as typed from paper, and says what it opens; secrets stay hidden.",
        discussion: """
            Each numbered line is proven by its last group: a wrong letter ends in 25, and its line is named. With --reveal the whole text is printed \
            anew, first steps and all. Nothing else than the kit is read, no declaration and no repository.
            """
    )

    @Argument(help: "The file, or - for standard input: the numbered lines are enough.")
    var file: String

    @Flag(help: "Print the kit with its secrets.")
    var reveal = false

    @Flag(help: "One JSON object per line instead of text; secrets never.")
    var json = false

    @OptionGroup var input: KitInput

    func perform(on screen: Screen) async throws -> Int32 {
        let machine = try LabEnvironment.current()
        let (kit, strange) = try await onPool(machine.repository.pool) { try await input.read(file, screen: screen) }
        let printer = Printer(screen: screen, verbosity: .normal, isJSON: json)
        if !strange.isEmpty {
            let lines = strange.prefix(10).map { "\($0)" }.joined(separator: ", ")
            screen.errorLine(
                Text(
                    "warning: words between the numbered lines are not those that this version prints (lines \(lines) of the text); the kit itself is right"
                )
            )
        }
        if reveal, !json {
            screen.raw(KitPage.text(kit).withBytes { Array($0) })
        } else {
            KitContents(kit: kit, printer: printer).show()
        }
        return ExitStatus.success.rawValue
    }
}

/// What a kit says, without its secrets.
struct KitContents {
    let kit: RecoveryKit
    let printer: Printer

    func show() {
        guard !printer.isJSON else { return showJSON() }
        printer.result(
            Text(
                "kit \(kit.serial) of lab \(shown(kit.lab)), made \(shown(kit.made)) on \(shown(kit.host)) by \(shown(kit.program))"
            )
        )
        printer.result(
            Text("kept by: \(kit.holders.isEmpty ? "nobody is named" : kit.holders.map(shown).joined(separator: "; "))")
        )
        for account in kit.accounts { printer.result(Text("account: \(shown(account))")) }
        for repository in kit.repositories {
            printer.result(
                Text(
                    "\(shown(repository.name)) on \(shown(repository.medium)) (\(shown(repository.kind))): \(shown(repository.location))"
                )
            )
            let id = repository.id.map { "id \($0.prefix(8))" } ?? "id unknown"
            let disk = repository.disk.map { ", disk \(shown($0))" } ?? ""
            printer.result(
                Text("  \(id)\(disk); password of \(repository.password.count) characters; \(shown(repository.state))")
            )
            if !repository.workloads.isEmpty {
                printer.result(Text("  has copies of \(repository.workloads.map(shown).joined(separator: ", "))"))
            }
            for variable in repository.variables {
                printer.result(Text("  \(shown(variable.name)): \(variable.secret.count) characters"))
            }
        }
        for secret in kit.secrets {
            printer.result(Text("secret \(shown(secret.name)): \(secret.secret.count) characters"))
        }
    }

    private func shown(_ text: String) -> String { escapedControl(text) }

    private func showJSON() {
        var line = JSONLine(messageType: "kit")
        line.add("serial", kit.serial)
        line.add("lab", kit.lab)
        line.add("host", kit.host)
        line.add("made", kit.made)
        line.add("program", kit.program)
        line.add("holders", kit.holders.map { ByteString($0) })
        line.add("accounts", kit.accounts.map { ByteString($0) })
        line.add("secrets", kit.secrets.map { ByteString($0.name) })
        printer.result(line.text)
        for repository in kit.repositories {
            var line = JSONLine(messageType: "kit_repository")
            line.add("name", repository.name)
            line.add("medium", repository.medium)
            line.add("kind", repository.kind)
            line.add("location", repository.location)
            if let id = repository.id { line.add("id", id) }
            if let disk = repository.disk { line.add("disk", disk) }
            line.add("workloads", repository.workloads.map { ByteString($0) })
            line.add("state", repository.state)
            line.add("variables", repository.variables.map { ByteString($0.name) })
            printer.result(line.text)
        }
    }
}
