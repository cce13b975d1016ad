import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import ResticRepository

/// The verb `holdfast quickstart`.
struct QuickstartVerb: ParsableCommand, LabVerb {
    /// Shown at the end of the help.
    static let examples = ["holdfast quickstart", "holdfast quickstart --directory /srv/lab --json"]

    static let configuration = CommandConfiguration(
        commandName: "quickstart",
        abstract: "A complete small lab on this machine: back up, verify, restore, compare, show.",
        discussion: """
            Makes a folder with a declaration (holdfast.yaml), two media and a stand-in for the cloud, backs up real folders to all of \
            them, reads all data back, restores from the stand-in and compares byte for byte. Repeat it: each run adds a snapshot, \
            and reads holdfast.yaml again.

            Ends in 0; 3 when sources could not be read; 20 when reading all data found damage; 21 when a medium is missing; \
            24 when what was restored differs.
            """
    )

    @Option(help: "The folder of the lab.")
    var directory = "holdfast-lab"

    @Flag(help: "One JSON object per line instead of the screen.")
    var json = false

    @Flag(name: .shortAndLong, help: "Only the result.")
    var quiet = false

    func perform(on screen: Screen) async throws -> Int32 {
        let environment = try LabEnvironment.current()
        let folder = directory.hasPrefix("/") ? directory : "\(environment.workingDirectory)/\(directory)"
        let printer = Printer(screen: screen, verbosity: quiet ? .quiet : .normal, isJSON: json)
        let quickstart = Quickstart(
            folder: cleaned(folder),
            environment: environment,
            printer: printer
        )
        let pool = environment.repository.pool
        let report = try await withThrowingTaskGroup(of: QuickstartReport.self) { group in
            group.addTask(executorPreference: pool) { try await quickstart.run() }
            guard let report = try await group.next() else { throw CancellationError() }
            return report
        }
        if json {
            if let status = report.status { StatusPage(status: status, printer: printer).show() }
            screen.line(report.jsonLine)
        } else {
            for line in QuickstartScreen(report: report, printer: printer).lines() { screen.line(line) }
        }
        return report.exitStatus.rawValue
    }

    /// Without `.`, `..` and doubled slashes.
    private func cleaned(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// The value of an environment variable as text, nil when it is not set.
func environmentText(_ name: String) -> String? {
    environmentVariable(name).map { String(decoding: $0.bytes, as: UTF8.self) }
}
