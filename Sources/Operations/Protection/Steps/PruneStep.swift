import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// Frees what no snapshot needs, once a week and only after snapshots went.
struct PruneStep: Sendable {
    let store: OpenStore
    let observer: any RunObserver

    /// Days between two of them.
    static let intervalSeconds: Int64 = 7 * 86_400

    var step: RunStep { RunStep(.prune, repository: store.name) }

    /// `isAsked`: by somebody who did not ask for a week's rest.
    static func isDue(_ history: RepositoryHistory, isAsked: Bool = false, now: Timestamp) -> Bool {
        guard history.removedSincePrune > 0, history.finding == nil, history.doubt == nil else { return false }
        guard !isAsked else { return true }
        guard let last = history.pruned else { return true }
        return now.length(since: last) >= .seconds(intervalSeconds)
    }

    /// Prunes; takes the exclusive lock itself.
    ///
    /// Nil: the engine refused, since what the store shows is unexplained.
    ///
    /// Errors: those of the engine, cancellation.
    func run() async throws -> PruneStatistics? {
        let repository = store.repository
        return try await repository.locked(.exclusive) {
            try await repository.loadIndex()
            let plan = try await repository.planPrune(PruneRequest(), observer: SilentPruneObserver())
            _ = try await repository.ownSurprises()
            guard await !repository.takeDoubt() else { return nil }
            try await repository.execute(plan, observer: SilentPruneObserver())
            return plan.statistics
        }
    }
}
