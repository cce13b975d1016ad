import Bytes
package import Console
import Outcome
import Protection
import Strategy

/// The one screen that a quickstart ends with: how the lab stands, whether it restores, and what to do next.
package struct QuickstartScreen {
    let report: QuickstartReport
    let printer: Printer

    package init(report: QuickstartReport, printer: Printer) {
        self.report = report
        self.printer = printer
    }

    /// All lines, the last ones being what to do next.
    package func lines() -> [Text] {
        var lines: [Text] = [""]
        if let status = report.status { lines += StatusPage(status: status, printer: printer).lines() + [""] }
        if !report.restoredFrom.isEmpty { lines += [restoreLine(), compareLine()] }
        lines += report.comparison.changedSince.prefix(10).map {
            "           changed since the backup: \(ByteString($0.display))"
        }
        lines += report.comparison.differing.prefix(20).map { "           DIFFERS: \($0.path.display): \($0.what)" }
        if !report.kitPath.isEmpty { lines += kitLines() }
        if let coverage = report.coverage { lines.append(coverageLine(coverage)) }
        return lines + [""] + nextLines()
    }

    private func restoreLine() -> Text {
        let rate = report.restoreSeconds > 0 ? Double(report.restoredBytes) / report.restoreSeconds : 0
        let server = report.standIn.map { ", \($0.program) over S3" } ?? ""
        let kind = report.restoredFromKind == "stand-in" ? " (the stand-in for the cloud\(server))" : ""
        return """
            Restored   \(report.restoredFiles) files and folders, \(formatBytes(report.restoredBytes)), from \(report.restoredFrom)\(kind) \
            in \(fixed(report.restoreSeconds, 2)) s (\(formatBytes(UInt64(rate)))/s)
            """
    }

    private func compareLine() -> Text {
        let found = report.comparison
        let changed = found.changedSince.isEmpty ? "" : ", \(found.changedSince.count) changed since"
        return
            "Compared   \(found.equal) of \(found.files) files and links equal byte for byte\(changed), \(found.differing.count) differ"
    }

    private func kitLines() -> [Text] {
        let all = report.kitOpened == report.kitRepositories ? "all " : "\(report.kitOpened) of "
        var lines: [Text] = [
            "Kit        \(report.kitSerial) opens \(all)\(report.kitRepositories) repositories with nothing else than its text"
        ]
        lines += report.kitTroubles.prefix(5).map { Text("           DOES NOT OPEN \(escapedControl($0))") }
        if !report.kitTroubles.isEmpty {
            lines.append(
                "           if it is of an earlier lab, remove \(quoted(report.kitPath)): the next run makes a new one"
            )
        }
        if !report.kitFileFrom.isEmpty {
            let equal = report.kitFileIsEqual ? "equal byte for byte" : "changed here since"
            lines.append(
                "           \(report.kitFile.display) came back from \(report.kitFileFrom) with it alone, \(equal)"
            )
        }
        return lines
    }

    private func coverageLine(_ coverage: Coverage) -> Text {
        let undecided = coverage.undecided.count
        let decided = coverage.entries.count - undecided
        let next = undecided > 0 ? "; see holdfast coverage" : ""
        return
            "Coverage   \(decided) of \(coverage.entries.count) things found on this machine are decided, \(undecided) undecided\(next)"
    }

    private func nextLines() -> [Text] {
        let file = quoted("\(report.labPath)/holdfast.yaml")
        var lines: [Text] = [
            "Make it yours",
            "  1. In \(file) give os-ssd and usb-ssd paths on two disks, and name the folders to protect.",
            "  2. Print \(quoted(report.labPath + "/kit.txt")), keep the paper elsewhere, and remove the file: it opens every copy.",
            "  3. Look ahead, run what is due, see how it stands:",
            "       holdfast plan --config \(file)",
            "       holdfast run --config \(file)",
            "       holdfast status --config \(file)",
            "       holdfast coverage --config \(file)",
            "  4. Let it run by itself, each workload at its time:",
            "       holdfast serve --config \(file)",
        ]
        if let standIn = report.standIn {
            let line = StandInServer.byHand(standIn.program, port: standIn.port, lab: report.labPath)
            lines += ["The stand-in's server ran only until now; for the commands above:", Text("  \(line)")]
        }
        let isFolder = report.restoredPath.hasPrefix("/")
        if isFolder, let secret = report.secretFiles.first(where: { $0.repository == report.restoredFrom }) {
            lines += [
                "Stock restic reads it, too",
                "  restic -r \(quoted(report.restoredPath)) --password-file \(quoted(secret.file)) snapshots",
            ]
        }
        lines += ["Start over", "  rm -r \(quoted(report.labPath))"]
        return lines
    }

    private func quoted(_ path: String) -> String {
        let plain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        return plain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }
}
