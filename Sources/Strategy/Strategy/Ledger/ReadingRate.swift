package import Bytes

/// How fast data came from a repository when that was last measured.
package struct ReadingRate: Sendable, Hashable {
    /// Less than this tells nothing of a disk.
    package static let bytesMin: UInt64 = 1 << 20
    /// What took less counts as this long: the rate is not taken for higher than it was shown to be.
    package static let secondsMin = 0.05

    package var bytesPerSecond: UInt64
    /// When it was measured.
    package var time: Timestamp
    /// Of a restore, which writes files too; else of packs that were read, opened and unpacked.
    package var isOfRestore: Bool

    package init(bytesPerSecond: UInt64, time: Timestamp, isOfRestore: Bool) {
        self.bytesPerSecond = bytesPerSecond
        self.time = time
        self.isOfRestore = isOfRestore
    }

    /// Of packs that were read so long; nil when that is too little to tell.
    package init?(reading bytes: UInt64, seconds: Double, at time: Timestamp) {
        guard bytes >= Self.bytesMin, seconds.isFinite else { return nil }
        let rate = Double(bytes) / max(Self.secondsMin, seconds)
        self.init(bytesPerSecond: UInt64(max(1, rate)), time: time, isOfRestore: false)
    }

    /// The one that counts: the newer, but what a restore showed stays until the next restore.
    package func following(_ earlier: ReadingRate?) -> ReadingRate {
        guard let earlier, earlier.isOfRestore, !isOfRestore else { return self }
        return earlier
    }
}

extension RepositoryHistory {
    /// Records a rate, where there is one.
    package mutating func note(_ measured: ReadingRate?) {
        if let measured { rate = measured.following(rate) }
    }
}
