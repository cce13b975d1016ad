import CHost
import Glibc

/// The requests that reach the program as signals.
package enum StopSignal: Int32, Sendable, Hashable {
    case hangup = 1
    case interrupt = 2
    case terminate = 15
}

/// Turns signals into calls of a function on a thread of its own.
///
/// 1. The first SIGINT or SIGTERM is reported; the second ends the process at once with status 130, from the
///    handler itself, so it works even when everything else hangs.
/// 2. SIGHUP is reported and never ends the process: other restic processes send it to find out whether the holder of
///    a lock lives.
/// 3. SIGPIPE is ignored; writing to a closed pipe is the error EPIPE.
package enum Signals {
    /// Installs the handlers; `report` runs on its own thread, one signal at a time.
    ///
    /// Once in a process.
    package static func install(_ report: @escaping @Sendable (StopSignal) -> Void) throws(Errno) {
        let (reader, writer) = try makePipe()
        try checked("fcntl", fcntl(writer.rawValue, F_SETFL, O_NONBLOCK))
        let thread = try SystemThread.start(name: "signals", stackBytes: 256 << 10) {
            // Keeps the writing end open for as long as the handler may use it.
            withExtendedLifetime(writer) { relay(from: reader, report) }
        }
        thread.detach()
        try checked("sigaction", chost_install_signals(writer.rawValue))
    }

    private static func relay(from reader: FileDescriptor, _ report: (StopSignal) -> Void) {
        while let number = readByte(reader) {
            if let signal = StopSignal(rawValue: Int32(number)) { report(signal) }
        }
    }

    /// Ignores SIGPIPE alone, for programs and tests that handle no other signal.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Ends the process as a signal would have it: no cleanup, status 130.
    package static func exitInterrupted() -> Never { _exit(130) }
}

private func readByte(_ file: FileDescriptor) -> UInt8? {
    withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { buffer in
        guard let count = try? file.read(into: buffer), count == 1 else { return nil }
        return buffer[0]
    }
}
