import Bytes
import CHost
import Glibc
import Synchronization

/// A child process until it is reaped.
///
/// Only this type reaps it, so its number cannot be given to another process while this one may still signal it.
final class Child: Sendable {
    let pid: Int32
    private let hasOwnGroup: Bool
    private let pidfd: FileDescriptor
    private let ending = Mutex<ProcessEnding?>(nil)

    /// Starts the program; ENOENT when there is none of that name.
    init(_ command: Command, input: Int32?, output: Int32?, error: Int32?) throws(Errno) {
        pid = try spawn(command, input: input, output: output, error: error)
        hasOwnGroup = command.hasOwnGroup
        let number = chost_pidfd_open(pid)
        if number < 0 {
            let failure = Errno.current("pidfd_open")
            kill(pid, SIGKILL)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            throw failure
        }
        pidfd = FileDescriptor(number)
    }

    deinit {
        if ending.withLock({ $0 == nil }) {
            send(SIGKILL)
            _ = reap(timedOut: false)
        }
    }

    /// Becomes readable when the process has ended.
    var pollDescriptor: Int32 { pidfd.rawValue }

    /// Signals the process, its whole group when it has one of its own; nothing when it was reaped.
    func send(_ signal: Int32) {
        ending.withLock { ending in
            guard ending == nil else { return }
            if hasOwnGroup { kill(-pid, signal) } else { _ = chost_pidfd_signal(pidfd.rawValue, signal) }
        }
    }

    /// Waits for the end, which is near: it was seen, or SIGKILL was sent.
    func reap(timedOut: Bool) -> ProcessEnding {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let result: ProcessEnding =
                timedOut ? .timedOut : status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
            ending = result
            return result
        }
    }
}

private func spawn(_ command: Command, input: Int32?, output: Int32?, error: Int32?) throws(Errno) -> Int32 {
    guard let program = command.arguments.first else { throw Errno(EINVAL, in: "posix_spawn") }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
        posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else if case .none = command.input {
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
    if let error { posix_spawn_file_actions_adddup2(&actions, error, 2) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
    if command.hasOwnGroup {
        flags |= Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setpgroup(&attributes, 0)
    }
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&defaults, number) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)

    let arguments = try CStrings(command.arguments)
    let environment = try CStrings(environment(of: command))
    let folder = try CStrings(command.workingDirectory.map { [$0] } ?? [])
    var pid: Int32 = 0
    let code = try program.withPath { program throws(Errno) in
        chost_spawn(
            &pid,
            program,
            &actions,
            &attributes,
            folder.pointers[0],
            arguments.pointers,
            environment.pointers
        )
    }
    guard code == 0 else { throw Errno(code, in: "posix_spawn") }
    return pid
}

private func environment(of command: Command) -> [ByteString] {
    var values: [(ByteString, ByteString)] = []
    for name in command.inheritedVariables {
        if let value = environmentVariable(name) { values.append((ByteString(name), value)) }
    }
    for (name, value) in command.environment {
        values.removeAll { $0.0 == name }
        values.append((name, value))
    }
    return values.map { ByteString($0.0.bytes + [0x3d] + $0.1.bytes) }
}

/// An argument or environment vector as the C library wants it, wiped and freed with its owner.
private final class CStrings {
    private(set) var pointers: [UnsafeMutablePointer<CChar>?] = []
    private var lengths: [Int] = []

    init(_ strings: [ByteString]) throws(Errno) {
        for string in strings {
            guard !string.bytes.contains(0) else { throw Errno(EINVAL, in: "argument with NUL") }
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.bytes.count + 1)
            for (index, byte) in string.bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
            copy[string.bytes.count] = 0
            pointers.append(copy)
            lengths.append(string.bytes.count)
        }
        pointers.append(nil)
    }

    deinit {
        for (pointer, length) in zip(pointers, lengths) {
            guard let pointer else { continue }
            for index in 0..<length { pointer[index] = 0 }
            pointer.deallocate()
        }
    }
}
