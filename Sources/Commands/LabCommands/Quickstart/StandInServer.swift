import Bytes
import Console
import HostSystem
import Outcome
import Strategy

/// A server on this machine that speaks Amazon's S3 and plays the cloud, where a program that does is installed.
///
/// It runs as long as this is held, in a process group of its own, and keeps its objects in a folder, so that they are there the next time.
final class StandInServer: Sendable {
    /// A program that can be one.
    enum Program: String {
        case minio
        case rclone
    }

    /// Where a program is found.
    struct Installed {
        var program: Program
        var path: ByteString
    }

    let program: Program
    let port: Int
    private let command: RunningCommand

    /// The first of `names` that is there and can serve; nil when none is.
    static func installed(_ names: [ByteString]) async -> Installed? {
        for path in names {
            let name = path.display.split(separator: "/").last.map(String.init) ?? ""
            guard let program = Program(rawValue: name) else { continue }
            // Debian's rclone serves, but not this.
            let question: [ByteString] = program == .minio ? [path, "--version"] : [path, "serve", "s3", "--help"]
            let answer = try? await run(Command(question), timeoutNanoseconds: 10_000_000_000)
            guard let answer, answer.ending.isSuccess else { continue }
            if program == .minio || String(decoding: answer.output, as: UTF8.self).contains("--auth-key") {
                return Installed(program: program, path: path)
            }
        }
        return nil
    }

    /// Starts it in `folder`, and waits until it takes connections.
    ///
    /// Errors: `E-FOLDER` when it cannot be started, or does not answer within ten seconds.
    init(_ installed: Installed, port: Int, folder: String, key: StandInKey, time: any TimeSource) async throws {
        program = installed.program
        self.port = port
        var command = Command(Self.arguments(installed, port: port, folder: folder))
        command.hasOwnGroup = true
        // Not among the arguments, which everybody on this machine can read.
        switch program {
        case .minio:
            command.environment = [
                ("MINIO_ROOT_USER", ByteString(key.name)), ("MINIO_ROOT_PASSWORD", ByteString(key.secret)),
                ("MINIO_BROWSER", "off"),
            ]
        case .rclone:
            command.environment = [
                ("RCLONE_AUTH_KEY", ByteString("\(key.name),\(key.secret)")), ("RCLONE_CONFIG", "/dev/null"),
            ]
        }
        do { self.command = try RunningCommand(command) } catch let error as Errno {
            throw LabFailure.folder("start the stand-in's server for", folder, error)
        }
        for _ in 0..<100 where !LoopbackPort.isListening(port) { try await time.sleep(nanoseconds: 100_000_000) }
        guard LoopbackPort.isListening(port) else {
            self.command.kill()
            let words = String(decoding: self.command.errorTail.suffix(300), as: UTF8.self)
            throw LabFailure(
                .folder,
                operation: "start the stand-in's server for",
                object: folder,
                what:
                    "\(installed.path.display) does not take connections on 127.0.0.1:\(port): \(escapedControl(words))",
                state: "nothing was backed up yet",
                next: "run it by hand to see why: \(Self.line(installed, port: port, folder: folder))"
            )
        }
    }

    deinit { command.kill() }

    private static func arguments(_ installed: Installed, port: Int, folder: String) -> [ByteString] {
        let (address, folder) = (ByteString("127.0.0.1:\(port)"), ByteString(folder))
        return switch installed.program {
        case .minio: [installed.path, "server", "--quiet", "--address", address, folder]
        case .rclone: [installed.path, "serve", "s3", "--addr", address, folder]
        }
    }

    /// How a person starts it; the key is in the environment.
    private static func line(_ installed: Installed, port: Int, folder: String) -> String {
        arguments(installed, port: port, folder: folder).map(\.display).joined(separator: " ")
    }

    /// How a person keeps it running, with the key in the file that the declaration names.
    static func byHand(_ program: String, port: Int, lab: String) -> String {
        let (address, folder) = ("127.0.0.1:\(port)", "\(lab)/media/cloud")
        let key = "$(tr -d '\\n' < \(lab)/secrets/cloud.key)"
        return program == Program.minio.rawValue
            ? "k=\(key); MINIO_ROOT_USER=${k%%:*} MINIO_ROOT_PASSWORD=${k#*:} minio server --address \(address) \(folder)"
            : "k=\(key); RCLONE_AUTH_KEY=${k%%:*},${k#*:} rclone serve s3 --addr \(address) \(folder)"
    }
}

/// Name and secret with which the stand-in's server is entered.
struct StandInKey: Sendable {
    var name: String
    var secret: String

    /// New, of 160 random bits.
    init(_ entropy: some EntropySource) {
        name = "holdfast-stand-in"
        secret = Hex.encode(entropy.bytes(20))
    }

    /// From the text of its file, `NAME:SECRET`; nil for any other.
    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1).map { String($0).filter { !$0.isNewline } }
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        (name, secret) = (parts[0], parts[1])
    }

    /// As the file has it.
    var text: String { "\(name):\(secret)\n" }
}
