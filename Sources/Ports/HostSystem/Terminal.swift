import CHost
import Glibc
package import Outcome

/// Whether a descriptor is a terminal, and its width.
package enum Terminal {
    /// Whether a person may sit behind the descriptor.
    package static func isTerminal(_ file: FileDescriptor) -> Bool { isatty(file.rawValue) == 1 }

    /// Columns, nil when it is no terminal or does not say.
    package static func width(_ file: FileDescriptor) -> Int? {
        let columns = chost_terminal_columns(file.rawValue)
        return columns > 0 ? Int(columns) : nil
    }

    /// Whether this process is in the terminal's foreground; a background one that writes status lines garbles the
    /// screen.
    package static func isForeground(_ file: FileDescriptor) -> Bool {
        let group = tcgetpgrp(file.rawValue)
        return group < 0 || group == getpgrp()
    }

    /// Asks on `output` and reads one line from the terminal `input` without showing it; the newline is not part of
    /// the answer.
    ///
    /// **Bounds**: EFBIG beyond 64 KiB. The terminal shows typing again afterwards, also on failure. A signal
    /// meanwhile does not return from here; the handler that ends the process calls `restoreEcho`.
    package static func readHidden(
        prompt: String,
        from input: FileDescriptor,
        to output: FileDescriptor
    ) throws(Errno) -> Secret {
        var saved = termios()
        try checked("tcgetattr", tcgetattr(input.rawValue, &saved))
        var quiet = saved
        quiet.c_lflag &= ~tcflag_t(ECHO)
        quiet.c_lflag |= tcflag_t(ICANON | ISIG | ECHONL)
        try checked("tcsetattr", tcsetattr(input.rawValue, TCSAFLUSH, &quiet))
        defer { tcsetattr(input.rawValue, TCSAFLUSH, &saved) }
        try output.write(Array(prompt.utf8))
        return try readLine(input)
    }

    /// Shows typing again on a terminal where `readHidden` was cut short.
    package static func restoreEcho(_ input: FileDescriptor) {
        var mode = termios()
        guard tcgetattr(input.rawValue, &mode) == 0 else { return }
        mode.c_lflag |= tcflag_t(ECHO)
        tcsetattr(input.rawValue, TCSANOW, &mode)
    }

    /// Reads to the newline or the end; works on pipes, too.
    package static func readLine(_ input: FileDescriptor) throws(Errno) -> Secret {
        let line = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
        defer {
            line.initializeMemory(as: UInt8.self, repeating: 0)
            line.deallocate()
        }
        var count = 0
        while true {
            guard count < line.count else { throw Errno(EFBIG, in: "read") }
            let got = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: line[count..<count + 1]))
            if got == 0 || line[count] == 0x0a { break }
            count += 1
        }
        if count > 0, line[count - 1] == 0x0d { count -= 1 }
        return Secret(line[..<count])
    }
}
