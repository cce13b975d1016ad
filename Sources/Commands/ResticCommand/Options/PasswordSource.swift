import Bytes
import Console
import HostSystem
import Outcome

/// Where the password of one repository comes from; `nil` and false mean: not given.
struct PasswordSource: Sendable {
    var file: ByteString?
    var command: ByteString?
    /// The variable that may hold the password itself.
    var variable: String
    var isInsecureWithoutPassword = false

    private static let fileBytesMax = 1 << 20

    /// The password of file, command or variable, in that order of strength; nil when none of them gives one.
    ///
    /// Errors are worded as restic words them, without `Fatal: `.
    func resolve(_ environment: Environment) async throws -> Secret? {
        if file != nil, command != nil {
            throw CommandFailure.fatal("Password file and command are mutually exclusive options")
        }
        if let command { return try await passwordOf(command, environment) }
        if let file {
            guard let text = try Self.readFile(file) else { return nil }
            return text
        }
        return environment.value(variable).map { Secret($0.bytes) }
    }

    /// The password that a file holds; nil when it is empty.
    static func readFile(_ file: ByteString) throws(CommandFailure) -> Secret? {
        let bytes: [UInt8]
        do { bytes = decodedText(try HostSystem.readFile(file, limit: Self.fileBytesMax)) } catch {
            if error.kind == .missing { throw .fatal("\(file) does not exist") }
            throw CommandFailure("Readfile: open \(file): \(goMessage(error))")
        }
        let password = ByteString(bytes).trimmed
        return password.isEmpty ? nil : Secret(password.bytes)
    }

    private func passwordOf(_ text: ByteString, _ environment: Environment) async throws -> Secret? {
        let words = try shellWords(text)
        var command = Command(words)
        command.inheritAll(environment.withoutSecrets)
        command.input = .inherited
        command.errorOutput = .inherited
        let result: CommandResult
        do { result = try await run(command, outputLimit: Self.fileBytesMax) } catch let error as Errno {
            throw CommandFailure(notStarted(words[0], error))
        }
        switch result.ending {
        case .exited(0): break
        case .exited, .timedOut: throw CommandFailure("\(result.ending)")
        case .signalled(let number): throw CommandFailure("signal: \(signalName(number))")
        }
        let password = ByteString(result.output).trimmed
        return password.isEmpty ? nil : Secret(password.bytes)
    }
}

/// Why a program did not start, in Go's words.
func notStarted(_ program: ByteString, _ error: Errno) -> Text {
    if program.bytes.contains(0x2f) { return "fork/exec \(program): \(goMessage(error))" }
    return error.kind == .missing
        ? "exec: \(quoted(program)): executable file not found in $PATH"
        : "exec: \(quoted(program)): \(goMessage(error))"
}

/// Go's word for a signal.
func signalName(_ number: Int32) -> String {
    switch number {
    case 1: "hangup"
    case 2: "interrupt"
    case 6: "aborted"
    case 9: "killed"
    case 11: "segmentation fault"
    case 13: "broken pipe"
    case 15: "terminated"
    default: "signal \(number)"
    }
}

extension Command {
    /// Gives the child every variable of the environment: a restic user's commands rely on it.
    mutating func inheritAll(_ environment: Environment) {
        inheritedVariables = []
        self.environment = environment.variables.map { ($0.key, $0.value) }
    }
}
