import Bytes
import ObjectStorage
package import Outcome
import ResticFormat
import Synchronization

/// Notices, for one run, what happened to a repository without this machine's doing: a store that was set back to last week, a
/// snapshot or an index file that is gone, an old one that was put back.
///
/// ```
/// open: read the record > list snapshots, list index files > findings: compare, tell, remember
/// save a snapshot: remember it       remove: remember the intent > remove > remember what is gone
/// ```
/// 1. The record is read before anything is listed, and again after: what other runs of this machine removed meanwhile is explained.
/// 2. The intent is written before a removal, so that a run that is killed in between leaves no riddle.
/// 3. Each surprise is told once: the record then follows the store (L8). The next prune stops once, whoever told it (P-06).
///
/// Weakness: what another machine removes is not known here. A check therefore names what is gone as a question; other commands
/// speak only where no retention of another machine explains it. Isolation: any task.
final class HighWater: Sendable {
    private struct State {
        var listed: [ObjectKind: Set<Digest>] = [:]
        var read = SnapshotsRead()
        /// Index files of this run.
        var stored: Set<Digest> = []
    }

    let file: HighWaterFile
    let before: HighWaterRecord
    private let state = Mutex(State())

    init(_ file: HighWaterFile) {
        self.file = file
        before = file.load()
    }

    // MARK: what this run sees and does

    /// What was listed so far, and what the snapshots say that were read.
    var listed: (names: [ObjectKind: Set<Digest>], read: SnapshotsRead) { state.withLock { ($0.listed, $0.read) } }

    /// All objects of a kind, as the store lists them.
    func list(_ kind: ObjectKind, _ ids: Set<Digest>) { state.withLock { $0.listed[kind] = ids } }

    /// A snapshot was read.
    func read(_ id: Digest, _ document: SnapshotDocument, isOwn: Bool) {
        state.withLock { $0.read.add(id, document, isOwn: isOwn) }
    }

    /// An index file of ours is in the store.
    func storeIndex(_ id: Digest) { state.withLock { state in _ = state.stored.insert(id) } }

    /// A snapshot of ours is in the store.
    func save(_ id: Digest, _ document: SnapshotDocument) async {
        await update { $0.save(id, document) }
    }

    /// Snapshots or index files are about to be removed.
    func beginRemoving(_ kind: ObjectKind, _ ids: some Collection<Digest> & Sendable) async {
        await update { $0.beginRemoving(kind, ids) }
    }

    /// Those are gone.
    func endRemoving(_ kind: ObjectKind, _ ids: [Digest]) async {
        await update { $0.endRemoving(kind, ids) }
    }

    private func update(_ change: (inout HighWaterRecord) -> Void) async {
        let state = state.withLock { $0 }
        await file.update { record in
            for (kind, names) in state.listed { record.see(kind, names) }
            record.see(.index, state.stored)
            change(&record)
        }
    }

    // MARK: what does not fit

    /// Compares what was listed so far with the record, and brings the record up to date.
    ///
    func findings(_ scope: SurpriseScope) async -> [Finding] {
        let state = state.withLock { $0 }
        var findings: [Finding] = []
        await file.update { record in
            let surprises = HighWaterSurprises(
                before: before,
                now: record,
                listed: state.listed,
                read: state.read
            )
            findings = surprises.findings(scope)
            record.follow(surprises, listed: state.listed, scope)
            record.own.formUnion(state.read.own.intersection(record.snapshots.seen))
        }
        return findings
    }

    /// Whether something was told, now or by an earlier run, that a prune has not stopped for yet; asked once.
    func takeDoubt() async -> Bool {
        var isInDoubt = false
        await file.update { record in
            isInDoubt = record.isInDoubt
            record.isInDoubt = false
        }
        return isInDoubt
    }
}

extension Repository {
    /// What happened to the repository and is not explained by what this machine did; told once.
    ///
    /// Shape: snapshots, and where index files matter these, were listed by this handle before. Empty where nothing is remembered.
    package func surprises(_ scope: SurpriseScope) async -> [Finding] { await highWater?.findings(scope) ?? [] }

    /// As `surprises`, of what this machine made; index files are listed for it where nobody did yet.
    ///
    /// Errors: those of that listing, cancellation; nothing counts as told then.
    package func ownSurprises() async throws -> [Finding] {
        if let highWater, highWater.listed.names[.index] == nil { _ = try await listIndexes() }
        return await surprises(.own)
    }

    /// Whether a prune has to stop once, since something was told by `surprises`, now or in an earlier run, that nothing explains.
    package func takeDoubt() async -> Bool { await highWater?.takeDoubt() ?? false }
}
