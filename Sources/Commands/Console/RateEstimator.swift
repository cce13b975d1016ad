/// Bytes a second over the recent past, steady enough for a remaining time.
///
/// Progress is kept in buckets of a second. History older than two minutes is dropped, but never below 100 MB or 20 buckets, so that
/// a slow line, where progress comes in bursts, does not make the estimate jump.
package struct RateEstimator: Sendable {
    private struct Bucket {
        var bytes: UInt64
        var endSeconds: Double
    }

    private static let windowSeconds = 120.0
    private static let bytesKeptMin: UInt64 = 100_000_000
    private static let bucketsKeptMin = 20
    /// Below this many bytes a second a remaining time would be a guess.
    private static let slowestRate = 1024.0

    private var buckets: [Bucket] = []
    private var startSeconds: Double
    private var total: UInt64 = 0

    /// Starts measuring; times are seconds of a clock that never steps.
    package init(startSeconds: Double) { self.startSeconds = startSeconds }

    /// Adds bytes moved since the last call.
    package mutating func record(_ bytes: UInt64, atSeconds now: Double) {
        guard bytes > 0 else { return }
        if let last = buckets.indices.last, buckets[last].endSeconds > now {
            buckets[last].bytes += bytes
        } else {
            buckets.append(Bucket(bytes: bytes, endSeconds: now + 1))
        }
        total += bytes
        trim(now)
    }

    /// Bytes a second, 0 before any time has passed.
    package mutating func rate(atSeconds now: Double) -> Double {
        trim(now)
        return now > startSeconds ? Double(total) / (now - startSeconds) : 0
    }

    /// Seconds until `bytes` more are done, or 0 when that cannot be said.
    package mutating func secondsRemaining(_ bytes: UInt64, atSeconds now: Double) -> UInt64 {
        let rate = rate(atSeconds: now)
        return rate <= Self.slowestRate ? 0 : UInt64(Double(bytes) / rate)
    }

    private mutating func trim(_ now: Double) {
        var dropped = 0
        while buckets.count - dropped > Self.bucketsKeptMin, buckets[dropped].endSeconds <= now - Self.windowSeconds,
            total - buckets[dropped].bytes >= Self.bytesKeptMin
        {
            startSeconds = buckets[dropped].endSeconds
            total -= buckets[dropped].bytes
            dropped += 1
        }
        if dropped > 0 { buckets.removeFirst(dropped) }
    }
}
