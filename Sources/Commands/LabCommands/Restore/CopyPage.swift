import Bytes
import Console
import Outcome
import Protection
import Recovery
import ResticFormat
import ResticRepository
import Strategy

/// `holdfast restore WORKLOAD --list`: which copies there are, and where.
struct CopyPage {
    let wish: CopyWish
    let session: LabSession

    func show() async throws -> Int32 {
        let search = CopySearch(session.environment)
        let wish = wish
        let listing = try await session.onPool { try await search.list(wish) }
        guard !session.printer.isJSON else { return json(listing) }
        var table = Table(["Time", "Age", "Snapshot", "Files", "Size", "In"])
        for copy in listing.copies {
            let summary = copy.snapshot.document.summary
            table.add([
                [Text(copy.snapshot.document.time.dayAndTime + (copy.isIncomplete ? " incomplete" : ""))],
                [Text(ageText(session.environment.now.length(since: copy.snapshot.document.time.moment)))],
                [Text(copy.snapshot.id.short)],
                [Text(summary.map { "\($0.totalFilesProcessed)" } ?? "")],
                [Text(summary.map { formatBytes($0.totalBytesProcessed) } ?? "")],
                [Text(copy.stores.joined(separator: ", "))],
            ])
        }
        for line in table.lines() { session.printer.result(line) }
        for problem in listing.problems { session.printer.error(Text(escapedControl(problem))) }
        return ExitStatus.success.rawValue
    }

    private func json(_ listing: CopyListing) -> Int32 {
        for copy in listing.copies {
            var line = JSONLine(messageType: "copy")
            line.add("workload", wish.workload)
            line.add("snapshot", copy.snapshot.id.hex)
            line.add("time", copy.snapshot.document.time)
            line.add("incomplete", copy.isIncomplete)
            line.add("repositories", copy.stores.map { ByteString($0) })
            session.printer.result(line.text)
        }
        for problem in listing.problems { session.printer.error(Text(escapedControl(problem))) }
        return ExitStatus.success.rawValue
    }
}
