import Bytes
import CHost
import Glibc

/// Runs a command to its end and returns what it wrote.
///
/// Both streams are read until the end, so the command never blocks on a full pipe; what exceeds `outputLimit` bytes
/// (standard output) or `errorLimit` bytes (standard error) is dropped and `isCut` says so. After
/// `timeoutNanoseconds` it is killed and the ending is `timedOut`; when the task is cancelled it is killed and
/// `CancellationError` is thrown. A process that outlives the command and holds its pipes open is not waited for.
/// With `isShielded` a cancelled task does not end it. **Errors**: `Errno` when the program cannot be started. **Isolation**: blocks its thread; call it on a `WorkerPool`.
package func run(
    _ command: Command,
    outputLimit: Int = 1 << 20,
    errorLimit: Int = 64 << 10,
    timeoutNanoseconds: UInt64? = nil,
    isShielded: Bool = false
) async throws -> CommandResult {
    if isShielded {
        return try runToEnd(command, outputLimit, errorLimit, Deadline(after: timeoutNanoseconds), CancellationEvent())
    }
    return try await withCancellationEvent { cancellation in
        try runToEnd(command, outputLimit, errorLimit, Deadline(after: timeoutNanoseconds), cancellation)
    }
}

/// A moment of the monotonic clock, or never.
struct Deadline {
    private let nanoseconds: UInt64?

    init(after nanoseconds: UInt64?) {
        self.nanoseconds = nanoseconds.map { SystemTime().monotonicNanoseconds() &+ $0 }
    }

    /// For `poll`: milliseconds from now rounded up, -1 for never.
    var remainingMilliseconds: Int32 {
        guard let nanoseconds else { return -1 }
        let now = SystemTime().monotonicNanoseconds()
        return nanoseconds <= now ? 0 : Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }

    var hasPassed: Bool { remainingMilliseconds == 0 }
}

/// A descriptor that becomes readable when the task is cancelled, or when another thread has something to say.
final class CancellationEvent: Sendable {
    let descriptor: FileDescriptor

    init() throws(Errno) {
        let number = chost_event()
        try checked("eventfd", number)
        descriptor = FileDescriptor(number)
    }

    func fire() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor.rawValue, &one, 8)
    }

    /// Takes it back, for the next time.
    func clear() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor.rawValue, &count, 8)
    }
}

/// Runs `body` with an event that fires when the task is cancelled.
func withCancellationEvent<R>(_ body: (CancellationEvent) throws -> R) async throws -> R {
    let event = try CancellationEvent()
    return try await withTaskCancellationHandler {
        try body(event)
    } onCancel: {
        event.fire()
    }
}

/// Waits for one of the descriptors; the answer has one flag for each.
///
/// Negative descriptors are left out.
func pollReadable(_ descriptors: [(Int32, Int16)], timeoutMilliseconds: Int32) throws(Errno) -> [Bool] {
    var requests = descriptors.map { pollfd(fd: $0.0, events: $0.1, revents: 0) }
    while poll(&requests, nfds_t(requests.count), timeoutMilliseconds) < 0 {
        if errno != EINTR { throw Errno.current("poll") }
    }
    return requests.map { $0.fd >= 0 && $0.revents != 0 }
}

/// Bytes read from one stream, up to a limit.
private struct Drain {
    var file: FileDescriptor?
    var bytes: [UInt8] = []
    var isCut = false
    let limit: Int

    init(_ file: FileDescriptor?, limit: Int) {
        self.file = file
        self.limit = limit
    }

    var descriptor: Int32 { file?.rawValue ?? -1 }

    mutating func readOnce(_ scratch: Block) throws(Errno) {
        guard let file else { return }
        scratch.reset()
        try scratch.fill { room throws(Errno) in try file.read(into: room) }
        if scratch.isEmpty {
            self.file = nil
            return
        }
        let room = limit - bytes.count
        if scratch.count > room { isCut = true }
        scratch.withBytes { bytes.append(contentsOf: $0.prefix(max(room, 0))) }
    }
}

private func runToEnd(
    _ command: Command,
    _ outputLimit: Int,
    _ errorLimit: Int,
    _ deadline: Deadline,
    _ cancellation: CancellationEvent
) throws -> CommandResult {
    let outputPipe = try makePipe()
    let errorPipe: (reader: FileDescriptor, writer: FileDescriptor)? =
        switch command.errorOutput {
        case .collected: try makePipe()
        case .inherited: nil
        }
    var feed = try Feed(command.input)
    let child = try Child(
        command,
        input: feed.childEnd?.rawValue,
        output: outputPipe.writer.rawValue,
        error: errorPipe?.writer.rawValue
    )
    try outputPipe.writer.close()
    try errorPipe?.writer.close()
    feed.childEnd = nil
    var output = Drain(outputPipe.reader, limit: outputLimit)
    var errors = Drain(errorPipe?.reader, limit: errorLimit)
    let scratch = Block(capacity: 64 << 10)

    while true {
        let ready = try pollReadable(
            [
                (output.descriptor, Int16(POLLIN)), (errors.descriptor, Int16(POLLIN)),
                (feed.descriptor, Int16(POLLOUT)),
                (child.pollDescriptor, Int16(POLLIN)), (cancellation.descriptor.rawValue, Int16(POLLIN)),
            ],
            timeoutMilliseconds: deadline.remainingMilliseconds
        )
        if ready[4] || deadline.hasPassed {
            child.send(SIGKILL)
            let ending = child.reap(timedOut: !ready[4])
            if ready[4] { throw CancellationError() }
            return CommandResult(ending: ending, output: output.bytes, errorOutput: errors.bytes, isCut: true)
        }
        if ready[0] { try output.readOnce(scratch) }
        if ready[1] { try errors.readOnce(scratch) }
        if ready[2] { feed.writeOnce() }
        // What the command itself wrote is in the pipes when it has ended; read that, not what its orphans still write.
        if ready[3], !ready[0], !ready[1] { break }
    }
    let isCut = output.isCut || errors.isCut
    return CommandResult(
        ending: child.reap(timedOut: false),
        output: output.bytes,
        errorOutput: errors.bytes,
        isCut: isCut
    )
}

/// Bytes on their way into the command's standard input.
private struct Feed {
    var childEnd: FileDescriptor?
    private var file: FileDescriptor?
    private var rest: ArraySlice<UInt8> = []

    init(_ input: Command.Input) throws(Errno) {
        switch input {
        case .none, .inherited: return
        case .bytes(let bytes):
            Signals.ignoreBrokenPipes()
            let pipe = try makePipe()
            try checked("fcntl", fcntl(pipe.writer.rawValue, F_SETFL, O_NONBLOCK))
            childEnd = pipe.reader
            rest = bytes[...]
            file = rest.isEmpty ? nil : pipe.writer
        }
    }

    var descriptor: Int32 { file?.rawValue ?? -1 }

    /// Writes what fits; the end of the bytes, or of the reader, closes the pipe.
    mutating func writeOnce() {
        guard let file else { return }
        let count = rest.withUnsafeBytes { Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno != EAGAIN, errno != EINTR { self.file = nil }
            return
        }
        rest = rest.dropFirst(count)
        if rest.isEmpty { self.file = nil }
    }
}
