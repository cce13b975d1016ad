import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `repair snapshots [SNAPSHOT…]`: stores snapshots again without what is lost.
    func runRepairSnapshots(_ names: [ByteString]) async throws -> ExitStatus {
        let isDryRun = values.isOn("dry-run")
        let filter = try snapshotFilter(isPathLiteral: !names.contains(ByteString(SnapshotName.latest)))
        let changed = try await withRepository(isDryRun ? .none : .exclusive, isDryRun: isDryRun) { repository in
            try await loadIndex(repository)
            let snapshots = try await namedSnapshots(filter, repository, names: names)
            return try await repairSnapshots(snapshots, in: repository)
        }
        printer.normal("")
        let verb = isDryRun ? (none: "would be", some: "would modify") : (none: "were", some: "modified")
        printer.normal(changed == 0 ? "no snapshots \(verb.none) modified" : "\(verb.some) \(changed) snapshots")
        return .success
    }

    private func repairSnapshots(_ snapshots: [Snapshot], in repository: Repository) async throws -> Int {
        let reporter = SnapshotRepairReporter(self, isDryRun: repository.options.isDryRun)
        var repair = SnapshotRepair(repository, removesOriginals: values.isOn("forget"), observer: reporter)
        var changed = 0
        for snapshot in snapshots {
            try Task.checkCancellation()
            printer.normal("\n\(describe(snapshot, printer))")
            do {
                if try await repair.repair(snapshot) { changed += 1 }
            } catch let error where !(error is CancellationError) {
                throw CommandFailure.fatal(
                    "unable to rewrite snapshot ID \(quoted(ByteString(snapshot.id.short))): \(causeText(error))"
                )
            }
        }
        return changed
    }
}

/// Tells how the repair of snapshots goes, in restic's words.
private final class SnapshotRepairReporter: SnapshotRepairObserver {
    private let printer: Printer
    private let isForgetting: Bool
    private let isDryRun: Bool

    init(_ session: Session, isDryRun: Bool) {
        printer = session.printer
        isForgetting = session.values.isOn("forget")
        self.isDryRun = isDryRun
    }

    func found(_ damage: SnapshotDamage) {
        switch damage {
        case .missingContent(let path): printer.normal("  file \(quoted(path)): removed missing content")
        case .wrongSize(let path): printer.normal("  file \(quoted(path)): fixed incorrect size")
        case .invalidType(let path, let type):
            printer.normal("  file \(quoted(path)): removed node with invalid type \(quoted(ByteString(type)))")
        case .lostDirectory(let path): printer.normal("  dir \(quoted(path)): replaced with empty directory")
        case .lostRoot: printer.normal("  dir \"/\": not readable")
        }
    }

    func emptied(_ id: SnapshotID, isRemoved: Bool) {
        if isRemoved {
            printer.normal(isDryRun ? "would delete empty snapshot" : "removed empty snapshot \(id.short)")
        } else {
            printer.error(
                "snapshot \(id.short) stays, though nothing of it can be read: `repair snapshots --forget` removes it"
            )
        }
    }

    func decided(_ changed: SnapshotDocument) {
        guard isDryRun else { return }
        printer.normal("would save new snapshot")
        if isForgetting { printer.normal("would remove old snapshot") }
    }

    func saved(_ id: SnapshotID) { printer.normal("saved new snapshot \(id.short)") }
    func removed(_ id: SnapshotID) { printer.normal("removed old snapshot \(id.short)") }
}
