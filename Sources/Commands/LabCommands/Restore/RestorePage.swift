import Bytes
import Console
import Outcome
import Protection
import Recovery
import ResticFormat
import ResticRepository
import Strategy

/// What a restore says before, while and after it works.
struct RestorePage: Sendable {
    private static let shownFailures = 20
    private static let shownLosses = 5
    /// What is done before the restore.
    static let comparing = "compared"
    let session: LabSession

    private var printer: Printer { session.printer }

    // MARK: before

    func show(_ prepared: PreparedRestore) {
        guard !printer.isJSON else { return printer.result(json(prepared).text) }
        let (choice, preview) = (prepared.choice, prepared.preview)
        let snapshot = choice.copy.snapshot
        let age = ageText(session.environment.now.length(since: snapshot.document.time.moment))
        let head = "\(prepared.request.wish.workload) of \(snapshot.document.time.dayAndTime), \(age) old"
        printer.normal(Text("\(head): snapshot \(snapshot.id.short) in \(choice.copy.place)"))
        let parts = [
            "\(counted(preview.writtenFiles, "file")), \(formatBytes(preview.bytes))",
            preview.replaced > 0 ? "\(preview.replaced) of what is there overwritten" : nil,
            preview.deleted > 0 ? "\(preview.deleted) removed" : nil,
            preview.unchangedFiles > 0 ? "\(preview.unchangedFiles) there already" : nil,
        ]
        printer.normal(Text("  to \(place(prepared)): \(parts.compactMap(\.self).joined(separator: ", "))"))
        for path in preview.losses.prefix(Self.shownLosses) {
            printer.normal(Text("    overwritten or removed there: \(path.display)"))
        }
        let more = preview.replaced + preview.deleted - min(Self.shownLosses, preview.losses.count)
        if more > 0 { printer.normal(Text("    and \(more) more")) }
        for obstacle in preview.obstacles { printer.error(Text("  cannot be written: \(escapedControl(obstacle))")) }
        for note in choice.notes { printer.normal(Text("  note: \(escapedControl(note))")) }
        for concession in choice.concessions { printer.error(Text("  not as asked: \(escapedControl(concession))")) }
    }

    private func place(_ prepared: PreparedRestore) -> String {
        prepared.isInPlace ? "where it came from" : prepared.target.display
    }

    /// Asks a person; false where nobody is there.
    func asks(_ question: String) -> Bool {
        let screen = printer.screen
        guard screen.facts.inputIsTerminal, !printer.isJSON else { return false }
        screen.raw(Array("\(question) [y/N] ".utf8))
        screen.flush()
        let answer = readLine(strippingNewline: true)?.lowercased()
        return answer == "y" || answer == "yes"
    }

    func saved(_ saved: SavedBefore, _ prepared: PreparedRestore) {
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "safety_copy")
            line.add("repository", saved.repository)
            line.add("snapshot", saved.snapshot.hex)
            return printer.result(line.text)
        }
        printer.normal(
            Text(
                "  saved what is there: snapshot \(saved.snapshot.short) in \(saved.repository), read back; it stays until you remove it. Undo: \(undo(saved, prepared))"
            )
        )
    }

    private func undo(_ saved: SavedBefore, _ prepared: PreparedRestore) -> String {
        "holdfast restore \(prepared.request.wish.workload) --snapshot \(saved.snapshot.short) --in-place"
    }

    // MARK: while

    /// Tells how far it is while `body` runs: in place on a terminal, else a line now and then.
    func whileShown<Result: Sendable>(
        _ done: String,
        _ body: (RestoreCounters) async throws -> Result
    ) async throws -> Result {
        let counters = RestoreCounters()
        let (printer, time) = (printer, session.environment.repository.time)
        let (screen, started) = (printer.screen, time.monotonicNanoseconds())
        let isDrawn = screen.facts.canUpdateStatus && !printer.isJSON
        guard printer.isJSON || printer.verbosity >= .normal else { return try await body(counters) }
        defer { screen.setStatus([]) }
        let interval: UInt64 = isDrawn ? 200_000_000 : printer.isJSON ? 1_000_000_000 : 30_000_000_000
        return try await withTicks(
            every: interval,
            time: time,
            {
                let seconds = Double(time.monotonicNanoseconds() &- started) / 1e9
                let progress = counters.progress
                if printer.isJSON {
                    printer.result(Self.json(done, progress, seconds).text)
                } else if isDrawn {
                    screen.setStatus([Self.progressText(done, progress, seconds)])
                } else {
                    printer.normal(Self.progressText(done, progress, seconds))
                }
            },
            { try await body(counters) }
        )
    }

    private static func progressText(_ word: String, _ progress: RestoreProgress, _ seconds: Double) -> Text {
        let done = progress.bytesWritten + progress.bytesSkipped
        let total = progress.bytesTotal + progress.bytesSkipped
        guard total > 0 else { return "  …" }
        let rate = Double(done) / max(0.2, seconds)
        let items = progress.filesFinished + progress.filesSkipped
        // How much there is to compare shows while it is compared.
        guard word != comparing else { return Text("  \(items) items, \(formatBytes(done)) \(word)") }
        let files = "\(items) of \(max(items, progress.filesTotal + progress.filesSkipped)) items"
        let left = rate > 0 && total > done ? Double(total - done) / rate : 0
        let bytes = "\(formatBytes(done)) of \(formatBytes(total)) \(word)"
        return Text("  \(files), \(bytes), \(formatBytes(UInt64(rate)))/s, about \(formatSeconds(UInt64(left))) left")
    }

    func damaged(_ paths: [ByteString], in copy: FoundCopy, next: String) {
        let what = "\(counted(paths.count, "item")) could not be read from \(copy.place): the copy there is damaged"
        guard !printer.isJSON else { return printer.result(Self.problem("\(what); next: \(next)").text) }
        for path in paths.prefix(Self.shownLosses) { printer.error(Text("  damaged: \(path.display)")) }
        if paths.count > Self.shownLosses { printer.error(Text("  and \(paths.count - Self.shownLosses) more")) }
        printer.error(Text("  \(what); there is \(next). What else is: holdfast run --verify"))
    }

    func took(_ count: Int, of all: Int, from place: String) {
        let text = "\(count) of \(all) taken from \(place)"
        guard !printer.isJSON else { return printer.result(Self.problem(text).text) }
        printer.error(Text("  \(text)"))
    }

    // MARK: after

    /// Says what became of it, and returns the exit status.
    func end(_ result: WorkloadRestored, _ prepared: PreparedRestore, _ saved: SavedBefore?) -> Int32 {
        let status = status(result)
        guard !printer.isJSON else {
            printer.result(summary(result, prepared, status).text)
            return status.rawValue
        }
        for warning in result.warnings { printer.error(Text("  \(escapedControl(warning))")) }
        for item in result.failed.prefix(Self.shownFailures) {
            printer.error(Text("  not restored: \(item.path.display): \(escapedControl(item.reason))"))
        }
        let unshown = result.failed.count - Self.shownFailures
        if unshown > 0 { printer.error(Text("  and \(unshown) more")) }
        let progress = result.progress
        let rate =
            result.seconds >= 0.05 ? ", \(formatBytes(UInt64(Double(progress.bytesWritten) / result.seconds)))/s" : ""
        let amount = "\(counted(Int(progress.filesFinished), "item")), \(formatBytes(progress.bytesWritten))"
        printer.normal(
            Text("\(amount) restored to \(place(prepared)) in \(fixed(result.seconds, 1)) s\(rate), each piece checked")
        )
        if !result.failed.isEmpty {
            let saving = saved.map { " What was there is saved: \(undo($0, prepared))." } ?? ""
            let count = "\(counted(result.failed.count, "item")) not restored; everything else is there."
            printer.error(Text("\(count) \(remedy(result, prepared))\(saving)"))
        }
        return status.rawValue
    }

    private func status(_ result: WorkloadRestored) -> ExitStatus {
        if !result.damaged.isEmpty { return .damageFound }
        return result.failed.isEmpty ? .success : .incomplete
    }

    private func remedy(_ result: WorkloadRestored, _ prepared: PreparedRestore) -> String {
        if result.damaged.isEmpty {
            return "Mend the reasons above, and run the same command again: it goes on where it was."
        }
        return prepared.choice.others.isEmpty
            ? "No other copy is here: attach a disk that is away, or mend the repository with holdfast restic repair."
            : "Other copies may hold it: run the same command again with --yes, or choose one with --from, --at or --snapshot."
    }

    // MARK: JSON

    private static func problem(_ text: String) -> JSONLine {
        var line = JSONLine(messageType: "note")
        line.add("message", text)
        return line
    }

    private static func json(_ word: String, _ progress: RestoreProgress, _ seconds: Double) -> JSONLine {
        var line = JSONLine(messageType: "status")
        line.add("phase", word)
        line.add("seconds_elapsed", UInt64(seconds))
        line.add("total_files", progress.filesTotal + progress.filesSkipped)
        line.add("files_restored", progress.filesFinished)
        line.add("files_skipped", progress.filesSkipped)
        line.add("total_bytes", progress.bytesTotal + progress.bytesSkipped)
        line.add("bytes_restored", progress.bytesWritten)
        line.add("bytes_skipped", progress.bytesSkipped)
        return line
    }

    private func json(_ prepared: PreparedRestore) -> JSONLine {
        let (choice, preview) = (prepared.choice, prepared.preview)
        var line = JSONLine(messageType: "restore_plan")
        line.add("workload", prepared.request.wish.workload)
        line.add("snapshot", choice.copy.snapshot.id.hex)
        line.add("time", choice.copy.snapshot.document.time)
        line.add("repository", choice.copy.store.name)
        line.add("medium", choice.copy.store.medium.name)
        line.add("target", prepared.target)
        line.add("files", preview.writtenFiles)
        line.add("replaced", preview.replaced)
        line.add("deleted", preview.deleted)
        line.add("files_unchanged", preview.unchangedFiles)
        line.add("bytes", preview.bytes)
        line.add("losses", Array(preview.losses.prefix(1000)))
        line.add("obstacles", preview.obstacles.map { ByteString($0) })
        line.add("concessions", choice.concessions.map { ByteString($0) })
        line.add("notes", choice.notes.map { ByteString($0) })
        return line
    }

    private func summary(_ result: WorkloadRestored, _ prepared: PreparedRestore, _ status: ExitStatus) -> JSONLine {
        var line = JSONLine(messageType: "summary")
        line.add("workload", prepared.request.wish.workload)
        line.add("target", prepared.target)
        line.add("files_restored", result.progress.filesFinished)
        line.add("files_skipped", result.progress.filesSkipped)
        line.add("bytes_restored", result.progress.bytesWritten)
        line.add("failed", result.failed.map { ByteString("\($0.path.display): \($0.reason)") })
        line.add("warnings", result.warnings.map { ByteString($0) })
        line.add("seconds", result.seconds)
        line.add("exit_code", Int(status.rawValue))
        return line
    }
}
