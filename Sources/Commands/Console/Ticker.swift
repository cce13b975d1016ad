package import Bytes

/// Nanoseconds between two progress reports, or nil for none.
///
/// Ten a second on a terminal and in JSON mode. `RESTIC_PROGRESS_FPS` (at most 60) overrides, also for quiet runs and plain pipes.
package func progressInterval(isShown: Bool, isJSON: Bool, canUpdateStatus: Bool, fps: String?) -> UInt64? {
    if let fps, let wanted = Double(fps), wanted > 0 { return UInt64(1e9 / min(wanted, 60)) }
    guard isShown, isJSON || canUpdateStatus else { return nil }
    return 100_000_000
}

/// Runs `body`, and beside it calls `tick` at every interval until it ends.
///
/// Isolation: `tick` runs in a child task; it has ended when this returns.
package func withTicks<R: Sendable>(
    every interval: UInt64?,
    time: any TimeSource,
    _ tick: @escaping @Sendable () -> Void,
    _ body: () async throws -> R
) async throws -> R {
    guard let interval else { return try await body() }
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            while true {
                do { try await time.sleep(nanoseconds: interval) } catch { return }
                tick()
            }
        }
        defer { group.cancelAll() }
        return try await body()
    }
}
