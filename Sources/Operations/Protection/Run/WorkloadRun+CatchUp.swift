import Bytes
import Chunking
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// Repositories that the last run missed get its copy from those that have it.
///
/// ```
/// open the nearest that was not missed, and holds a snapshot > open those that were > copy the newest and what was missed before > read back
/// ```
/// The source is not read, and no command is run: no app is stopped in the middle of the day because a disk was plugged in. Where no
/// repository got the copy there is nothing to catch up from, and the workload is run as a whole.
extension WorkloadRun {
    /// Those that the last run reached.
    private var sources: [LabStore] {
        let missing = run.ledgerFile.current().workloads[workload.name]?.missing ?? []
        return environment.stores(of: workload).filter { !missing.contains($0.name) }
    }

    /// Whether nothing is there to copy from.
    var hasNoSource: Bool { sources.isEmpty }

    /// Brings the copies; failures are in the result.
    ///
    /// Errors: cancellation alone.
    func catchUp(_ result: inout Result) async throws {
        guard let (source, newest) = try await newestHeld(&result) else { return }
        var targets: [OpenStore] = []
        for store in environment.stores(of: workload) where item.catchesUp.contains(store.name) {
            let polynomial = source.repository.chunkerPolynomial
            if let target = try await opened(store, polynomial: polynomial, &result) { targets.append(target) }
        }
        guard !targets.isEmpty else { return }
        result.isComplete = newest.observed.isComplete
        result.opened = targets
        let step = RunStep(.copy, workload: workload.name, repository: source.name)
        do {
            let pool = environment.repository.pool
            let parts = try await source.repository.locked(.shared) {
                try await source.repository.loadIndex()
                return try await withThrowingTaskGroup(of: Part?.self) { group in
                    for target in targets {
                        let (made, arrival) = AsyncStream.makeStream(of: SnapshotID.self)
                        arrival.yield(newest.snapshot.id)
                        arrival.finish()
                        group.addTask(executorPreference: pool) { try await copy(made, from: source, to: target) }
                    }
                    var parts: [Part] = []
                    for try await part in group { if let part { parts.append(part) } }
                    return parts
                }
            }
            take(parts, inOrderOf: targets.map(\.name), &result)
        } catch {
            fail(step, try reportable(error, operation: "copy from", object: source.name), &result)
        }
    }

    /// The nearest repository that the last run reached, and the newest snapshot of ours there.
    private func newestHeld(_ result: inout Result) async throws -> (OpenStore, StoreView.Item)? {
        for store in sources {
            guard let source = try await opened(store, polynomial: nil, &result) else { continue }
            if let newest = source.view.workloads[workload.name]?.last(where: \.isOurs) { return (source, newest) }
        }
        return nil
    }

    /// Opens one; nil when it could not be, and the result says why.
    private func opened(
        _ store: LabStore,
        polynomial: Polynomial?,
        _ result: inout Result
    ) async throws -> OpenStore? {
        let seen = run.ledgerFile.current().repositories[store.name] != nil
        switch await opened(store, seen ? .never : .asNew, polynomial: polynomial) {
        case .open(let store): return store
        case .failed(let line): note([line], &result)
        case .cancelled: throw CancellationError()
        }
        return nil
    }
}
