package import Bytes

/// By how much the clock was set back since each workload was tried, as far as one process saw it; pure.
///
/// An attempt is dated by the clock of before. Moved by the steps since then it tells how long ago it was, so that what was just run is
/// not taken for what a wrong clock once dated. Steps ahead are time that passes, like a suspend.
package struct ClockSteps: Sendable, Hashable {
    private struct Step: Sendable, Hashable {
        /// The attempt that was the newest then; another one knows the clock as it is.
        var attempt: Timestamp
        var back: Duration
    }

    private var last: Timestamp?
    private var steps: [String: Step] = [:]

    package init() {}

    /// Looks at the clock; `ledger` is asked only when it was set back.
    package mutating func see(_ now: Timestamp, ledger: () -> Ledger) {
        defer { last = now }
        guard let last, now < last else { return }
        let back = last.length(since: now)
        for (name, history) in ledger().workloads {
            guard let attempt = history.lastAttempt else { continue }
            let before = steps[name].map { $0.attempt == attempt ? $0.back : .zero } ?? .zero
            steps[name] = Step(attempt: attempt, back: before + back)
        }
    }

    /// When that attempt was by the clock as it is now; nil where no step back was seen since.
    package func moved(_ attempt: Timestamp, of workload: String) -> Timestamp? {
        guard let step = steps[workload], step.attempt == attempt else { return nil }
        let (seconds, rest) = step.back.components
        let nanoseconds = Int64(attempt.nanoseconds) - rest / 1_000_000_000
        return Timestamp(
            seconds: attempt.seconds - seconds - (nanoseconds < 0 ? 1 : 0),
            nanoseconds: Int32(nanoseconds < 0 ? nanoseconds + 1_000_000_000 : nanoseconds)
        )
    }
}
