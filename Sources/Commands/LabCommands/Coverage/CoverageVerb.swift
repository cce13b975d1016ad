import ArgumentParser
import Bytes
import Console
import Outcome
import Protection
import ResticRepository
import Strategy

/// The verb `holdfast coverage`.
struct CoverageVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast coverage", "holdfast coverage --json"]

    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "What of this host is protected, excluded with a reason, retired, or undecided.",
        discussion: """
            Found are folders with settings and data, homes, Compose projects, volumes and databases. Undecided is what the declaration says \
            nothing about: protect it, or exclude it with the reason.

            Ends in 0; 23 when something is undecided.
            """
    )

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        let (coverage, isCut) = try await session.onPool { labCoverage(session.environment) }
        CoveragePage(coverage: coverage, isCut: isCut, printer: session.printer).show()
        return (coverage.undecided.isEmpty ? ExitStatus.success : .coverageGap).rawValue
    }
}

/// What was found on this host and what the declaration says of it; `isCut` when there is more than was looked at.
func labCoverage(_ environment: ProtectionEnvironment) -> (coverage: Coverage, isCut: Bool) {
    var discovery = HostDiscovery(leaving: environment.ownFolders)
    let (items, isCut) = discovery.run(below: environment.lab.workloads.flatMap(\.host.paths))
    let coverage = Coverage(items, lab: environment.lab) { workload, path in
        PatternList(workload.host.exclude.map { ByteString($0) }).matches(ByteString(path))
    }
    return (coverage, isCut)
}

/// The verdicts, group by group.
struct CoveragePage {
    let coverage: Coverage
    let isCut: Bool
    let printer: Printer

    func show() {
        guard !printer.isJSON else { return showJSON() }
        section("Undecided", coverage.entries.filter { $0.verdict == .undecided })
        section("Partly protected", coverage.entries.filter { if case .partly = $0.verdict { true } else { false } })
        section("Excluded", coverage.entries.filter { if case .excluded = $0.verdict { true } else { false } })
        section("Protected", coverage.entries.filter { if case .protected = $0.verdict { true } else { false } })
        if !coverage.retired.isEmpty {
            printer.result("Retired")
            for retired in coverage.retired { printer.result(Text("  \(retired.name): \(retired.because)")) }
        }
        if isCut { printer.error("the search was cut short: there is more than was looked at") }
        let undecided = coverage.undecided.count
        guard undecided > 0 else { return printer.result("Everything that was found is decided.") }
        printer.result(
            Text(
                "\(counted(undecided, "thing")) undecided: add each to `protect`, or to `exclude` with the reason, in holdfast.yaml"
            )
        )
    }

    private func section(_ title: Text, _ entries: [Coverage.Entry]) {
        guard !entries.isEmpty else { return }
        printer.result(title)
        for entry in entries { printer.result(Text("  \(line(of: entry))")) }
    }

    private func line(of entry: Coverage.Entry) -> String {
        let item = "\(escapedControl(entry.item.path)) (\(escapedControl(entry.item.what)))"
        switch entry.verdict {
        case .protected(let workload): return "\(item): by \(workload)"
        case .partly(let workload): return "\(item): parts of it, by \(workload)"
        case .excluded(let because): return "\(item): \(because)"
        case .undecided: return item
        }
    }

    private func showJSON() {
        for entry in coverage.entries {
            var line = JSONLine(messageType: "item")
            line.add("path", entry.item.path)
            line.add("kind", entry.item.kind.rawValue)
            line.add("what", entry.item.what)
            switch entry.verdict {
            case .protected(let workload):
                line.add("verdict", "protected")
                line.add("workload", workload)
            case .partly(let workload):
                line.add("verdict", "partly")
                line.add("workload", workload)
            case .excluded(let because):
                line.add("verdict", "excluded")
                line.add("because", because)
            case .undecided: line.add("verdict", "undecided")
            }
            printer.result(line.text)
        }
        for retired in coverage.retired {
            var line = JSONLine(messageType: "retired")
            line.add("workload", retired.name)
            line.add("because", retired.because)
            printer.result(line.text)
        }
        var line = JSONLine(messageType: "summary")
        line.add("undecided", coverage.undecided.count)
        line.add("cut_short", isCut)
        printer.result(line.text)
    }
}
