import NIOCore
import NIOPosix
import Synchronization

/// What a transfer did lately.
final class TransferPulse: Sendable {
    private struct State {
        var moved = 0
        /// Whether a body is on its way, rather than a server thinking.
        var isMoving = false
    }

    private let state = Mutex(State())

    func moved(_ bytes: Int) { state.withLock { $0.moved += bytes } }

    /// True while our body leaves; the server's time to think begins behind it.
    func isSending(_ isSending: Bool) { state.withLock { $0.isMoving = isSending } }

    /// The head of the answer is there.
    func isReceiving() {
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
final class TransferWatch: Sendable {
    private struct State {
        var silentSeconds = 0
        /// Whether a body was on its way at the last look, so that a whole span of it can be judged.
        var wasMoving = false
        var task: RepeatedTask?
    }

    private let pulse: TransferPulse
    private let settings: HTTPSettings
    private let pace: HTTPPace
    private let spanSeconds: Int
    private let alarm: EventLoopPromise<HTTPStall>
    private let state = Mutex(State())

    init(_ pulse: TransferPulse, _ settings: HTTPSettings, _ pace: HTTPPace) {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        self.pulse = pulse
        self.settings = settings
        self.pace = pace
        spanSeconds = max(1, min(pace.spanSeconds, settings.answerSeconds))
        alarm = loop.makePromise()
        let span = TimeAmount.seconds(Int64(spanSeconds))
        let task = loop.scheduleRepeatedTask(initialDelay: span, delay: span) { [self] _ in look() }
        state.withLock { $0.task = task }
    }

    /// Returns when the transfer is stuck.
    func stall() async throws -> HTTPStall { try await alarm.futureResult.get() }

    /// Stops looking; whoever waits for a stall is told so.
    func end() {
        state.withLock { $0.task }?.cancel()
        alarm.fail(CancellationError())
    }

    private func look() {
        let (moved, isMoving) = pulse.look()
        let stall = state.withLock { state -> HTTPStall? in
            defer { state.wasMoving = isMoving }
            state.silentSeconds = moved > 0 ? 0 : state.silentSeconds + spanSeconds
            if isMoving, state.wasMoving, moved < pace.bytesMin { return HTTPStall(seconds: spanSeconds, bytes: moved) }
            guard state.silentSeconds >= settings.answerSeconds else { return nil }
            return HTTPStall(seconds: state.silentSeconds, bytes: 0)
        }
        if let stall { alarm.succeed(stall) }
    }
}
