package import Bytes
package import HostSystem
import Synchronization

/// The record of runs, steps, evidence, owed clean-ups, facts and audit: a cache of what happened, never the truth
/// (L8).
///
/// 1. Nothing here throws, and no failure of it ends a backup: what the database does not take goes to an emergency
///    file beside it and is taken over later; what that does not take stays in memory and is told through `warn`, once
///    until it works again (M-03, C-04).
/// 2. A damaged database is moved aside, a newer one left alone, an older one migrated after a copy (M-13).
///    `needsRebuild` then asks the caller to read the stores and hand what they say to `rebuild`.
/// 3. What `record` has returned from is on the disk and survives a power cut (M-01), unless a warning told otherwise.
/// 4. No secret is ever put in: see `JournalEntry` (S-07). Files are for their owner alone (S-06).
///
/// **isolation**: calls block on threads of the pool, one at a time; each waits at most about `busyMilliseconds` for
/// other processes. A cancelled task records as any other, since that it was cancelled is worth recording.
package final class RunJournal: Sendable {
    private struct Status {
        var opening: Opening
        var isUsable: Bool
    }

    private let core: Mutex<JournalCore>
    private let status: Mutex<Status>
    private let pool: WorkerPool
    private let host: String
    private let process: String
    private let warn: @Sendable (String) -> Void

    private init(core: JournalCore, pool: WorkerPool, warn: @escaping @Sendable (String) -> Void) {
        status = Mutex(Status(opening: core.opening, isUsable: false))
        host = core.host
        process = core.process
        self.core = Mutex(core)
        self.pool = pool
        self.warn = warn
    }

    /// Opens the journal in `folder`, which is created when it is missing; whatever it finds, a journal comes back.
    ///
    /// Runs that a process left `running` which is gone become `interrupted` (M-05). **Cost**: reads the whole database
    /// once, for its integrity.
    package static func open(
        folder: String,
        on pool: WorkerPool,
        host: String,
        time: any TimeSource,
        entropy: any EntropySource,
        settings: JournalSettings = JournalSettings(),
        warn: @escaping @Sendable (String) -> Void
    ) async -> RunJournal {
        let core = JournalCore(path: folder, host: host, time: time, entropy: entropy, settings: settings)
        let journal = RunJournal(core: core, pool: pool, warn: warn)
        await journal.use { $0.open() }
        return journal
    }

    /// What the last opening found; a journal that was unavailable or turned out damaged is opened again when it is
    /// used.
    package var opening: Opening { status.withLock { $0.opening } }

    /// Whether the last use of the database succeeded; when not, empty answers mean nothing.
    package var isUsable: Bool { status.withLock { $0.isUsable } }

    /// A new identifier of a run or of evidence: a random UUID (version 4).
    package static func newID(_ entropy: any EntropySource) -> String {
        var bytes = entropy.bytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let parts = [bytes[..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10...]]
        return parts.map { Hex.encode($0) }.joined(separator: "-")
    }

    /// Runs `body` on a thread of the pool, alone, then passes warnings on.
    @concurrent
    func use<R: Sendable>(_ body: @Sendable (inout JournalCore) -> R) async -> R {
        await withTaskExecutorPreference(pool) { await perform(body) }
    }

    @concurrent
    private func perform<R: Sendable>(_ body: @Sendable (inout JournalCore) -> R) async -> R {
        let (result, warnings, status) = core.withLock { core in
            let result = body(&core)
            let isUsable = core.connection != nil && !core.isTroubled
            return (result, core.takeWarnings(), Status(opening: core.opening, isUsable: isUsable))
        }
        self.status.withLock { $0 = status }
        for warning in warnings { warn(warning) }
        return result
    }

    // MARK: Writing

    /// Records all of them in their order, in one transaction; never fails.
    package func record(_ entries: [JournalEntry]) async {
        let rows = entries.map { EntryRow($0, host: host, process: process) }
        await use { $0.record(rows) }
    }

    /// Whether the database is new, or an older copy, so that it is to be rebuilt from the stores; false while it
    /// cannot be used.
    package func needsRebuild() async -> Bool {
        await use { $0.read(false) { try Meta.value("needs-rebuild", in: $0) != nil } }
    }

    /// Inserts what was learned from the stores, where the journal does not know it already, and ends the need to
    /// rebuild.
    ///
    /// Idempotent by identifier. False when the journal could not be written; the need then stays.
    @discardableResult
    package func rebuild(
        runs: [RunRecord] = [],
        steps: [StepRecord] = [],
        evidence: [EvidenceRecord] = []
    ) async -> Bool {
        let rows =
            runs.map { EntryRow($0, host: host, process: nil) } + steps.map { EntryRow($0) }
            + evidence.map { EntryRow($0) }
        return await use { $0.learn(rows) }
    }

    /// Removes what is older than `age`, and what is beyond `rowsKeptMax`; returns how many rows.
    ///
    /// Of each kind, workload and repository the newest good and the newest other one stay; facts and what is owed
    /// always do.
    @discardableResult
    package func forget(olderThan age: Duration, now: Timestamp) async -> Int {
        let moment = Timestamp(
            seconds: now.seconds.subtractingReportingOverflow(age.components.seconds).partialValue,
            nanoseconds: now.nanoseconds
        )
        return await use { $0.forget(before: moment) }
    }

    /// Closes all files; a later use opens them again.
    package func close() async { await use { $0.close() } }
}
