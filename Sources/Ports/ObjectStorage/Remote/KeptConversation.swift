import Bytes

/// A conversation with a program, which may have ended.
protocol Conversation: Sendable {
    /// Whether it can be gone on with.
    var isAlive: Bool { get }
}

/// Keeps one conversation, and begins another when it has ended; those who come meanwhile wait for it.
actor KeptConversation<Kept: Conversation> {
    private var kept: Kept?
    private var isStarting = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Errors: those of `start`.
    func current(_ start: @Sendable () async throws -> Kept) async throws -> Kept {
        while isStarting { await withCheckedContinuation { waiting.append($0) } }
        if let kept, kept.isAlive { return kept }
        isStarting = true
        defer {
            isStarting = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        kept = nil
        let started = try await start()
        kept = started
        return started
    }
}

/// What a program wrote to its standard error at last: its lines, as they can be shown.
func lastLines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n")).map { line in
        ByteString(line.filter { $0 != UInt8(ascii: "\r") }).display
    }
    .filter { !$0.isEmpty }
}
