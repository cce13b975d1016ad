import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Protection
import Recovery
import Strategy

/// The verb `holdfast find`.
struct FindVerb: ParsableCommand, FileNamingVerb {
    static let examples = ["holdfast find letter.odt", "holdfast find \"*.kdbx\" --workload home"]

    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Looks for a name in every snapshot of every workload, on all media that are here.",
        discussion: """
            A name fits at any depth, a path that begins with / from the root; * and ? stand for what they usually do. Each version of a file is one \
            line: when it was changed, in which snapshots it is, and in which repositories. What was saved before restores is searched, too.

            Ends in 0 when something was found; 3 when not all could be searched, each named; 1 when nothing was found.
            """
    )

    @Argument(help: "What to look for.")
    var patterns: [ByteArgument]

    @Option(help: "Only in this workload; may be given several times.")
    var workload: [String] = []

    @Flag(name: [.customShort("i"), .customLong("ignore-case")], help: "Take large and small letters as the same.")
    var ignoreCase = false

    @OptionGroup var options: LabOptions

    func validate() throws {
        if patterns.contains(where: \.bytes.isEmpty) {
            throw ValidationError("an empty name fits everything: write a name, or \"*\"")
        }
    }

    func perform(on screen: Screen) async throws -> Int32 {
        let plain = try LabSession(options, screen: screen)
        var query = NameQuery(patterns.map(\.bytes))
        query.ignoresCase = ignoreCase
        query.workloads = workload
        let asked = query
        let media = Set(NameSearch(plain.environment).stores(of: workload).map(\.medium.name))
        let session = await plain.recordingMounts(of: media)
        let isShown = screen.facts.canUpdateStatus && !options.json && !options.quiet
        let findings = try await session.onPool {
            defer { screen.setStatus([]) }
            return try await session.environment.withMounted(media) { mounted in
                try await NameSearch(mounted).run(asked) { store, done, total in
                    if isShown { screen.setStatus([Text("  \(store): \(done) of \(total) snapshots")]) }
                }
            }
        }
        show(findings, session)
        if !findings.problems.isEmpty { return ExitStatus.incomplete.rawValue }
        return (findings.versions.isEmpty ? ExitStatus.failed : .success).rawValue
    }

    // MARK: text

    private func show(_ findings: NameFindings, _ session: LabSession) {
        let printer = session.printer
        if printer.isJSON {
            for version in findings.versions { printer.result(json(version).text) }
        } else {
            showText(findings, printer)
        }
        for problem in findings.problems { printer.problem(problem) }
        for note in findings.notes { printer.normal(Text("note: \(escapedControl(note))")) }
        if printer.isJSON {
            var line = JSONLine(messageType: "summary")
            line.add("versions", findings.versions.count)
            line.add("snapshots", findings.snapshots)
            line.add("not_searched", findings.problems.map { ByteString($0) })
            line.add("notes", findings.notes.map { ByteString($0) })
            printer.result(line.text)
        }
    }

    private func showText(_ findings: NameFindings, _ printer: Printer) {
        var last: (workload: String, path: ByteString)?
        for version in findings.versions {
            if last?.workload != version.workload || last?.path != version.path {
                printer.result(Text("\(version.workload): \(version.path.display)"))
                last = (version.workload, version.path)
            }
            let size = version.type == "file" ? formatBytes(version.size) : version.type
            let held = "\(held(version)), \(version.stores.joined(separator: ", "))"
            printer.result(Text("  changed \(version.modified.dayAndTime), \(size), \(held)"))
        }
        let complete = findings.versions.first { $0.newest.kind != .safety }
        guard let first = complete ?? findings.versions.first else {
            return printer.normal(Text("nothing of that name in \(counted(findings.snapshots, "snapshot"))"))
        }
        let words = "\(first.workload) \(shellQuoted(first.path)) --snapshot \(first.newest.id.short)"
        printer.normal(Text("bring one back: holdfast restore \(words)"))
    }

    private func held(_ version: FoundVersion) -> String {
        let (newest, oldest) = (version.newest, version.oldest)
        guard newest != oldest else {
            let what = newest.kind == .safety ? "saved before a restore at" : "in the copy of"
            return "\(what) \(newest.time.dayAndTime) (\(newest.id.short))"
        }
        return
            "in copies from \(oldest.time.dayAndTime) (\(oldest.id.short)) to \(newest.time.dayAndTime) (\(newest.id.short))"
    }

    private func json(_ version: FoundVersion) -> JSONLine {
        var line = JSONLine(messageType: "version")
        line.add("workload", version.workload)
        line.add("path", version.path)
        line.add("type", version.type)
        line.add("size", version.size)
        line.add("mtime", version.modified)
        line.add("newest", version.newest.time)
        line.add("newest_snapshot", version.newest.id.hex)
        line.add("oldest", version.oldest.time)
        line.add("oldest_snapshot", version.oldest.id.hex)
        line.add("kind", version.newest.kind.word)
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
