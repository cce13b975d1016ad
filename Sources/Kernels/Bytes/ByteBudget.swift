import Synchronization

/// A bound on the bytes in flight, shared by tasks: who wants more than is left waits in line (L5).
///
/// Invariants: 1. granted bytes never exceed `total`. 2. Requests are granted in the order they came; a small one does not
/// overtake a large one. 3. A request above `total` counts as `total`, so it runs alone instead of waiting for ever.
package final class ByteBudget: Sendable {
    private struct Waiter {
        var ticket: UInt64
        var bytes: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var nextTicket: UInt64 = 0
        var waiters: [Waiter] = []
        /// Tickets cancelled before they stood in line.
        var cancelled: Set<UInt64> = []

        mutating func grantable() -> [CheckedContinuation<Void, any Error>] {
            var granted: [CheckedContinuation<Void, any Error>] = []
            while granted.count < waiters.count, waiters[granted.count].bytes <= free {
                let waiter = waiters[granted.count]
                free -= waiter.bytes
                granted.append(waiter.continuation)
            }
            waiters.removeFirst(granted.count)
            return granted
        }
    }

    /// Bytes that may be granted at a time.
    package let total: Int
    private let state: Mutex<State>

    package init(_ total: Int) {
        precondition(total > 0)
        self.total = total
        state = Mutex(State(free: total))
    }

    /// Bytes not granted now.
    package var free: Int { state.withLock { $0.free } }

    /// Requests in line now.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes `bytes` if they are free and nobody is in line.
    package func tryAcquire(_ bytes: Int) -> Bool {
        precondition(bytes >= 0)
        let wanted = min(bytes, total)
        return state.withLock { state in
            guard state.waiters.isEmpty, state.free >= wanted else { return false }
            state.free -= wanted
            return true
        }
    }

    /// Waits for `bytes`; throws `CancellationError`, holding nothing, when the task is cancelled first.
    package func acquire(_ bytes: Int) async throws {
        try Task.checkCancellation()
        if tryAcquire(bytes) { return }
        let wanted = min(bytes, total)
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        defer { state.withLock { _ = $0.cancelled.remove(ticket) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(Waiter(ticket: ticket, bytes: wanted, continuation: continuation))
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    /// Gives back what one `acquire` of the same number took.
    package func release(_ bytes: Int) {
        let granted = state.withLock { state in
            state.free += min(bytes, total)
            precondition(state.free <= total, "more bytes were released than acquired")
            return state.grantable()
        }
        for continuation in granted { continuation.resume() }
    }

    /// Holds `bytes` while `body` runs.
    package func holding<R>(_ bytes: Int, _ body: () async throws -> R) async throws -> R {
        try await acquire(bytes)
        defer { release(bytes) }
        return try await body()
    }

    private func enqueue(_ waiter: Waiter) {
        let (refused, granted) = state.withLock { state -> (Bool, [CheckedContinuation<Void, any Error>]) in
            if state.cancelled.contains(waiter.ticket) { return (true, []) }
            state.waiters.append(waiter)
            return (false, state.grantable())
        }
        if refused { waiter.continuation.resume(throwing: CancellationError()) }
        for continuation in granted { continuation.resume() }
    }

    private func cancel(_ ticket: UInt64) {
        let (removed, granted) = state.withLock {
            state -> (CheckedContinuation<Void, any Error>?, [CheckedContinuation<Void, any Error>]) in
            guard let place = state.waiters.firstIndex(where: { $0.ticket == ticket }) else {
                state.cancelled.insert(ticket)
                return (nil, [])
            }
            let waiter = state.waiters.remove(at: place)
            return (waiter.continuation, state.grantable())
        }
        removed?.resume(throwing: CancellationError())
        for continuation in granted { continuation.resume() }
    }
}
