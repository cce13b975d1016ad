import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

/// One check under way: what it looks at, and what it has found so far.
///
/// Isolation: any task. The observer is called while the mutex is held, which keeps its calls one after the other.
final class CheckRun: Sendable {
    private struct State {
        var result = CheckResult()
        var brokenPacks: Set<PackID> = []
        var brokenSnapshots: Set<SnapshotID> = []
        var progress = CheckProgress()
    }

    let repository: Repository
    let request: CheckRequest
    let lost = LostBlobs()
    private let observer: any CheckObserver
    private let state = Mutex(State())

    init(repository: Repository, request: CheckRequest, observer: any CheckObserver) {
        self.repository = repository
        self.request = request
        self.observer = observer
    }

    var index: BlobIndex { repository.index }

    /// Workers of a stage that has `jobs` things to do.
    func width(_ jobs: Int) -> Int {
        let useful = max(repository.store.connections, repository.environment.pool.width - 2)
        return max(1, min(jobs, CheckLimits.workersMax, useful))
    }

    // MARK: Progress

    func begin(_ phase: CheckPhase, total: Int = 0, bytesTotal: UInt64 = 0) {
        state.withLock { state in
            state.progress = CheckProgress(total: total, bytesTotal: bytesTotal)
            observer.began(phase)
            if total > 0 { observer.progressed(phase, state.progress) }
        }
    }

    func advance(_ phase: CheckPhase, by count: Int = 1, bytes: UInt64 = 0) {
        state.withLock { state in
            state.progress.done += count
            state.progress.bytesDone += bytes
            observer.progressed(phase, state.progress)
        }
    }

    /// The number of things of this stage became known.
    func expect(_ phase: CheckPhase, total: Int) {
        state.withLock { state in
            state.progress.total = total
            observer.progressed(phase, state.progress)
        }
    }

    // MARK: Findings

    /// Reports what was found about one object.
    ///
    /// Damage makes the check fail; each such finding counts as one error.
    func report(_ findings: [Finding]) {
        guard !findings.isEmpty else { return }
        state.withLock { state in
            for finding in findings {
                if finding.severity == .damage {
                    state.result.hasErrors = true
                    state.result.errorCount += 1
                }
                if state.result.findings.count < CheckLimits.findingsKept { state.result.findings.append(finding) }
            }
            observer.found(findings)
        }
    }

    func report(_ finding: Finding) { report([finding]) }

    /// The pack has to be salvaged with `repair packs`.
    func markBroken(_ pack: PackID) {
        state.withLock { state in _ = state.brokenPacks.insert(pack) }
    }

    func markBroken(_ snapshot: SnapshotID) {
        state.withLock { state in _ = state.brokenSnapshots.insert(snapshot) }
    }

    func suggestRepairIndex() { state.withLock { $0.result.suggestRepairIndex = true } }

    func suggestPrune() { state.withLock { $0.result.suggestPrune = true } }

    func noteOrphans(_ count: Int) {
        state.withLock { state in
            state.result.orphanedPacks = count
            if count > 0 { state.result.suggestPrune = true }
        }
    }

    /// A repeated read succeeded: told, counted, and no damage (D-10).
    func noteTransient(_ finding: Finding) {
        state.withLock { $0.result.transientReads += 1 }
        report(finding)
    }

    func noteIndexDamage() { state.withLock { $0.result.isIndexDamaged = true } }

    func noteAffected(_ affected: [AffectedSnapshot], isComplete: Bool) {
        state.withLock { state in
            state.result.affected = affected
            state.result.isAffectedComplete = isComplete
        }
    }

    var result: CheckResult {
        state.withLock { state in
            var result = state.result
            result.brokenPacks = state.brokenPacks.sorted()
            result.brokenSnapshots = state.brokenSnapshots.sorted()
            return result
        }
    }
}

/// Copies of blobs that a check found unreadable, and blobs that no index names: what `AffectedFiles` traces back.
final class LostBlobs: Sendable {
    private struct Copy: Hashable {
        var pack: PackID
        var type: BlobType
        var id: BlobID
    }

    private struct Blob: Hashable {
        var type: BlobType
        var id: BlobID
    }

    private struct State {
        var copies: Set<Copy> = []
        var absent: Set<Blob> = []
        var isComplete = true
    }

    private let state = Mutex(State())

    /// A copy in that pack cannot be read.
    func insert(_ blob: PackedBlob, in pack: PackID) {
        state.withLock { state in
            guard state.copies.count + state.absent.count < CheckLimits.lostCopiesTraced else {
                state.isComplete = false
                return
            }
            state.copies.insert(Copy(pack: pack, type: blob.type, id: blob.id))
        }
    }

    /// No index names the blob, or no copy of it opens.
    func insert(_ type: BlobType, _ id: BlobID) {
        state.withLock { state in
            guard state.copies.count + state.absent.count < CheckLimits.lostCopiesTraced else {
                state.isComplete = false
                return
            }
            state.absent.insert(Blob(type: type, id: id))
        }
    }

    var isEmpty: Bool { state.withLock { $0.copies.isEmpty && $0.absent.isEmpty } }

    /// False when there was more than is remembered.
    var isComplete: Bool { state.withLock { $0.isComplete } }

    /// Whether no copy of the blob is left.
    func contains(_ type: BlobType, _ id: BlobID, in index: BlobIndex) -> Bool {
        let isSuspect = state.withLock { state in
            state.absent.contains(Blob(type: type, id: id)) ? nil : !state.copies.isEmpty
        }
        guard let isSuspect else { return true }
        guard isSuspect else { return false }
        let copies = index.locations(type, id)
        return state.withLock { state in
            copies.allSatisfy { state.copies.contains(Copy(pack: $0.pack, type: type, id: id)) }
        }
    }
}
