/// A moment: seconds since 1970-01-01T00:00:00Z, negative before it, and nanoseconds 0..<1_000_000_000 counted upward.
package struct Timestamp: Sendable, Hashable, Comparable {
    package var seconds: Int64
    package var nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.nanoseconds < right.nanoseconds
    }

    /// Seconds as a floating-point number from `earlier` to here.
    package func seconds(since earlier: Timestamp) -> Double {
        Double(seconds &- earlier.seconds) + Double(nanoseconds - earlier.nanoseconds) / 1e9
    }
}

/// A moment with the zone offset it was written in, since the offset is part of restic's stored bytes.
package struct ZonedTime: Sendable, Hashable {
    package var moment: Timestamp
    /// Seconds east of UTC.
    package var offsetSeconds: Int32

    package init(_ moment: Timestamp, offsetSeconds: Int32 = 0) {
        self.moment = moment
        self.offsetSeconds = offsetSeconds
    }
}

/// Wall and monotonic time, passed in so that runs repeat (L6).
package protocol TimeSource: Sendable {
    func now() -> Timestamp
    /// Nanoseconds of a clock that never steps.
    func monotonicNanoseconds() -> UInt64
    /// Seconds east of UTC of the process's zone at that moment.
    func localOffsetSeconds(at moment: Timestamp) -> Int32
    /// Suspends; throws `CancellationError` when the task is cancelled meanwhile.
    func sleep(nanoseconds: UInt64) async throws
}

/// Random bytes from outside, passed in so that runs repeat (L6).
package protocol EntropySource: Sendable {
    /// Fills the whole buffer; traps when the system has no entropy to give, since a predictable key is worse than none.
    func fill(_ buffer: UnsafeMutableRawBufferPointer)
}

extension EntropySource {
    /// `count` random bytes.
    package func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }
}
