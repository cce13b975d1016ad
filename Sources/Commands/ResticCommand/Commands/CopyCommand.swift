import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository
import Synchronization

extension Session {
    /// `copy [SNAPSHOT…]`: from the other repository into this one, or the other way round with the old `--repo2`.
    func runCopy() async throws -> ExitStatus {
        let chosen = try SecondaryRepository(values, context.environment)
            .options(basedOn: options, legacyRole: "destination")
        let filter = try snapshotFilter()
        let secret = try await secondaryPassword(chosen)
        let other = { try await self.openRepository(chosen.options, password: secret) }
        let own = { try await self.openRepository() }
        let source = try await chosen.isSource ? other() : own()
        return try await withLock(readLock, on: source) {
            let target = try await chosen.isSource ? own() : other()
            return try await withLock(.shared, on: target) {
                try await copy(from: source, to: target, filter: filter)
                return .success
            }
        }
    }

    private func copy(from source: Repository, to target: Repository, filter: SnapshotFilter) async throws {
        try await loadIndex(source)
        try await loadIndex(target)
        let copies = CopiesPresent(try await target.loadSnapshots(filter: filter) { throw $1 })
        let selected = try await source.selectSnapshots(words, filter: filter) { throw CommandFailure(causeText($1)) }
        let missing = selected.filter { snapshot in
            guard let copy = copies.copy(of: snapshot) else { return true }
            printer.verbose("\n\(describe(snapshot, printer))")
            printer.verbose(
                "skipping source snapshot \(snapshot.id.short), was already copied to snapshot \(copy.id.short)"
            )
            return false
        }
        try await copySnapshots(missing, from: source, to: target, observer: CopyReporter(self))
    }
}

/// Tells how a copy goes, in restic's words.
private final class CopyReporter: CopyObserver {
    private struct Current {
        var counter: ProgressCounter?
        var done: UInt64 = 0
        var total: UInt64 = 0
    }

    private let session: Session
    private let current = Mutex(Current())

    init(_ session: Session) { self.session = session }

    private var printer: Printer { session.printer }

    func began(_ snapshot: Snapshot) {
        printer.normal("\n\(describe(snapshot, printer))")
        printer.normal("  copy started, this may take a while...")
    }

    func planned(_ plan: CopyPlan) {
        printer.verbose(
            "  copy \(plan.blobCount) blobs with disk size \(formatBytes(plan.storedBytes)) in \(plan.packCount) packfiles"
        )
        let counter = ProgressCounter("packs copied", session: session)
        counter.set(0, of: UInt64(plan.packCount))
        current.withLock { $0 = Current(counter: counter, total: UInt64(plan.packCount)) }
    }

    func copiedPack() {
        current.withLock { current in
            current.done += 1
            current.counter?.set(current.done, of: current.total)
        }
    }

    func finished(_ snapshot: Snapshot) { current.withLock { $0 }.counter?.finish() }

    func stored(snapshots: Int) {
        if snapshots > 1 { printer.normal("") }
    }

    func saved(_ copy: SnapshotID, of snapshot: Snapshot) {
        printer.normal("snapshot \(copy.short) saved, copied from source snapshot \(snapshot.id.short)")
    }
}
