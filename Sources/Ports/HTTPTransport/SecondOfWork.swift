import NIOCore
import NIOPosix

/// Returns when a second has passed, and this machine has come round to its own work in it.
///
/// What waits for others is judged in such seconds: a machine whose threads compute, or that was suspended, is late itself.
/// Errors: when the task is cancelled.
func secondOfWork() async throws {
    let alarm = MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: .seconds(1)) {}
    try await withTaskCancellationHandler {
        try await alarm.futureResult.get()
    } onCancel: {
        alarm.cancel()
    }
    // One turn in the line of those who carry bodies: the client hands over what it sends on the shared threads of the language,
    // wherever its caller runs.
    await withTaskExecutorPreference(globalConcurrentExecutor) { await Task.yield() }
}
