import Testing

import Bytes
import Console
import LabCommands
import Outcome

private func report() -> QuickstartReport {
    var report = QuickstartReport(labPath: "/srv/my lab", paths: ["/etc"])
    for (medium, kind) in [("os-ssd", "internal"), ("cloud", "stand-in")] {
        report.copies.append(
            QuickstartReport.Copy(
                medium: medium,
                kind: kind,
                repository: "on-\(medium)",
                path: "/srv/my lab/media/\(medium)/on-\(medium)",
                passwordFile: "/srv/my lab/secrets/on-\(medium).password",
                snapshots: 2,
                snapshotID: "4f2a91c0",
                newest: Timestamp(seconds: 1000),
                storedBytes: 2048,
                addedBytes: 1024,
                backupSeconds: 1,
                verifySeconds: 0.5,
                unreadable: [],
                device: 7
            )
        )
    }
    report.restoredFrom = "on-cloud"
    report.restoredFromKind = "stand-in"
    report.restoreSeconds = 2
    report.restoredFiles = 3
    report.restoredBytes = 4096
    report.comparison.files = 3
    report.comparison.equal = 3
    return report
}

@Suite struct StatusScreenTests {
    private func text(_ report: QuickstartReport, now: Int64 = 1030) -> String {
        StatusScreen(report: report, now: Timestamp(seconds: now)).lines().map(\.string).joined(separator: "\n")
    }

    @Test func `the screen says sizes, ages, restore time and what to change`() {
        let text = text(report())
        for part in [
            "30 s ago", "2.000 KiB", "in 2.00 s", "3 of 3 files equal", "holdfast.yaml",
            "restic -r '/srv/my lab/media/cloud/on-cloud' --password-file '/srv/my lab/secrets/on-cloud.password' snapshots",
        ] {
            #expect(text.contains(part), "\(part) in:\n\(text)")
        }
    }

    @Test func `a stand-in is called so and is no off-site copy`() {
        let text = text(report())
        #expect(text.contains("the stand-in for the cloud"))
        #expect(text.contains("no copy is off-site (a stand-in never counts)"))
        #expect(text.contains("all on one disk"))
        #expect(report().offsiteCopies == 0)
    }

    @Test func `M-09 a hostile name cannot drive the terminal`() {
        var report = report()
        report.comparison.changedSince = ["/etc/\u{1b}[2J\nok"]
        #expect(!text(report).contains("\u{1b}"))
    }

    @Test func `I4 what differs or could not be read is in the exit status`() {
        var different = report()
        different.comparison.differing = [TreeComparison.Difference(path: "/etc/a", what: "has other content")]
        #expect(different.exitStatus == .drillFailed)
        #expect(text(different).contains("DIFFERS: /etc/a: has other content"))
        var partial = report()
        partial.copies[0].unreadable = ["/etc/shadow: Permission denied"]
        #expect(partial.exitStatus == .incomplete)
        #expect(text(partial).contains("/etc/shadow: Permission denied"))
        #expect(report().exitStatus == .success)
    }

    @Test func `each JSON line is one object and the last is the summary`() {
        let lines = report().jsonLines(now: Timestamp(seconds: 1030)).map(\.string)
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { $0.hasPrefix("{\"message_type\":") && $0.hasSuffix("}") && !$0.contains("\n") })
        #expect(lines.last?.hasPrefix("{\"message_type\":\"summary\"") == true)
        #expect(lines.last?.contains("\"exit_status\":0") == true)
    }
}
