package import Bytes

/// The rotating verification: packs are divided into 256 groups by the first byte of their names, and each group is read once a period.
///
/// 1. Names are hashes, so the groups are equally large, and a new pack joins one that will be read within the period.
/// 2. After a pause as many groups are due as the pause was long, at most all.
package struct VerifyRotation: Sendable, Hashable {
    package static let groups = 256

    /// When the present round began.
    package var started: Timestamp
    /// Groups of the present round that were read and found good.
    package var done = 0
    /// When a round was last completed: every byte was read between `since` and then.
    package var completed: Round?

    /// A round that was completed.
    package struct Round: Sendable, Hashable {
        package var since: Timestamp
        package var ended: Timestamp

        package init(since: Timestamp, ended: Timestamp) {
            self.since = since
            self.ended = ended
        }
    }

    package init(started: Timestamp) { self.started = started }

    /// The groups to read now, so that a round takes no longer than `period`; empty when none is due yet.
    package func due(now: Timestamp, period: Duration) -> Range<Int> {
        let length = max(1, period.components.seconds)
        let passed = max(0, now.length(since: started).components.seconds)
        guard passed < length else { return done..<Self.groups }
        let wanted = Int(passed * Int64(Self.groups) / length) + 1
        return done..<max(done, min(Self.groups, wanted))
    }

    /// Records that the groups before `end` were read and found good.
    package mutating func finished(upTo end: Int, now: Timestamp) {
        done = max(done, end)
        guard done >= Self.groups else { return }
        completed = Round(since: started, ended: now)
        started = now
        done = 0
    }

    /// A whole verification begins: it counts as a round of its own.
    package mutating func beginWhole(at now: Timestamp) {
        started = now
        done = 0
    }

    /// The moment since which every byte that was stored then has been read; nil before the first round is complete.
    package var everyByteReadSince: Timestamp? { completed?.since }
}
