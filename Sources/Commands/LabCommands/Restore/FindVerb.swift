import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Recovery
import Strategy

/// The verb `holdfast find`.
struct FindVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast find letter.odt", "holdfast find \"*.kdbx\" --workload home"]

    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Looks for a name in every snapshot of every workload, on all media that are here.",
        discussion: """
            A name fits at any depth, a path that begins with / from the root; * and ? stand for what they usually do. Each version of a file is one \
            line: when it was changed, in which snapshots it is, and in which repositories.

            Ends in 0 when something was found; 1 when nothing was, or not all could be looked at.
            """
    )

    @Argument(help: "What to look for.")
    var patterns: [String]

    @Option(help: "Only in this workload; may be given several times.")
    var workload: [String] = []

    @Flag(name: [.customShort("i"), .customLong("ignore-case")], help: "Take large and small letters as the same.")
    var ignoreCase = false

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        var query = NameQuery(patterns.map { ByteString($0) })
        query.ignoresCase = ignoreCase
        query.workloads = workload
        let asked = query
        let search = NameSearch(session.environment)
        let isShown = screen.facts.canUpdateStatus && !options.json && !options.quiet
        let findings = try await session.onPool {
            defer { screen.setStatus([]) }
            return try await search.run(asked) { store, done, total in
                if isShown { screen.setStatus([Text("  \(store): \(done) of \(total) snapshots")]) }
            }
        }
        show(findings, session.printer)
        return (findings.versions.isEmpty || !findings.problems.isEmpty ? ExitStatus.failed : .success).rawValue
    }

    private func show(_ findings: NameFindings, _ printer: Printer) {
        if printer.isJSON {
            for version in findings.versions { printer.result(json(version).text) }
        } else {
            showText(findings, printer)
        }
        for problem in findings.problems { printer.error(Text(escapedControl(problem))) }
    }

    private func showText(_ findings: NameFindings, _ printer: Printer) {
        var last: (workload: String, path: ByteString)?
        for version in findings.versions {
            if last?.workload != version.workload || last?.path != version.path {
                printer.result(Text("\(version.workload): \(printer.name(version.path).display)"))
                last = (version.workload, version.path)
            }
            let held =
                version.newest == version.oldest
                ? "in the snapshot of \(version.newest.dayAndTime)"
                : "in snapshots from \(version.oldest.dayAndTime) to \(version.newest.dayAndTime)"
            let size = version.type == "file" ? formatBytes(version.size) : version.type
            printer.result(
                Text(
                    "  changed \(version.modified.dayAndTime), \(size), \(held), \(version.stores.joined(separator: ", "))"
                )
            )
        }
        guard let first = findings.versions.first else {
            return printer.normal(Text("nothing of that name in \(counted(findings.snapshots, "snapshot"))"))
        }
        printer.normal(
            Text(
                "Bring one back: holdfast restore \(first.workload) \(shellQuoted(first.path)) --at \"\(first.newest.dayAndTime)\""
            )
        )
    }

    private func json(_ version: FoundVersion) -> JSONLine {
        var line = JSONLine(messageType: "version")
        line.add("workload", version.workload)
        line.add("path", version.path)
        line.add("type", version.type)
        line.add("size", version.size)
        line.add("mtime", version.modified)
        line.add("newest", version.newest)
        line.add("oldest", version.oldest)
        line.add("repositories", version.stores.map { ByteString($0) })
        return line
    }

    /// As a shell takes it for one word.
    private func shellQuoted(_ path: ByteString) -> String {
        let plain = path.bytes.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "/._-+".utf8.contains(byte)
        }
        return plain ? path.display : "'\(path.display.replacing("'", with: "'\\''"))'"
    }
}
