import Bytes
import Glibc
import Synchronization

/// A command whose standard output is read while it runs: the source of `--stdin-from-command`.
///
/// Standard error is drained by a thread of its own, so the command never blocks on it; its last 64 KiB are kept.
/// Dropping the last reference kills the command. A backup of its output is complete only when `finish` returned
/// success (G-14).
package final class RunningCommand: Sendable {
    private let child: Child
    private let output: FileDescriptor
    private let errors: ErrorDrain?

    /// Starts the command.
    ///
    /// `onErrorOutput` gets standard error in pieces as they arrive, on the draining thread.
    /// **Errors**: `Errno` when the program, a pipe or the thread cannot be had.
    package init(_ command: Command, onErrorOutput: (@Sendable ([UInt8]) -> Void)? = nil) throws {
        // Feeding and reading at once wants the loop of `run`; a source of a backup reads nothing.
        if case .bytes = command.input { throw Errno(EINVAL, in: "posix_spawn") }
        let pipe = try makePipe()
        let errorPipe: (reader: FileDescriptor, writer: FileDescriptor)? =
            switch command.errorOutput {
            case .collected: try makePipe()
            case .inherited: nil
            }
        child = try Child(command, input: nil, output: pipe.writer.rawValue, error: errorPipe?.writer.rawValue)
        output = pipe.reader
        try pipe.writer.close()
        try errorPipe?.writer.close()
        errors = try errorPipe.map { try ErrorDrain($0.reader, onErrorOutput) }
    }

    /// Reads up to `buffer.count` bytes of standard output; 0 at its end.
    ///
    /// Throws `CancellationError` when the task is cancelled, `Errno` ETIMEDOUT when nothing comes for
    /// `idleNanoseconds`; the command is killed then. **Isolation**: blocks its thread; call it on a `WorkerPool`.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        idleNanoseconds: UInt64? = nil
    ) async throws -> Int {
        try await withCancellationEvent { cancellation in
            let ready = try pollReadable(
                [(output.rawValue, Int16(POLLIN)), (cancellation.descriptor.rawValue, Int16(POLLIN))],
                timeoutMilliseconds: Deadline(after: idleNanoseconds).remainingMilliseconds
            )
            if ready[1] {
                kill()
                throw CancellationError()
            }
            guard ready[0] else {
                kill()
                throw Errno(ETIMEDOUT, in: "read")
            }
            return try output.read(into: buffer)
        }
    }

    /// Waits until the command has ended; it is killed after `timeoutNanoseconds` or when the task is cancelled.
    package func finish(timeoutNanoseconds: UInt64? = nil) async throws -> ProcessEnding {
        try await withCancellationEvent { cancellation in
            let ready = try pollReadable(
                [(child.pollDescriptor, Int16(POLLIN)), (cancellation.descriptor.rawValue, Int16(POLLIN))],
                timeoutMilliseconds: Deadline(after: timeoutNanoseconds).remainingMilliseconds
            )
            if !ready[0] { kill() }
            let ending = child.reap(timedOut: !ready[0])
            errors?.settle()
            if !ready[0], ready[1] { throw CancellationError() }
            return ending
        }
    }

    /// Kills the command now.
    package func kill() { child.send(SIGKILL) }

    /// The last 64 KiB of standard error so far.
    package var errorTail: [UInt8] { errors?.tail ?? [] }
}

/// Reads a pipe to its end on a thread, keeping the tail.
final class ErrorDrain: Sendable {
    private static let tailMax = 64 << 10

    private let bytes = Mutex<[UInt8]>([])
    /// Closed by the thread when the pipe has ended.
    private let done: FileDescriptor
    private let doneWriter: FileDescriptor

    init(_ reader: FileDescriptor, _ report: (@Sendable ([UInt8]) -> Void)?) throws(Errno) {
        (done, doneWriter) = try makePipe()
        let thread = try SystemThread.start(name: "stderr", stackBytes: 256 << 10) { [self] in
            let piece = Block(capacity: 16 << 10)
            while true {
                piece.reset()
                try? piece.fill { room throws(Errno) in try reader.read(into: room) }
                if piece.isEmpty { break }
                report?(piece.bytes)
                keep(piece)
            }
            try? doneWriter.close()
        }
        thread.detach()
    }

    var tail: [UInt8] { bytes.withLock { $0 } }

    /// Waits until everything the command wrote was read, at most a second: an orphan may hold the pipe open.
    func settle() { _ = try? pollReadable([(done.rawValue, Int16(POLLIN))], timeoutMilliseconds: 1000) }

    /// Everything the command wrote was read.
    var hasEnded: Bool { (try? pollReadable([(done.rawValue, Int16(POLLIN))], timeoutMilliseconds: 0)[0]) ?? true }

    private func keep(_ piece: Block) {
        bytes.withLock { bytes in
            piece.withBytes { bytes.append(contentsOf: $0) }
            if bytes.count > Self.tailMax { bytes.removeFirst(bytes.count - Self.tailMax) }
        }
    }
}
