import Bytes
import Synchronization

/// A clock that moves when it is told to.
///
/// Short sleeps take no time of the test; long ones end when the clock has come there.
final class BackupClock: TimeSource {
    private struct Sleeper {
        let deadline: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var start = Timestamp(seconds: 1_760_000_000)
        var elapsed: UInt64 = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state = Mutex(State())

    func now() -> Timestamp {
        state.withLock { state in
            Timestamp(
                seconds: state.start.seconds + Int64(state.elapsed / 1_000_000_000),
                nanoseconds: Int32(state.elapsed % 1_000_000_000)
            )
        }
    }

    func monotonicNanoseconds() -> UInt64 { state.withLock { $0.elapsed } }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }

    /// Tasks that wait for the clock.
    var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Moves both clocks on and wakes whoever waited for that.
    func advance(seconds: UInt64) {
        let due = state.withLock { state in
            state.elapsed += seconds * 1_000_000_000
            let due = state.sleepers.filter { $0.value.deadline <= state.elapsed }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Moves the wall clock alone, as a suspended machine's does.
    func suspend(seconds: Int64) { state.withLock { $0.start.seconds += seconds } }

    func sleep(nanoseconds: UInt64) async throws {
        try Task.checkCancellation()
        guard nanoseconds > 1_000_000_000 else {
            return state.withLock { $0.elapsed += nanoseconds }
        }
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers[id] = Sleeper(
                        deadline: state.elapsed + nanoseconds,
                        continuation: continuation
                    )
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
