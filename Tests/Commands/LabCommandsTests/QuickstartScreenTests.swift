import Testing

import Bytes
import Console
import LabCommands
import Outcome
import Protection

private func report() -> QuickstartReport {
    let run = RunReport(started: Timestamp(seconds: 1000))
    var report = QuickstartReport(labPath: "/srv/my lab", paths: ["/etc"], run: run)
    report.secretFiles = [(repository: "on-cloud", file: "/srv/my lab/secrets/on-cloud.password")]
    report.restoredFrom = "on-cloud"
    report.restoredFromKind = "stand-in"
    report.restoredPath = "/srv/my lab/media/cloud/on-cloud"
    report.restoreSeconds = 2
    report.restoredFiles = 3
    report.restoredBytes = 4096
    report.comparison.files = 3
    report.comparison.equal = 3
    return report
}

@Suite struct QuickstartScreenTests {
    private func text(_ report: QuickstartReport) -> String {
        let screen = Screen(facts: TerminalFacts(), output: MemorySink(), error: MemorySink())
        let printer = Printer(screen: screen, verbosity: .normal, isJSON: false)
        return QuickstartScreen(report: report, printer: printer).lines().map(\.string).joined(separator: "\n")
    }

    @Test func `the screen says restore time, comparison, and what to do next`() {
        let text = text(report())
        for part in [
            "in 2.00 s", "3 of 3 files and links equal", "holdfast.yaml", "the stand-in for the cloud",
            "holdfast plan --config '/srv/my lab/holdfast.yaml'",
            "restic -r '/srv/my lab/media/cloud/on-cloud' --password-file '/srv/my lab/secrets/on-cloud.password' snapshots",
        ] {
            #expect(text.contains(part), "\(part) in:\n\(text)")
        }
    }

    @Test func `M-09 a hostile name cannot drive the terminal`() {
        var report = report()
        report.comparison.changedSince = ["/etc/\u{1b}[2J\nok"]
        #expect(!text(report).contains("\u{1b}"))
    }

    @Test func `I4 what differs is in the exit status`() {
        var different = report()
        different.comparison.differing = [TreeComparison.Difference(path: "/etc/a", what: "has other content")]
        #expect(different.exitStatus == .drillFailed)
        #expect(text(different).contains("DIFFERS: /etc/a: has other content"))
        #expect(report().exitStatus == .success)
    }

    @Test func `the JSON line is one object with the exit status`() {
        let line = report().jsonLine.string
        #expect(line.hasPrefix("{\"message_type\":\"quickstart\"") && line.hasSuffix("}") && !line.contains("\n"))
        #expect(line.contains("\"exit_status\":0"))
    }
}
