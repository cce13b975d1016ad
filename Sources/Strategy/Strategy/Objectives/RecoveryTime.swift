/// How long bringing a workload back from one medium takes, against the promise.
package enum RecoveryTime: Sendable, Hashable {
    /// No restore from that medium was measured, or the size is not known.
    case unknown
    /// Nothing was promised; so long by the measured rate.
    case unjudged(Duration)
    case met(Duration)
    case tooLong(Duration, promised: Duration)

    /// Judges by the rate that a restore from the medium was last measured at, in bytes a second, times the full size.
    ///
    /// Bounds: a thousand years.
    package init(bytes: UInt64?, rate: UInt64?, promised: Duration?) {
        guard let bytes, let rate, rate > 0 else {
            self = .unknown
            return
        }
        let seconds = min(bytes / rate + (bytes % rate > 0 ? 1 : 0), 365_250 * 86_400)
        let time = Duration.seconds(Int64(seconds))
        guard let promised else {
            self = .unjudged(time)
            return
        }
        self = time <= promised ? .met(time) : .tooLong(time, promised: promised)
    }

    /// True when the promise is broken.
    package var isBreached: Bool {
        if case .tooLong = self { true } else { false }
    }
}
