import HTTPTransport
import Synchronization
import Testing

/// When a transfer counts as stuck: by seconds that are dealt out by hand.
@Suite struct TransferWatchTests {
    private let pulse = TransferPulse()

    /// The stall after the seconds in which `moved` bytes move each; nil when there is none by then.
    private func stall(
        _ moved: [Int],
        answerSeconds: Int = 300,
        _ pace: HTTPPace = HTTPPace(spanSeconds: 2, bytesMin: 100)
    ) async -> HTTPStall? {
        let left = Mutex(moved[...])
        let pulse = pulse
        let watch = TransferWatch(pulse, answerSeconds: answerSeconds, pace: pace) {
            guard let bytes = left.withLock({ $0.popFirst() }) else { throw CancellationError() }
            if bytes > 0 { pulse.moved(bytes) }
        }
        return try? await watch.stall()
    }

    @Test func `E-11 a server that thinks has its time, and no more`() async {
        #expect(await stall([0, 0, 0, 0, 0], answerSeconds: 6) == nil)
        #expect(await stall([0, 0, 0, 0, 0, 0], answerSeconds: 6) == HTTPStall(seconds: 6, bytes: 0))
        #expect(await stall([0, 0, 1, 0, 0, 0], answerSeconds: 4) == nil)
    }

    @Test func `E-11 a body that moves slower than the pace in a whole span of its way is stuck`() async {
        pulse.isSending(true)
        #expect(await stall([0, 10, 50, 49]) == HTTPStall(seconds: 2, bytes: 99))
        #expect(await stall([0, 10, 50, 50, 99, 1]) == nil)
    }

    @Test func `Q-04 a machine that does not come round to its own work calls nobody stuck`() async {
        pulse.isSending(true)
        #expect(await stall([], answerSeconds: 1) == nil)
    }
}
