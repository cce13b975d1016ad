import Bytes
import Glibc
import HostSystem
import Synchronization

/// The answer that a request waits for.
final class SFTPTicket: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<SFTPAnswer, any Error>)
        case answered(Result<SFTPAnswer, any Error>)
    }

    private let state = Mutex(State.open)

    /// The first result counts.
    func answer(_ result: Result<SFTPAnswer, any Error>) {
        let waiting = state.withLock { state -> CheckedContinuation<SFTPAnswer, any Error>? in
            switch state {
            case .open:
                state = .answered(result)
                return nil
            case .waiting(let continuation):
                state = .answered(result)
                return continuation
            case .answered: return nil
            }
        }
        waiting?.resume(with: result)
    }

    /// Waits for it, once; a cancelled task waits no longer.
    func value() async throws -> SFTPAnswer {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<SFTPAnswer, any Error>? in
                    if case .answered(let result) = state { return result }
                    state = .waiting(continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            answer(.failure(CancellationError()))
        }
    }
}

/// Why a conversation has ended.
struct SFTPEnd: Error, Sendable, Hashable {
    enum Cause: Sendable, Hashable {
        /// The program ended, or closed the line.
        case closed
        /// Nothing came for so many seconds while answers were due.
        case silent(seconds: Int)
        /// What came is not SFTP.
        case malformed
    }

    var cause: Cause
    /// What the program wrote to its standard error at last, line by line.
    var lastWords: [String]
}

extension SFTPEnd: CustomStringConvertible {
    var description: String {
        switch cause {
        case .closed: lastWords.last ?? "has ended"
        case .silent(let seconds): "has said nothing for \(seconds) s"
        case .malformed: "what is not SFTP"
        }
    }
}

/// One conversation with an SFTP server over the standard streams of a program, with many requests in flight.
///
/// 1. Each request has an id of its own, and its answer is taken in whatever order it comes; an answer to nobody ends the conversation.
/// 2. A packet is bounded before it is stored (L3).
/// 3. When nothing comes for `silenceSeconds` while answers are due, the program is killed, and all who wait hear why (E-11).
/// 4. Nobody waits on a thread for a line that is slow: requests are written by the thread that hears the answers.
final class SFTPConnection: Conversation {
    private struct State {
        var pending: [UInt32: SFTPTicket] = [:]
        var nextID: UInt32 = 1
        var received: [UInt8] = []
        var extensions: Set<String> = []
        var silentSeconds = 0
        var end: SFTPEnd?
    }

    private static let packetBytesMax = 1 << 20
    /// The id of the greeting, which has none on the wire.
    private static let greetingID: UInt32 = 0

    private let state = Mutex(State())
    private let silenceSeconds: Int
    private let command = Mutex<ConversingCommand?>(nil)

    /// Starts the program.
    ///
    /// **Errors**: `Errno` when it cannot be started.
    init(_ words: [ByteString], silenceSeconds: Int) throws {
        self.silenceSeconds = silenceSeconds
        var program = Command(words)
        program.hasOwnGroup = true
        // Who hears of its end before this is through waits.
        try command.withLock { command in
            command = try ConversingCommand(program) { [weak self] event in self?.hear(event) ?? false }
        }
    }

    deinit { command.withLock { $0 }?.kill() }

    /// Whether requests can still be sent.
    var isAlive: Bool { state.withLock { $0.end == nil } }

    /// Whether the server offers an extension of the protocol.
    func has(_ name: String) -> Bool { state.withLock { $0.extensions.contains(name) } }

    /// Greets the server, and learns what it offers.
    ///
    /// **Errors**: `SFTPEnd`, cancellation.
    func greet() async throws {
        var hello = SFTPRequest(.start)
        hello.add(UInt32(3))
        let ticket = SFTPTicket()
        try state.withLock { state in
            if let end = state.end { throw end }
            state.pending[Self.greetingID] = ticket
        }
        write(hello.sealed(Self.greetingID))
        let answer = try await ticket.value()
        var reader = SFTPReader(answer.rest)
        var extensions: Set<String> = []
        do throws(SFTPMalformed) {
            _ = try reader.number()
            while !reader.isAtEnd {
                extensions.insert(ByteString(try reader.text()).display)
                _ = try reader.text()
            }
        } catch {
            throw end(.malformed, lastWords: [])
        }
        state.withLock { $0.extensions = extensions }
    }

    /// Sends a request; its answer comes with the ticket.
    ///
    /// **Bounds**: what was not written yet is kept in memory; a sender has as many requests on their way as its window allows.
    /// **Errors**: `SFTPEnd`.
    func send(_ request: SFTPRequest) throws -> SFTPTicket {
        let ticket = SFTPTicket()
        let id = try state.withLock { state in
            if let end = state.end { throw end }
            let id = state.nextID
            state.nextID = id == .max ? 1 : id + 1
            if state.pending.isEmpty { state.silentSeconds = 0 }
            state.pending[id] = ticket
            return id
        }
        write(request.sealed(id))
        return ticket
    }

    private func write(_ packet: [UInt8]) { command.withLock { $0 }?.write(packet) }

    /// Ends it, and says why it ended at first.
    @discardableResult
    private func end(_ cause: SFTPEnd.Cause, lastWords: [String]) -> SFTPEnd {
        let (end, waiting) = state.withLock { state in
            let end = state.end ?? SFTPEnd(cause: cause, lastWords: lastWords)
            state.end = end
            defer { state.pending = [:] }
            return (end, Array(state.pending.values))
        }
        command.withLock { $0 }?.kill()
        for ticket in waiting { ticket.answer(.failure(end)) }
        return end
    }

    // MARK: The thread of the conversation

    private func hear(_ event: ConversingCommand.Event) -> Bool {
        switch event {
        case .bytes(let bytes):
            var answers: [(SFTPTicket, SFTPAnswer)] = []
            let isSound = state.withLock { state in
                state.silentSeconds = 0
                state.received += bytes
                return Self.take(&state, &answers)
            }
            for (ticket, answer) in answers { ticket.answer(.success(answer)) }
            if !isSound { end(.malformed, lastWords: []) }
            return isSound
        case .second:
            let isSilent = state.withLock { state in
                state.silentSeconds = state.pending.isEmpty ? 0 : state.silentSeconds + 1
                return state.silentSeconds >= silenceSeconds
            }
            if isSilent { end(.silent(seconds: silenceSeconds), lastWords: []) }
            return !isSilent
        case .end:
            let words = command.withLock { $0 }?.lastWords() ?? []
            end(.closed, lastWords: lastLines(words))
            return false
        }
    }

    /// Takes whole packets out of what came; false for what is no packet.
    private static func take(_ state: inout State, _ answers: inout [(SFTPTicket, SFTPAnswer)]) -> Bool {
        var position = 0
        defer { if position > 0 { state.received.removeFirst(position) } }
        while state.received.count - position >= 5 {
            var reader = SFTPReader(state.received, from: position)
            guard let length = try? reader.number(), (1...UInt32(packetBytesMax)).contains(length) else { return false }
            guard state.received.count - position >= 4 + Int(length) else { return true }
            let packet = state.received[(position + 4)..<(position + 4 + Int(length))]
            position += 4 + Int(length)
            guard let type = packet.first else { return false }
            let isGreeting = type == SFTPType.version.rawValue
            guard isGreeting || packet.count >= 5 else { return false }
            let id =
                isGreeting
                ? greetingID : packet.dropFirst().prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard let ticket = state.pending.removeValue(forKey: id) else { return false }
            answers.append((ticket, SFTPAnswer(type: type, rest: Array(packet.dropFirst(isGreeting ? 1 : 5)))))
        }
        return true
    }
}
