import Bytes
import Glibc

/// A command that is talked with: its standard input is written while its standard output is read.
///
/// Standard output is read by a thread of its own, in pieces, so that answers are taken however busy the other threads are; standard error by
/// another, whose last 64 KiB are kept. Dropping the last reference kills the command.
package final class ConversingCommand: Sendable {
    /// What the reading thread hears.
    package enum Event: Sendable {
        case bytes([UInt8])
        /// Nothing came in this second.
        case second
        /// The command has ended, or closed its output; nothing comes any more.
        case end
    }

    private let child: Child
    private let input: FileDescriptor
    private let errors: ErrorDrain

    /// Starts the command; `hear` gets what it writes, on the reading thread, until it answers false or the end was told.
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
        input = toChild.writer
        errors = try ErrorDrain(ofErrors.reader, nil)
        let output = fromChild.reader
        try SystemThread.start(name: "conversation", stackBytes: 512 << 10) { Self.listen(output, hear) }.detach()
    }

    private static func listen(_ output: FileDescriptor, _ hear: @Sendable (Event) -> Bool) {
        let piece = Block(capacity: 256 << 10)
        while true {
            let ready = try? pollReadable([(output.rawValue, Int16(POLLIN))], timeoutMilliseconds: 1000)
            guard let ready else { break }
            if !ready[0] {
                guard hear(.second) else { return }
                continue
            }
            piece.reset()
            do { try piece.fill { room throws(Errno) in try output.read(into: room) } } catch { break }
            if piece.isEmpty { break }
            guard hear(.bytes(piece.bytes)) else { return }
        }
        _ = hear(.end)
    }

    /// Writes all of it; blocks its thread while the command does not read.
    ///
    /// **Errors**: `Errno`, EPIPE when it has ended.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) { try input.write(bytes) }

    /// Kills the command, and all it started where it has a group of its own.
    package func kill() { child.send(SIGKILL) }

    /// The last 64 KiB of standard error, waited for a second after its end.
    package func lastWords() -> [UInt8] {
        errors.settle()
        return errors.tail
    }
}
