package import Bytes
import HTTPTransport
import HostSystem
import Outcome

/// How rclone is run.
package struct RcloneSettings: Sendable {
    /// What stands behind `rclone:`, as rclone takes it: `REMOTE:PATH`.
    package var remote: ByteString
    /// The program, and what it is called with in front of the remote.
    package var program: ByteString
    package var arguments: [ByteString]
    /// All variables that it sees; nil: those that every program sees.
    package var environment: [(name: ByteString, value: ByteString)]?
    /// Requests at a time.
    package var connections: Int
    /// How long it may take until it answers first.
    package var startSeconds: Int
    /// How long it may say nothing later.
    package var answerSeconds: Int
    /// Hears what it says on its standard error; on a thread of its own.
    package var said: @Sendable ([UInt8]) -> Void

    package init(_ remote: ByteString) {
        self.remote = remote
        program = "rclone"
        arguments = ["serve", "restic", "--stdio", "--b2-hard-delete"]
        connections = 5
        startSeconds = 60
        answerSeconds = 300
        said = { _ in }
    }

    /// For messages.
    var shown: String { "rclone:\(remote.display)" }
}

/// Why there is no conversation with rclone.
struct RcloneEnd: Error, Sendable {
    enum Cause: Sendable {
        case notStarted(Errno)
        /// It never answered within the time.
        case silent(seconds: Int)
        /// It ended before it answered anything.
        case refused
        /// It ended later.
        case closed
    }

    var cause: Cause
    /// What it wrote to its standard error at last, line by line.
    var lastWords: [String] = []

    func failure(_ errand: RemoteErrand) -> StorageFailure {
        let said = lastWords.last.map { " (\($0))" } ?? ""
        switch cause {
        case .notStarted(let error):
            return errand.failure(
                .unsupported,
                "rclone cannot be started: \(error)",
                next: "install rclone, or name the program with -o rclone.program=…",
                because: self
            )
        case .silent(let seconds):
            return errand.failure(
                .unsupported,
                "rclone has not answered within \(seconds) s\(said)",
                next: "try `rclone lsd` with that remote; -o rclone.timeout=… waits longer",
                because: self
            )
        case .refused:
            return errand.failure(
                .unsupported,
                "rclone has ended before it answered\(said)",
                next: "try `rclone lsd` with that remote: it has to be in rclone's configuration",
                because: self
            )
        case .closed:
            return errand.failure(
                .unreachable,
                "rclone has ended\(said)",
                next: "look at what rclone said before",
                because: self
            )
        }
    }
}

extension RcloneEnd: CustomStringConvertible {
    var description: String {
        switch cause {
        case .notStarted(let error): "\(error)"
        case .silent(let seconds): "has not answered within \(seconds) s"
        case .refused, .closed: lastWords.last ?? "rclone has ended"
        }
    }
}

/// One rclone that serves restic's REST protocol over HTTP/2 on its standard streams.
final class RcloneConversation: Conversation {
    private let command: PipedCommand
    private let streams: HTTPStreams

    /// Starts it, and asks for something that is not there.
    ///
    /// **Errors**: `RcloneEnd`, cancellation.
    init(_ settings: RcloneSettings, probe: String) async throws {
        var program = Command([settings.program] + settings.arguments + [settings.remote])
        program.hasOwnGroup = true
        if let environment = settings.environment {
            program.inheritedVariables = []
            program.environment = environment
        }
        do { command = try PipedCommand(program, onErrorOutput: settings.said) } catch let error as Errno {
            throw RcloneEnd(cause: .notStarted(error))
        }
        let (reading, writing) = command.takeStreams()
        let transfer = HTTPTransfer(
            .get,
            url: probe,
            headers: [HTTPHeader("Host", "localhost")],
            answerBytesMax: 64 << 10
        )
        do {
            let first = try await HTTPStreams(
                reading: reading,
                writing: writing,
                answerSeconds: settings.answerSeconds
            )
            streams = first
            let watch = TransferWatch(TransferPulse(), answerSeconds: settings.startSeconds, pace: HTTPPace())
            _ = try await watch.over { try await first.send(transfer) }
        } catch is HTTPStall {
            throw RcloneEnd(
                cause: .silent(seconds: settings.startSeconds),
                lastWords: lastLines(command.errorTail)
            )
        } catch is HTTPTrouble {
            try Task.checkCancellation()
            throw RcloneEnd(cause: .refused, lastWords: lastLines(await command.lastWords()))
        } catch {
            try Task.checkCancellation()
            throw error
        }
    }

    var isAlive: Bool { streams.isOpen }

    /// Errors: as `HTTPStreams`; `RcloneEnd` when it has ended.
    func send(_ transfer: HTTPTransfer) async throws -> HTTPReceipt {
        do { return try await streams.send(transfer) } catch let trouble as HTTPTrouble {
            guard case .noConnection = trouble, !streams.isOpen else { throw trouble }
            throw RcloneEnd(cause: .closed, lastWords: lastLines(await command.lastWords()))
        }
    }
}

/// Questions to rclone, which is started for the first, and again after it has ended.
final class RcloneSender: HTTPSender {
    private let settings: RcloneSettings
    private let kept = KeptConversation<RcloneConversation>()
    private let entropy: any EntropySource

    init(_ settings: RcloneSettings, entropy: any EntropySource) {
        self.settings = settings
        self.entropy = entropy
    }

    func send(_ transfer: HTTPTransfer) async throws -> HTTPReceipt {
        let (settings, entropy) = (settings, entropy)
        let conversation = try await kept.current {
            let probe = "http://localhost/file-\(Hex.encode(entropy.bytes(8)))"
            return try await RcloneConversation(settings, probe: probe)
        }
        return try await conversation.send(transfer)
    }
}

extension RESTStorage {
    /// A repository on whatever rclone reaches: restic's REST protocol over HTTP/2, spoken with rclone's standard streams.
    ///
    /// rclone writes over what is there, so that each object is looked for before it is written.
    /// **Source**: restic internal/backend/rclone.
    package convenience init(_ settings: RcloneSettings, entropy: any EntropySource = SystemEntropy()) {
        self.init(
            RESTSettings(.localhost, connections: settings.connections),
            shown: settings.shown,
            host: "rclone",
            replaces: true,
            sender: RcloneSender(settings, entropy: entropy)
        )
    }
}
