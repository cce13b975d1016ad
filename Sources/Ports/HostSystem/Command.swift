package import Bytes

/// A program to run: its arguments, and the little that it inherits.
///
/// The child gets `arguments`, the allow-listed variables of our environment plus `environment`, the three standard
/// streams, the default signal handlers and nothing else: no other descriptor, no variable that may hold a secret
/// (S-02, S-10).
package struct Command: Sendable {
    /// What the child reads as its standard input.
    package enum Input: Sendable {
        /// `/dev/null`.
        case none
        /// Our own standard input, for a password command that asks on the terminal.
        case inherited
        case bytes([UInt8])
    }

    /// Where the child's standard error goes.
    package enum ErrorOutput: Sendable {
        case inherited
        /// Kept, up to a limit; see `run` and `start`.
        case collected
    }

    /// The program, looked up in PATH when it has no slash, and its arguments.
    package var arguments: [ByteString]
    /// Variables beside, or instead of, the allow-listed ones.
    package var environment: [(name: ByteString, value: ByteString)] = []
    /// Names of our own variables that the child sees.
    package var inheritedVariables: [String] = Command.safeVariables
    /// Where the child starts; nil for our own working directory.
    package var workingDirectory: ByteString?
    package var input: Input = .none
    package var errorOutput: ErrorOutput = .collected
    /// Puts the child into a process group of its own, so that all it started is ended with it.
    ///
    /// Not for programs that read the terminal.
    package var hasOwnGroup = false

    package init(_ arguments: [ByteString]) { self.arguments = arguments }

    /// What programs need in order to find files, speak the user's language and reach the user's agents; none of it
    /// is a secret.
    package static let safeVariables = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
        "LC_COLLATE",
        "LC_NUMERIC", "LC_TIME", "TZ", "TERM", "TMPDIR", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME", "XDG_CACHE_HOME", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY",
        "PASSWORD_STORE_DIR",
    ]
}

/// How a process ended.
package enum ProcessEnding: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)
    /// It ran longer than allowed and was killed.
    case timedOut

    /// True for exit status 0 alone.
    package var isSuccess: Bool { self == .exited(0) }

    package var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let number): "killed by signal \(number)"
        case .timedOut: "killed after its time limit"
        }
    }
}

/// What a finished command left behind.
package struct CommandResult: Sendable {
    package var ending: ProcessEnding
    /// Standard output, at most the limit; whoever knows it to be secret wraps it at once.
    package var output: [UInt8]
    /// Standard error, at most the limit.
    package var errorOutput: [UInt8]
    /// True when one of the streams had more than its limit; the rest was read and dropped.
    package var isCut: Bool
}
