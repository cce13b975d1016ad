import Bytes
import Console
import Outcome
import Protection
import Recovery
import ResticFormat
import ResticRepository
import Strategy

/// What a restore says before, while and after it works.
struct RestorePage {
    private static let shownFailures = 20
    let session: LabSession

    private var printer: Printer { session.printer }

    // MARK: before

    func show(_ prepared: PreparedRestore) {
        let (choice, preview) = (prepared.choice, prepared.preview)
        let place = prepared.request.place
        guard !printer.isJSON else { return printer.result(json(prepared).text) }
        let snapshot = choice.copy.snapshot
        let age = ageText(session.environment.now.length(since: snapshot.document.time.moment))
        let store = choice.copy.store
        printer.normal(
            Text(
                "\(prepared.request.wish.workload) of \(snapshot.document.time.dayAndTime), \(age) old: snapshot \(snapshot.id.short) in \(store.name) on \(store.medium.name)"
            )
        )
        let where_ = place == .original ? "where it came from" : place.path.display
        let parts = [
            "\(counted(preview.newFiles, "new file"))",
            preview.overwritten > 0 ? "\(counted(preview.overwritten, "file")) overwritten" : nil,
            preview.deleted > 0 ? "\(preview.deleted) removed" : nil,
            preview.unchangedFiles > 0 ? "\(preview.unchangedFiles) the same already" : nil,
            formatBytes(preview.bytes),
        ]
        printer.normal(Text("  to \(where_): \(parts.compactMap(\.self).joined(separator: ", "))"))
        for path in preview.losses { printer.normal(Text("    lost there: \(path.display)")) }
        let more = preview.overwritten + preview.deleted - preview.losses.count
        if more > 0 { printer.normal(Text("    and \(more) more")) }
        for note in choice.notes { printer.normal(Text("  note: \(escapedControl(note))")) }
        for concession in choice.concessions { printer.error(Text("  not as asked: \(escapedControl(concession))")) }
    }

    /// Asks a person; false where nobody is there.
    func asks(_ question: String) -> Bool {
        let screen = printer.screen
        guard screen.facts.inputIsTerminal, !printer.isJSON else { return false }
        screen.raw(Array("\(question) [y/N] ".utf8))
        let answer = readLine(strippingNewline: true)?.lowercased()
        return answer == "y" || answer == "yes"
    }

    func saved(_ snapshot: SnapshotID, _ prepared: PreparedRestore) {
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "safety_copy")
            line.add("repository", prepared.choice.copy.store.name)
            line.add("snapshot", snapshot.hex)
            return printer.result(line.text)
        }
        printer.normal(
            Text(
                "  saved what is there: snapshot \(snapshot.short) in \(prepared.choice.copy.store.name); it stays until you remove it"
            )
        )
    }

    // MARK: while

    /// Draws how far it is while `body` runs.
    func whileShown<Result: Sendable>(_ body: (RestoreCounters) async throws -> Result) async throws -> Result {
        let counters = RestoreCounters()
        guard printer.screen.facts.canUpdateStatus, !printer.isJSON, printer.verbosity >= .normal else {
            return try await body(counters)
        }
        let (screen, time) = (printer.screen, session.environment.repository.time)
        let started = time.monotonicNanoseconds()
        defer { screen.setStatus([]) }
        return try await withTicks(
            every: 200_000_000,
            time: time,
            {
                screen.setStatus([
                    Self.progressText(counters.progress, Double(time.monotonicNanoseconds() &- started) / 1e9)
                ])
            },
            { try await body(counters) }
        )
    }

    private static func progressText(_ progress: RestoreProgress, _ seconds: Double) -> Text {
        let done = progress.bytesWritten + progress.bytesSkipped
        let rate = Double(done) / max(0.2, seconds)
        let left = rate > 0 && progress.bytesTotal > done ? Double(progress.bytesTotal - done) / rate : 0
        let files = "\(progress.filesFinished + progress.filesSkipped) of \(progress.filesTotal) files"
        return Text(
            "  \(files), \(formatBytes(done)) of \(formatBytes(progress.bytesTotal)), \(formatBytes(UInt64(rate)))/s, about \(formatSeconds(UInt64(left))) left"
        )
    }

    func damaged(_ paths: [ByteString], in copy: FoundCopy, next twin: FoundCopy) {
        printer.error(
            Text(
                "  \(counted(paths.count, "item")) could not be read from \(copy.store.name): the copy there is damaged; \(twin.store.name) on \(twin.store.medium.name) holds the same"
            )
        )
    }

    // MARK: after

    /// Says what became of it, and returns the exit status.
    func end(_ result: WorkloadRestored, _ prepared: PreparedRestore) -> Int32 {
        let status = status(result)
        guard !printer.isJSON else {
            printer.result(summary(result, prepared, status).text)
            return status.rawValue
        }
        for warning in result.warnings { printer.error(Text("  \(escapedControl(warning))")) }
        for item in result.failed.prefix(Self.shownFailures) {
            printer.error(Text("  not restored: \(printer.name(item.path).display): \(escapedControl(item.reason))"))
        }
        let unshown = result.failed.count - Self.shownFailures
        if unshown > 0 { printer.error(Text("  and \(unshown) more")) }
        let progress = result.progress
        let rate =
            result.seconds >= 0.05 ? ", \(formatBytes(UInt64(Double(progress.bytesWritten) / result.seconds)))/s" : ""
        let place = prepared.request.place == .original ? "where it came from" : prepared.request.place.path.display
        printer.normal(
            Text(
                "\(counted(Int(progress.filesFinished), "item")), \(formatBytes(progress.bytesWritten)) restored to \(place) in \(fixed(result.seconds, 1)) s\(rate)"
            )
        )
        if !result.failed.isEmpty {
            printer.error(
                Text(
                    "\(counted(result.failed.count, "item")) not restored; everything else is there. \(remedy(result, prepared))"
                )
            )
        }
        return status.rawValue
    }

    private func status(_ result: WorkloadRestored) -> ExitStatus {
        if result.failed.contains(where: \.isDamage) { return .damageFound }
        return result.failed.isEmpty ? .success : .incomplete
    }

    private func remedy(_ result: WorkloadRestored, _ prepared: PreparedRestore) -> String {
        guard result.failed.contains(where: \.isDamage) else {
            return "Mend the reasons above, and run the same command again: it goes on where it was."
        }
        let workload = prepared.request.wish.workload
        return prepared.choice.twins.isEmpty
            ? "Try an older copy: holdfast restore \(workload) --list"
            : "Other media hold the same: run again with --from \(prepared.choice.twins[0].store.medium.name)."
    }

    // MARK: JSON

    private func json(_ prepared: PreparedRestore) -> JSONLine {
        let (choice, preview) = (prepared.choice, prepared.preview)
        var line = JSONLine(messageType: "restore_plan")
        line.add("workload", prepared.request.wish.workload)
        line.add("snapshot", choice.copy.snapshot.id.hex)
        line.add("time", choice.copy.snapshot.document.time)
        line.add("repository", choice.copy.store.name)
        line.add("medium", choice.copy.store.medium.name)
        line.add("target", prepared.request.place.path)
        line.add("files_new", preview.newFiles)
        line.add("files_overwritten", preview.overwritten)
        line.add("files_unchanged", preview.unchangedFiles)
        line.add("deleted", preview.deleted)
        line.add("bytes", preview.bytes)
        line.add("concessions", choice.concessions.map { ByteString($0) })
        line.add("notes", choice.notes.map { ByteString($0) })
        return line
    }

    private func summary(_ result: WorkloadRestored, _ prepared: PreparedRestore, _ status: ExitStatus) -> JSONLine {
        var line = JSONLine(messageType: "summary")
        line.add("workload", prepared.request.wish.workload)
        line.add("target", prepared.request.place.path)
        line.add("files_restored", result.progress.filesFinished)
        line.add("files_skipped", result.progress.filesSkipped)
        line.add("bytes_restored", result.progress.bytesWritten)
        line.add("failed", result.failed.map { ByteString("\($0.path.display): \($0.reason)") })
        line.add("seconds", result.seconds)
        line.add("exit_code", Int(status.rawValue))
        return line
    }
}
