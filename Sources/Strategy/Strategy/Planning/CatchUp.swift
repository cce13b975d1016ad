import Bytes

/// Which repositories a workload catches up with although nothing is due: those that its last run missed, and that are here again.
package struct CatchUp {
    /// Seconds between two of a workload while nobody asks: a disk that keeps failing is tried four times an hour, not without end.
    package static let pauseSeconds: Int64 = 900
    /// Each failure in a row of a repository that was here doubles the pause for it, up to this: a broken disk does not keep the source and
    /// the other disks busy all day.
    package static let longestPauseSeconds: Int64 = 4 * 3600

    /// What is found where a repository should be.
    package enum Presence: Sendable, Hashable {
        case away
        case here
        /// It was away since it was last tried: what failed before says nothing of it.
        case back
    }

    /// A person asks: it is done at once.
    private let isByHand: Bool
    private let presence: (String) -> Presence

    /// `presence` says whether a repository can be written to, by its name; it is asked of those that were missed alone.
    package init(isByHand: Bool, presence: @escaping (String) -> Presence) {
        self.isByHand = isByHand
        self.presence = presence
    }

    /// Nothing is caught up with but by what is due.
    package static var none: CatchUp { CatchUp(isByHand: false) { _ in .away } }

    /// The pause after so many failures in a row.
    package static func pause(failures: Int) -> Int64 {
        min(longestPauseSeconds, pauseSeconds << Int64(min(max(failures, 1), 16) - 1))
    }

    /// The repositories, in the order of the declaration.
    func repositories(of workload: Workload, _ ledger: Ledger, now: Timestamp) -> [String] {
        guard let history = ledger.workloads[workload.name], !history.missing.isEmpty else { return [] }
        let last = max(history.lastAttempt ?? .distantPast, history.caughtUp ?? .distantPast)
        return workload.repositories.filter { name in
            guard history.missing.contains(name) else { return false }
            let presence = presence(name)
            guard presence != .away, !isByHand else { return presence != .away }
            let failures = presence == .back ? 0 : history.failures[name] ?? 0
            // A moment after now was dated by a wrong clock, and holds nothing up.
            return last > now || now.length(since: last) >= .seconds(Self.pause(failures: failures))
        }
    }
}
