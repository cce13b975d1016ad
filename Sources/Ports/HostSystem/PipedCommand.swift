import Bytes
import Glibc

/// A command whose standard input and output are handed to somebody else, such as an event loop.
///
/// Standard error is read by a thread of its own; its last 64 KiB are kept. Dropping the last reference kills the command.
package final class PipedCommand: Sendable {
    private let child: Child
    private let errors: ErrorDrain
    private let output: FileDescriptor
    private let input: FileDescriptor

    /// Starts the command; `onErrorOutput` gets standard error in pieces as they arrive, on the draining thread.
    ///
    /// **Errors**: `Errno` when the program, a pipe or the thread cannot be had.
    package init(_ command: Command, onErrorOutput: (@Sendable ([UInt8]) -> Void)? = nil) throws {
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
        (output, input) = (fromChild.reader, toChild.writer)
        errors = try ErrorDrain(ofErrors.reader, onErrorOutput)
    }

    /// The descriptors that read what it writes, and write what it reads, once; whoever takes them closes them.
    package func takeStreams() -> (reading: Int32, writing: Int32) { (output.release(), input.release()) }

    /// The last 64 KiB of standard error so far.
    package var errorTail: [UInt8] { errors.tail }

    /// The last 64 KiB of standard error, waited for a second after its end.
    package func lastWords() async -> [UInt8] {
        for _ in 0..<10 where !errors.hasEnded { try? await Task.sleep(nanoseconds: 100_000_000) }
        return errors.tail
    }
}
