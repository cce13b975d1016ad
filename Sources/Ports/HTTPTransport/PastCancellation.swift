import NIOCore
import NIOPosix

/// Runs `body` to its end although the task is cancelled, for `graceSeconds` of work from then on; it is cancelled behind that.
///
/// For what must be given back: a lock, a half-sent object. The caller waits for it, so nothing runs on behind its back. It runs on the
/// language's shared threads and must not block them.
package func pastCancellation<R: Sendable>(
    graceSeconds: Int,
    _ body: @escaping @Sendable () async throws -> R
) async throws -> R {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let isCancelled = loop.makePromise(of: Void.self)
    // A task of the event loop's, since one of ours would hear the cancellation.
    let result = loop.makeFutureWithTask {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await isCancelled.futureResult.get()
                for _ in 0..<graceSeconds { try await secondOfWork() }
                return nil
            }
            defer {
                group.cancelAll()
                isCancelled.succeed()
            }
            guard let first = try await group.next(), let first else { throw CancellationError() }
            return first
        }
    }
    return try await withTaskCancellationHandler {
        try await result.get()
    } onCancel: {
        isCancelled.succeed()
    }
}
