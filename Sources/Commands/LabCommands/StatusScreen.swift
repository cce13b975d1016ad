package import Bytes
package import Console

/// The one screen that a quickstart ends with: what is where, how old, whether it restores, and what to do next.
package struct StatusScreen {
    let report: QuickstartReport
    /// For ages.
    let now: Timestamp

    package init(report: QuickstartReport, now: Timestamp) {
        self.report = report
        self.now = now
    }

    /// All lines, the last one being what to do next.
    package func lines() -> [Text] {
        var lines: [Text] = [""]
        lines += table().lines()
        lines += ["", restoreLine(), compareLine()]
        lines += report.comparison.changedSince.prefix(10).map {
            "           changed since the backup: \(ByteString($0.display))"
        }
        lines += report.comparison.differing.prefix(20).map { "           DIFFERS: \($0.path.display): \($0.what)" }
        lines += unreadableLines()
        lines += [truthLine(), ""]
        return lines + nextLines()
    }

    private func table() -> Table {
        var table = Table([
            "Medium", "Kind", "Repository", "Snapshots", "Newest", "Stored", "Added now", "All data read",
        ])
        for copy in report.copies {
            table.add([
                [Text(copy.medium)], [Text(copy.kind)], [Text(copy.repository)], ["\(copy.snapshots)"],
                [Text(age(copy.newest))],
                [Text(formatBytes(copy.storedBytes))], [Text(formatBytes(copy.addedBytes))],
                ["clean in \(fixed(copy.verifySeconds, 1)) s"],
            ])
        }
        return table
    }

    private func age(_ moment: Timestamp) -> String {
        let seconds = now.seconds(since: moment)
        if seconds < 0 { return "in the future" }
        if seconds < 120 { return "\(Int(seconds)) s ago" }
        if seconds < 7200 { return "\(Int(seconds / 60)) min ago" }
        if seconds < 172_800 { return "\(Int(seconds / 3600)) h ago" }
        return "\(Int(seconds / 86_400)) days ago"
    }

    private func restoreLine() -> Text {
        let rate = report.restoreSeconds > 0 ? Double(report.restoredBytes) / report.restoreSeconds : 0
        let kind = report.restoredFromKind == "stand-in" ? " (the stand-in for the cloud)" : ""
        return """
            Restored   \(report.restoredFiles) files, \(formatBytes(report.restoredBytes)), from \(report.restoredFrom)\(kind) \
            in \(fixed(report.restoreSeconds, 2)) s (\(formatBytes(UInt64(rate)))/s)
            """
    }

    private func compareLine() -> Text {
        let found = report.comparison
        let changed = found.changedSince.isEmpty ? "" : ", \(found.changedSince.count) changed since"
        return
            "Compared   \(found.equal) of \(found.files) files equal byte for byte\(changed), \(found.differing.count) differ"
    }

    private func unreadableLines() -> [Text] {
        guard let worst = report.copies.max(by: { $0.unreadable.count < $1.unreadable.count }),
            !worst.unreadable.isEmpty
        else { return [] }
        return ["Left out   \(worst.unreadable.count) sources that could not be read:"]
            + worst.unreadable.prefix(10).map { "           \($0)" }
    }

    private func truthLine() -> Text {
        let offsite =
            report.offsiteCopies == 0
            ? "no copy is off-site (a stand-in never counts)" : "\(report.offsiteCopies) off-site"
        let disks = report.devices == 1 ? "all on one disk of this machine" : "on \(report.devices) file systems"
        return "Posture    \(report.copies.count) copies, \(disks); \(offsite)"
    }

    private func nextLines() -> [Text] {
        var lines: [Text] = [
            "Make it yours",
            "  1. In \(report.labPath)/holdfast.yaml give os-ssd and usb-ssd paths on two disks, and name the folders to protect.",
            "  2. Keep a copy of \(report.labPath)/secrets elsewhere: without these passwords no copy can be read.",
            "  3. Run `holdfast quickstart` again: it adds a snapshot to each medium, verifies, restores and compares.",
        ]
        if let copy = report.copies.last, let file = copy.passwordFile {
            lines += [
                "Stock restic reads it, too",
                "  restic -r \(quoted(copy.path)) --password-file \(quoted(file)) snapshots",
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
