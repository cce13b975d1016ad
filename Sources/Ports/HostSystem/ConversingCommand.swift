import Bytes
import Glibc
import Synchronization

/// A command that is talked with: its standard input is written while its standard output is read.
///
/// Both are done by one thread of its own, so that answers are taken however busy the other threads are, and none of them waits for a
/// command that does not read; standard error is read by another, whose last 64 KiB are kept. Dropping the last reference kills the command.
package final class ConversingCommand: Sendable {
    /// What the thread of the conversation hears.
    package enum Event: Sendable {
        case bytes([UInt8])
        /// Nothing came in this second.
        case second
        /// The command has ended, or closed its output; nothing comes any more.
        case end
    }

    private let child: Child
    private let lines: Lines
    private let errors: ErrorDrain

    /// Starts the command; `hear` gets what it writes, on the thread of the conversation, until it answers false or the end was told.
    ///
    /// **Errors**: `Errno` when the program, a pipe or a thread cannot be had.
    package init(_ command: Command, hear: @escaping @Sendable (Event) -> Bool) throws {
        Signals.ignoreBrokenPipes()
        let (toChild, fromChild, ofErrors) = (try makePipe(), try makePipe(), try makePipe())
        child = try Child(
            command,
            input: toChild.reader.rawValue,
            output: fromChild.writer.rawValue,
            error: ofErrors.writer.rawValue
        )
        try toChild.reader.close()
        try fromChild.writer.close()
        try ofErrors.writer.close()
        errors = try ErrorDrain(ofErrors.reader, nil)
        let lines = try Lines(input: toChild.writer, output: fromChild.reader)
        self.lines = lines
        try SystemThread.start(name: "conversation", stackBytes: 512 << 10) { lines.talk(hear) }.detach()
    }

    /// Has all of it written, behind what was given before, and does not wait for that; to a command that has ended nothing is written.
    ///
    /// **Bounds**: what waits is kept in memory; whoever gives it waits for answers.
    package func write(_ bytes: [UInt8]) { lines.add(bytes) }

    /// Kills the command, and all it started where it has a group of its own.
    package func kill() { child.send(SIGKILL) }

    /// The last 64 KiB of standard error; blocks its thread until that has ended, at most a second.
    package func lastWords() -> [UInt8] {
        errors.settle()
        return errors.tail
    }
}

/// The two streams, and what waits to be written.
private final class Lines: Sendable {
    private struct Waiting {
        var pieces: [[UInt8]] = []
        var isClosed = false
    }

    private let input: FileDescriptor
    private let output: FileDescriptor
    private let wake: CancellationEvent
    private let waiting = Mutex(Waiting())

    init(input: FileDescriptor, output: FileDescriptor) throws(Errno) {
        (self.input, self.output) = (input, output)
        wake = try CancellationEvent()
        try checked("fcntl", fcntl(input.rawValue, F_SETFL, O_NONBLOCK))
    }

    func add(_ bytes: [UInt8]) {
        let isFirst = waiting.withLock { waiting in
            guard !waiting.isClosed else { return false }
            waiting.pieces.append(bytes)
            return waiting.pieces.count == 1
        }
        if isFirst { wake.fire() }
    }

    /// Moves bytes both ways until the command ends, or nobody hears any more.
    func talk(_ hear: (ConversingCommand.Event) -> Bool) {
        let piece = Block(capacity: 256 << 10)
        var outgoing = Outgoing()
        var second = Deadline(after: 1_000_000_000)
        while true {
            let ready = try? pollReadable(
                [
                    (output.rawValue, Int16(POLLIN)), (wake.descriptor.rawValue, Int16(POLLIN)),
                    (outgoing.isEmpty ? -1 : input.rawValue, Int16(POLLOUT)),
                ],
                timeoutMilliseconds: second.remainingMilliseconds
            )
            guard let ready else { break }
            if ready[1] {
                wake.clear()
                outgoing.add(taken())
            }
            // Whether it takes no more because it has ended, its output tells.
            if ready[2] { outgoing.write(to: input.rawValue) }
            if ready[0] {
                piece.reset()
                do { try piece.fill { room throws(Errno) in try output.read(into: room) } } catch { break }
                if piece.isEmpty { break }
                guard hear(.bytes(piece.bytes)) else { return close() }
                second = Deadline(after: 1_000_000_000)
            } else if second.hasPassed {
                guard hear(.second) else { return close() }
                second = Deadline(after: 1_000_000_000)
            }
        }
        close()
        _ = hear(.end)
    }

    private func taken() -> [[UInt8]] {
        waiting.withLock { waiting in
            defer { waiting.pieces = [] }
            return waiting.pieces
        }
    }

    /// What is given from now on is for nobody.
    private func close() { waiting.withLock { $0 = Waiting(isClosed: true) } }
}

/// What the thread of a conversation has to write.
private struct Outgoing {
    private var pieces: ArraySlice<[UInt8]> = []
    /// Of the first piece, written already.
    private var written = 0

    var isEmpty: Bool { pieces.isEmpty }

    mutating func add(_ more: [[UInt8]]) { pieces += more }

    /// As much as the pipe takes now; all is let go of when nobody reads it.
    mutating func write(to descriptor: Int32) {
        while let piece = pieces.first {
            let count = piece.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno != EAGAIN { pieces = [] }
                return
            }
            written += count
            guard written == piece.count else { continue }
            written = 0
            pieces.removeFirst()
        }
        // Lets go of the memory, too.
        pieces = []
    }
}
