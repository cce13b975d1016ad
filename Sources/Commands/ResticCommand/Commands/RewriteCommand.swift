import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `rewrite [SNAPSHOT…]`: makes new snapshots of old ones, without some files or with other metadata.
    ///
    /// As in restic the words are the same with `--json`.
    func runRewrite() async throws -> ExitStatus {
        try await inWords.rewrite()
    }

    private func rewrite() async throws -> ExitStatus {
        try checkRewriteFlags()
        let filter = try snapshotFilter(isPathLiteral: !words.contains(ByteString(SnapshotName.latest)))
        let (isDryRun, isForgetting) = (values.isOn("dry-run"), values.isOn("forget"))
        if isForgetting { printer.normal("create exclusive lock for repository") }
        let mode: LockMode = isDryRun ? .none : isForgetting ? .exclusive : .shared
        let changed = try await withRepository(mode, isDryRun: isDryRun) { repository in
            let snapshots = try await namedSnapshots(filter, repository)
            try await loadIndex(repository)
            return try await rewrite(snapshots, in: repository)
        }
        printer.normal("")
        let verb =
            isDryRun ? (none: "would be modified", some: "would modify") : (none: "were modified", some: "modified")
        printer.normal(changed == 0 ? "no snapshots \(verb.none)" : "\(verb.some) \(changed) snapshots")
        return .success
    }

    private func checkRewriteFlags() throws(CommandFailure) {
        func hasAny(_ kind: String) -> Bool {
            ["", "i"].contains { values.isSet("\($0)\(kind)") || values.isSet("\($0)\(kind)-file") }
        }
        let (hasExcludes, hasIncludes) = (hasAny("exclude"), hasAny("include"))
        let hasMetadata = ["new-host", "new-time"].contains { values.text($0)?.isEmpty == false }
        guard values.isOn("snapshot-summary") || hasExcludes || hasIncludes || hasMetadata else {
            throw .fatal("Nothing to do: no excludes/includes provided and no new metadata provided")
        }
        guard !hasExcludes || !hasIncludes else {
            throw .fatal("exclude and include patterns are mutually exclusive")
        }
    }

    private func rewrite(_ snapshots: [Snapshot], in repository: Repository) async throws -> Int {
        var changed = 0
        var request: RewriteRequest?
        let reporter = RewriteReporter(self, isDryRun: repository.options.isDryRun)
        for snapshot in snapshots {
            try Task.checkCancellation()
            printer.normal("\n\(describe(snapshot, printer))")
            do {
                let wanted = try request ?? rewriteRequest()
                request = wanted
                if try await repository.rewriteSnapshot(snapshot, wanted, observer: reporter) { changed += 1 }
            } catch let error where !(error is CancellationError) {
                throw UnfinishedRewrite(snapshot: snapshot.id, cause: error)
            }
        }
        return changed
    }

    /// As in restic looked at when the first snapshot needs it.
    private func rewriteRequest() throws -> RewriteRequest {
        var request = RewriteRequest()
        let excludes = try PatternOptions("exclude", values, context.environment).lists
        let includes = try PatternOptions("include", values, context.environment).lists
        if !includes.isEmpty {
            request.selection = .only(includes)
        } else if !excludes.isEmpty {
            request.selection = .without(excludes)
        }
        request.makesSummary = values.isOn("snapshot-summary")
        request.removesOriginal = values.isOn("forget")
        if let host = values.text("new-host"), !host.isEmpty { request.newHost = host }
        if let time = values.text("new-time"), !time.isEmpty {
            do { request.newTime = try parseTime(time, time: context.time) } catch {
                throw CommandFailure.fatal("error in time option: \(error.message)")
            }
        }
        return request
    }
}

/// A rewrite that ended at a snapshot; those before it are done.
struct UnfinishedRewrite: Error {
    var snapshot: SnapshotID
    var cause: any Error
}

/// Tells how a rewrite goes, in restic's words.
private final class RewriteReporter: RewriteObserver {
    private let printer: Printer
    private let newHost: ByteString?
    private let hasNewTime: Bool
    private let isForgetting: Bool
    private let isDryRun: Bool

    init(_ session: Session, isDryRun: Bool) {
        printer = session.printer
        newHost = session.values.text("new-host").flatMap { $0.isEmpty ? nil : $0 }
        hasNewTime = session.values.text("new-time")?.isEmpty == false
        isForgetting = session.values.isOn("forget")
        self.isDryRun = isDryRun
    }

    func excluded(_ path: ByteString) { printer.detailed("excluding \(quoted(path))") }
    func included(_ path: ByteString) { printer.detailed("including \(quoted(path))") }
    func includedEmptyDirectory(_ path: ByteString) { printer.detailed("including directory \(quoted(path))") }

    func decided(_ changed: SnapshotDocument) {
        if isDryRun {
            printer.normal("would save new snapshot")
            if isForgetting { printer.normal("would remove old snapshot") }
        }
        if hasNewTime { printer.normal("\(isDryRun ? "would set" : "setting") time to \(goText(changed.time))") }
        guard let newHost else { return }
        printer.normal("\(isDryRun ? "would set hostname" : "setting host") to \(printer.name(newHost))")
    }

    func saved(_ id: SnapshotID) { printer.normal("saved new snapshot \(id.short)") }
    func removed(_ id: SnapshotID) { printer.normal("removed old snapshot \(id.short)") }
}
