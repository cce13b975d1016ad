import ResticRepository

/// A repository on its way to being open: who needs it waits for this one, and for none of the others.
actor Opening {
    /// What came of it; why it could not be opened is told already.
    enum Outcome: Sendable {
        case open(OpenStore)
        case failed(RunReport.Line)
        case cancelled
    }

    nonisolated let store: LabStore
    private var settled: Outcome?
    private var waiting: [CheckedContinuation<Outcome, Never>] = []

    init(_ store: LabStore) { self.store = store }

    func settle(_ outcome: Outcome) {
        settled = outcome
        for continuation in waiting { continuation.resume(returning: outcome) }
        waiting = []
    }

    /// Waits until it is open or failed: whoever opens it is cancelled with those who wait.
    func outcome() async -> Outcome {
        if let settled { return settled }
        return await withCheckedContinuation { waiting.append($0) }
    }

    /// The open repository; nil when it could not be opened.
    ///
    /// Errors: cancellation.
    func opened() async throws -> OpenStore? {
        let outcome = await outcome()
        try Task.checkCancellation()
        guard case .open(let store) = outcome else { return nil }
        return store
    }
}
