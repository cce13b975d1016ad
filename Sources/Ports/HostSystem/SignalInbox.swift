import Synchronization

/// The signals of this process, for a program that does more with them than to stop.
///
/// Whoever asks for them with `signals()` gets each; until then, and in every other program, the first SIGTERM cancels the root task.
package final class SignalInbox: Sendable {
    /// That of the running command line; nil in tests and libraries.
    @TaskLocal package static var current: SignalInbox?

    private let isTaken = Atomic<Bool>(false)
    private let stream: AsyncStream<StopSignal>
    private let sender: AsyncStream<StopSignal>.Continuation

    package init() {
        // More than a few waiting ones say the same again.
        (stream, sender) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
    }

    /// Gives a signal to whoever asked for them; false when nobody has.
    package func post(_ signal: StopSignal) -> Bool {
        guard isTaken.load(ordering: .acquiring) else { return false }
        sender.yield(signal)
        return true
    }

    /// The signals from now on; for one reader.
    package func signals() -> AsyncStream<StopSignal> {
        isTaken.store(true, ordering: .releasing)
        return stream
    }
}
