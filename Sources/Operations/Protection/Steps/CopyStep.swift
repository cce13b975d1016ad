import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy
import Synchronization

/// Copies what a repository lacks of a workload from the one that was backed up to.
///
/// The newest snapshot goes first; then, newest first, those that were missed while the target was not here and that its rules would keep.
struct CopyStep: Sendable {
    let workload: Workload
    let source: OpenStore
    let target: OpenStore
    let environment: ProtectionEnvironment
    let observer: any RunObserver

    var step: RunStep { RunStep(.copy, workload: workload.name, repository: target.name) }

    /// Copies; both repositories are locked and have their index loaded.
    ///
    /// `caughtUp` counts the snapshots beside the newest. Errors: those of the engine, cancellation.
    func run(_ newest: SnapshotID) async throws -> (copy: WrittenCopy, caughtUp: Int) {
        let repository = target.repository
        let before = repository.index.packCount
        let loaded = try await source.repository.loadSnapshot(newest)
        let wanted = [loaded] + missed(before: loaded)
        let present = CopiesPresent((target.view.workloads[workload.name] ?? []).map(\.snapshot))
        let listener = CopyListener(step: step, observer: observer)
        let missing = wanted.filter { present.copy(of: $0) == nil }
        try await copySnapshots(missing, from: source.repository, to: repository, observer: listener)
        let after = repository.index.packCount
        guard let copy = listener.copies[newest] ?? present.copy(of: loaded)?.id else {
            preconditionFailure("a copy ended without its snapshot")
        }
        let copied = WrittenCopy(
            snapshot: copy,
            packs: Set((before..<max(before, after)).map { repository.index.packID($0) }),
            addedBytes: listener.bytes
        )
        return (copied, max(0, missing.count - 1))
    }

    /// Complete snapshots of ours that are newer than all that the target holds, and that its rules would keep beside it.
    private func missed(before newest: Snapshot) -> [Snapshot] {
        let held = target.view.observed(workload.name)
        let limit = held.map(\.time.moment).max() ?? .distantPast
        let candidates = (source.view.workloads[workload.name] ?? []).filter {
            $0.isOurs && $0.observed.isComplete && $0.snapshot.id != newest.id && limit < $0.observed.time.moment
        }
        guard !held.isEmpty, !candidates.isEmpty else { return [] }
        let future = held + candidates.map(\.observed)
        let plan = RetentionPlan(
            future,
            policy: workload.backup.keep,
            proven: [],
            now: environment.now,
            localOffset: { environment.repository.time.localOffsetSeconds(at: $0) }
        )
        let kept = Set(plan.kept.map(\.snapshot.id))
        return candidates.filter { kept.contains($0.observed.id) }.map(\.snapshot).reversed()
    }
}

/// Keeps which snapshot became which, and passes progress on.
final class CopyListener: CopyObserver {
    private struct State {
        var copies: [SnapshotID: SnapshotID] = [:]
        var bytes: UInt64 = 0
        var packs: UInt64 = 0
        var packsDone: UInt64 = 0
    }

    private let step: RunStep
    private let observer: any RunObserver
    private let state = Mutex(State())

    init(step: RunStep, observer: any RunObserver) {
        self.step = step
        self.observer = observer
    }

    var copies: [SnapshotID: SnapshotID] { state.withLock { $0.copies } }
    var bytes: UInt64 { state.withLock { $0.bytes } }

    func began(_ snapshot: Snapshot) {}

    func planned(_ plan: CopyPlan) {
        state.withLock { state in
            state.bytes += plan.storedBytes
            state.packs += UInt64(plan.packCount)
        }
    }

    func copiedPack() {
        let (done, total) = state.withLock { state in
            state.packsDone += 1
            return (state.packsDone, state.packs)
        }
        observer.progressed(done, of: total, unit: "packs", in: step)
    }

    func finished(_ snapshot: Snapshot) {}
    func stored(snapshots: Int) {}

    func saved(_ copy: SnapshotID, of snapshot: Snapshot) {
        state.withLock { $0.copies[snapshot.id] = copy }
    }
}
