import Bytes

/// Which repositories a workload catches up with although nothing is due: those that its last run missed, and that are here again.
package struct CatchUp {
    /// Seconds between two of a workload while nobody asks: a disk that keeps failing is tried four times an hour, not without end.
    package static let pauseSeconds: Int64 = 900

    /// A person asks: it is done at once.
    private let isByHand: Bool
    private let isHere: (String) -> Bool

    /// `isHere` says whether a repository can be written to, by its name; it is asked of those that were missed alone.
    package init(isByHand: Bool, isHere: @escaping (String) -> Bool) {
        self.isByHand = isByHand
        self.isHere = isHere
    }

    /// Nothing is caught up with but by what is due.
    package static var none: CatchUp { CatchUp(isByHand: false) { _ in false } }

    /// The repositories, in the order of the declaration.
    func repositories(of workload: Workload, _ ledger: Ledger, now: Timestamp) -> [String] {
        guard let history = ledger.workloads[workload.name], !history.missing.isEmpty else { return [] }
        let last = max(history.lastAttempt ?? .distantPast, history.caughtUp ?? .distantPast)
        // A moment after now was dated by a wrong clock, and holds nothing up.
        let isPaused = last <= now && now.length(since: last) < .seconds(Self.pauseSeconds)
        guard isByHand || !isPaused else { return [] }
        return workload.repositories.filter { history.missing.contains($0) && isHere($0) }
    }
}
