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

    private var printer: Printer { session.printer }

    /// Ends in 3 when not all could be looked at.
    func show(_ environment: ProtectionEnvironment) async throws -> Int32 {
        let listing = try await CopySearch(environment).list(wish)
        if printer.isJSON { json(listing) } else { table(listing) }
        for problem in listing.problems { printer.problem(problem) }
        return (listing.problems.isEmpty ? ExitStatus.success : .incomplete).rawValue
    }

    private func table(_ listing: CopyListing) {
        guard !listing.copies.isEmpty else { return printer.normal(Text("no copy of \(wish.workload) yet")) }
        var table = Table(["Time", "Age", "Snapshot", "Files", "Size", "In"])
        for copy in listing.copies {
            let document = copy.snapshot.document
            table.add([
                [Text(document.time.dayAndTime + Self.words(copy.kind))],
                [Text(ageText(session.environment.now.length(since: document.time.moment)))],
                [Text(copy.snapshot.id.short)],
                [Text(document.summary.map { "\($0.totalFilesProcessed)" } ?? "")],
                [Text(document.summary.map { formatBytes($0.totalBytesProcessed) } ?? "")],
                [Text(copy.stores.joined(separator: ", "))],
            ])
        }
        for line in table.lines() { printer.result(line) }
    }

    private static func words(_ kind: CopyKind) -> String {
        switch kind {
        case .complete: ""
        case .incomplete: ", incomplete"
        case .safety: ", saved before a restore"
        }
    }

    private func json(_ listing: CopyListing) {
        for copy in listing.copies {
            var line = JSONLine(messageType: "copy")
            line.add("workload", wish.workload)
            line.add("snapshot", copy.snapshot.id.hex)
            line.add("time", copy.snapshot.document.time)
            line.add("kind", copy.kind.word)
            line.add("repositories", copy.stores.map { ByteString($0) })
            printer.result(line.text)
        }
    }
}

extension CopyKind {
    /// In JSON.
    var word: String {
        switch self {
        case .complete: "complete"
        case .incomplete: "incomplete"
        case .safety: "safety"
        }
    }
}

extension Printer {
    /// What could not be looked at: a line for people, an object for programs.
    func problem(_ text: String) {
        guard isJSON else { return error(Text(escapedControl(text))) }
        var line = JSONLine(messageType: "error")
        line.add("message", text)
        result(line.text)
    }
}
