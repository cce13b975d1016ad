import Bytes
import Strategy
import Synchronization

/// What one process sees between its runs, and a ledger cannot hold: a clock that is set back, and media that go away.
final class SeenMeanwhile: Sendable {
    private struct State {
        var steps = ClockSteps()
        /// Repositories that were seen to be away since they were last tried.
        var away: Set<String> = []
    }

    private let state = Mutex(State())

    var steps: ClockSteps { state.withLock { $0.steps } }

    func clock(_ now: Timestamp, ledger: () -> Ledger) { state.withLock { $0.steps.see(now, ledger: ledger) } }

    /// Notes whether a repository is here, and returns whether it came back since it was last tried.
    func cameBack(_ name: String, isHere: Bool) -> Bool {
        state.withLock { state in
            if !isHere { state.away.insert(name) }
            return isHere && state.away.contains(name)
        }
    }

    func tried(_ names: some Sequence<String>) { state.withLock { $0.away.subtract(names) } }
}
