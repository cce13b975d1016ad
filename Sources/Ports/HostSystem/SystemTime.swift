package import Bytes
import CHost
import Glibc

/// The clocks and the time zone of the machine.
package struct SystemTime: TimeSource {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    package func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    package func localOffsetSeconds(at moment: Timestamp) -> Int32 {
        var seconds = time_t(moment.seconds)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return 0 }
        return Int32(truncatingIfNeeded: parts.tm_gmtoff)
    }

    package func sleep(nanoseconds: UInt64) async throws {
        try await Task.sleep(nanoseconds: nanoseconds)
    }
}

/// The kernel's random numbers.
package struct SystemEntropy: EntropySource {
    package init() {}

    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = chost_random(rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            precondition(count > 0, "the kernel has no random numbers to give")
            filled += count
        }
    }
}
