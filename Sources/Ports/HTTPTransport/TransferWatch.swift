import Synchronization

/// What a transfer did lately.
package final class TransferPulse: Sendable {
    private struct State {
        var moved = 0
        /// Whether a body is on its way, rather than a server thinking.
        var isMoving = false
    }

    private let state = Mutex(State())

    package init() {}

    /// So many bytes of a body came or went.
    package func moved(_ bytes: Int) { state.withLock { $0.moved += bytes } }

    /// True while our body leaves; the server's time to think begins behind it.
    package func isSending(_ isSending: Bool) { state.withLock { $0.isMoving = isSending } }

    /// The head of the answer is there.
    package func isReceiving() {
        state.withLock { state in
            state.isMoving = true
            state.moved += 1
        }
    }

    /// What moved since the last look, and whether a body is on its way.
    func look() -> (moved: Int, isMoving: Bool) {
        state.withLock { state in
            defer { state.moved = 0 }
            return (state.moved, state.isMoving)
        }
    }
}

/// Looks at a transfer once in a span, and tells when it is stuck.
///
/// 1. A second counts only when this machine came round to its own work in it: one whose threads compute for others, or that was
///    suspended, has no stuck server, and says so of none.
/// 2. So a transfer is given up at the earliest when its time is over, and later on a machine that is late itself.
package struct TransferWatch: Sendable {
    private let pulse: TransferPulse
    private let answerSeconds: Int
    private let pace: HTTPPace
    private let second: @Sendable () async throws -> Void

    /// `second` returns when another second has passed that counts.
    package init(
        _ pulse: TransferPulse,
        answerSeconds: Int,
        pace: HTTPPace,
        second: @escaping @Sendable () async throws -> Void = { try await secondOfWork() }
    ) {
        self.pulse = pulse
        self.answerSeconds = answerSeconds
        self.pace = pace
        self.second = second
    }

    /// Returns when the transfer is stuck; throws what `second` throws, as it does when the task is cancelled.
    package func stall() async throws -> HTTPStall {
        let span = max(1, min(pace.spanSeconds, answerSeconds))
        var silentSeconds = 0
        // Whether a body was on its way at the last look, so that a whole span of it can be judged.
        var wasMoving = false
        while true {
            for _ in 0..<span { try await second() }
            let (moved, isMoving) = pulse.look()
            if isMoving, wasMoving, moved < pace.bytesMin { return HTTPStall(seconds: span, bytes: moved) }
            wasMoving = isMoving
            silentSeconds = moved > 0 ? 0 : silentSeconds + span
            if silentSeconds >= answerSeconds { return HTTPStall(seconds: silentSeconds, bytes: 0) }
        }
    }
}
