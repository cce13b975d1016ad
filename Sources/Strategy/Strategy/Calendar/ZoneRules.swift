package import Bytes

/// A time zone as a value: which offset from UTC counts at which moment, for ever.
///
/// Made from the bytes of a TZif file (`init(tzif:)`) or from a fixed offset; nothing is read from disk here. A moment is a count of
/// POSIX seconds: leap seconds do not exist, and files that count them are refused.
///
/// **Shape**: segments of constant offset, ascending, the first one without a beginning. What a file says by rule for its future is
/// written out as segments for 400 years, after which the Gregorian calendar, and with it every such rule, repeats. Rules count from
/// 1900 on.
/// **Bounds**: at most `StrategyLimits.zoneTransitions` segments of a file and 808 made from its rule, 24 bytes each; moments beyond
/// 2^59 seconds (18 thousand million years) count as that moment.
/// **Cost** of each question: one binary search, no allocation, unless it says so.
package struct ZoneRules: Sendable, Hashable {
    /// A stretch of time in which one offset counts.
    struct Segment: Sendable, Hashable {
        /// The first moment.
        var start: Int64
        /// Seconds east of UTC.
        var offset: Int64
        /// The latest time that the clock has shown in any earlier segment: a clock that is set back shows less for a while.
        var shownBefore: Int64
    }

    private let segments: [Segment]
    /// From this moment on every offset is the one of 400 years earlier; nil when there is no such rule.
    private let repeatsFrom: Int64?

    /// Universal time: the clock of moments, never set.
    package static let utc = ZoneRules(initialOffset: 0, transitions: [], repeatsFrom: nil)

    /// A clock that is never set, `fixedOffsetSeconds` east of UTC; nil beyond 26 hours.
    package init?(fixedOffsetSeconds offset: Int) {
        guard ZoneRules.offsets.contains(Int64(offset)) else { return nil }
        self.init(initialOffset: Int64(offset), transitions: [], repeatsFrom: nil)
    }

    /// Segments from what was checked: offsets within `offsets`, transitions ascending.
    init(initialOffset: Int64, transitions: [ZoneTransition], repeatsFrom: Int64?) {
        var segments = [Segment(start: .min, offset: initialOffset, shownBefore: .min)]
        segments.reserveCapacity(transitions.count + 1)
        for transition in transitions {
            let last = segments[segments.count - 1]
            guard transition.offset != last.offset else { continue }
            precondition(transition.moment > last.start && ZoneRules.offsets.contains(transition.offset))
            segments.append(
                Segment(
                    start: transition.moment,
                    offset: transition.offset,
                    shownBefore: max(last.shownBefore, transition.moment - 1 + last.offset)
                )
            )
        }
        self.segments = segments
        self.repeatsFrom = repeatsFrom
    }

    /// Seconds east of UTC at that moment.
    package func offsetSeconds(at moment: Timestamp) -> Int {
        Int(segments[index(at: canonical(moment.seconds).seconds)].offset)
    }

    /// What the clock shows at that moment.
    package func local(at moment: Timestamp) -> LocalTime {
        LocalTime(seconds: bounded(moment.seconds) + Int64(offsetSeconds(at: moment)))
    }

    /// The moment with the offset that counts there.
    package func zoned(_ moment: Timestamp) -> ZonedTime {
        ZonedTime(moment, offsetSeconds: Int32(offsetSeconds(at: moment)))
    }

    /// The moments at which the clock shows that time, ascending: one; two where the clock is set back; none where it jumps ahead.
    package func moments(showing local: LocalTime) -> [Timestamp] {
        let wanted = canonical(local.seconds)
        var found: [Timestamp] = []
        let widest = ZoneRules.offsets.upperBound
        for index in index(at: wanted.seconds - widest)...index(at: wanted.seconds + widest) {
            let moment = wanted.seconds - segments[index].offset
            let isWithin =
                moment >= segments[index].start
                && (index + 1 == segments.count || moment < segments[index + 1].start)
            if isWithin { found.append(Timestamp(seconds: moment + wanted.shift)) }
        }
        return found
    }

    /// The first moment at which the clock shows that time or a later one.
    ///
    /// That is the moment of the time itself, the first one of two, or the end of the gap in which it does not exist.
    package func firstMoment(reaching local: LocalTime) -> Timestamp {
        let wanted = canonical(local.seconds)
        let index = lastIndex { $0.shownBefore < wanted.seconds }
        let segment = segments[index]
        return Timestamp(seconds: max(segment.start, wanted.seconds - segment.offset) + wanted.shift)
    }

    /// The latest time that the clock has shown up to that moment.
    ///
    /// It stands still while a clock that was set back catches up, and never goes back. `firstMoment(reaching:)` is its inverse:
    /// `firstMoment(reaching: x) <= y` exactly when `x <= latestShown(by: y)`.
    package func latestShown(by moment: Timestamp) -> LocalTime {
        let wanted = canonical(moment.seconds)
        let segment = segments[index(at: wanted.seconds)]
        return LocalTime(seconds: max(segment.shownBefore, wanted.seconds + segment.offset) + wanted.shift)
    }
}

// MARK: - Search

extension ZoneRules {
    /// Seconds east of UTC that RFC 9636 allows: a day and some hours to each side.
    static let offsets: ClosedRange<Int64> = -89_999...93_599
    /// Moments that are told apart, in seconds; half of what would overflow with room for every sum here.
    static let moments: ClosedRange<Int64> = -(1 << 59)...(1 << 59)
    /// Seconds of 400 Gregorian years, which are whole weeks.
    static let cycleSeconds: Int64 = 146_097 * 86_400

    private func bounded(_ seconds: Int64) -> Int64 {
        min(max(seconds, ZoneRules.moments.lowerBound), ZoneRules.moments.upperBound)
    }

    /// The same moment or time in the part that is written out, and what to add to come back.
    private func canonical(_ seconds: Int64) -> (seconds: Int64, shift: Int64) {
        let seconds = bounded(seconds)
        guard let repeatsFrom, seconds >= repeatsFrom else { return (seconds, 0) }
        let shift = ((seconds - repeatsFrom) / ZoneRules.cycleSeconds + 1) * ZoneRules.cycleSeconds
        return (seconds - shift, shift)
    }

    private func index(at seconds: Int64) -> Int { lastIndex { $0.start <= seconds } }

    /// The last segment for which that holds, which it does for all before it, and for the first one always.
    private func lastIndex(where holds: (Segment) -> Bool) -> Int {
        var low = 0
        var high = segments.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if holds(segments[middle]) { low = middle } else { high = middle }
        }
        return low
    }
}

/// From this moment on this offset counts.
struct ZoneTransition: Sendable, Hashable {
    var moment: Int64
    /// Seconds east of UTC.
    var offset: Int64
}
