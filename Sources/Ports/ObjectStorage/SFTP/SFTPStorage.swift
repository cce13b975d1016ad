package import Bytes
import HostSystem
import Outcome
import Synchronization

/// How a machine is reached by SFTP.
package struct SFTPSettings: Sendable {
    package var location: SFTPLocation
    /// The program whose standard streams speak SFTP, with its arguments.
    package var command: [ByteString]
    /// Objects that are worked at at a time, each with many requests in flight.
    package var connections: Int
    /// How long the server may say nothing while answers are due.
    package var silenceSeconds: Int

    /// `ssh [-p PORT] [-l USER] [ARGUMENTS] -s -- HOST sftp`, as restic runs it, or `command` in its place.
    package init(
        _ location: SFTPLocation,
        command: [ByteString] = [],
        program: ByteString = "ssh",
        arguments: [ByteString] = [],
        connections: Int = 5,
        silenceSeconds: Int = 300
    ) {
        var words = [program]
        if !location.port.isEmpty { words += ["-p", ByteString(location.port)] }
        if !location.user.isEmpty { words += ["-l", ByteString(location.user)] }
        words += arguments + ["-s", "--", ByteString(location.host), "sftp"]
        self.location = location
        self.command = command.isEmpty ? words : command
        self.connections = connections
        self.silenceSeconds = silenceSeconds
    }
}

/// A repository in a folder of a machine that is reached by SFTP, over one conversation with `ssh`.
///
/// The layout is that of a local repository.
/// 1. An object is written under a temporary name, synced where the server can (`fsync@openssh.com`), made read-only, and renamed (L1).
/// 2. The rename is the one of the protocol, which replaces nothing; what is there already is compared.
/// 3. A conversation that has ended is begun anew by the next request. Tries nothing twice: wrap it in `RemoteStorage`.
/// **Source**: restic internal/backend/sftp; `sftp-server(8)`.
package final class SFTPStorage: ObjectStorage {
    let settings: SFTPSettings
    private let entropy: any EntropySource
    private let line = KeptConversation<SFTPConnection>()

    /// Opens nothing yet.
    package init(_ settings: SFTPSettings, entropy: any EntropySource = SystemEntropy()) {
        self.settings = settings
        self.entropy = entropy
    }

    package var location: String { settings.location.text }
    package var connections: Int { settings.connections }

    package func checkIdentity() async throws {}

    package func prepare() async throws {
        let errand = RemoteErrand("create", location, host: settings.location.host)
        var folder = settings.location.path.hasPrefix("/") ? "/" : ""
        for part in settings.location.path.split(separator: "/") {
            folder += folder.isEmpty || folder.hasSuffix("/") ? part : "/\(part)"
            try await makeFolder(folder, errand)
        }
        let digits = Array("0123456789abcdef")
        let packs = digits.flatMap { first in digits.map { "data/\(first)\($0)" } }
        for name in ObjectKind.listed.map(\.directoryName) { try await makeFolder(path(name), errand) }
        var tickets: [(String, SFTPTicket)] = []
        let connection = try await connection(errand)
        for name in packs {
            var request = SFTPRequest(.makeFolder)
            request.add(path(name))
            request.add(permissions: 0o700)
            tickets.append((path(name), try sending(errand) { try connection.send(request) }))
        }
        for (folder, ticket) in tickets {
            let answer = try await receiving(errand) { try await ticket.value() }
            if answer.status != SFTPStatus.ok { try await requireFolder(folder, answer, errand) }
        }
    }

    package func exists() async throws -> Bool { try await stat(path("config"), errand("open", .config)) != nil }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        let errand = errand("look up", name)
        guard let found = try await stat(path(name.path), errand) else { throw notFound(errand) }
        guard let size = found.size else { throw malformed(errand) }
        return size
    }

    package func remove(_ name: ObjectName) async throws {
        let errand = errand("remove", name)
        var answer = try await ask(removal(name), errand)
        if answer.status == SFTPStatus.denied || answer.status == SFTPStatus.failure {
            // Some systems remove nothing that is read-only.
            var mode = SFTPRequest(.setStatus)
            mode.add(path(name.path))
            mode.add(permissions: 0o600)
            if try await ask(mode, errand).status == SFTPStatus.ok { answer = try await ask(removal(name), errand) }
        }
        if answer.status == SFTPStatus.noFile { throw notFound(errand) }
        try await requireOK(answer, errand)
    }

    private func removal(_ name: ObjectName) -> SFTPRequest {
        var request = SFTPRequest(.remove)
        request.add(path(name.path))
        return request
    }

    // MARK: Requests

    /// A path below the root.
    func path(_ name: String) -> String {
        settings.location.path == "/" ? "/\(name)" : "\(settings.location.path)/\(name)"
    }

    func errand(_ operation: String, _ name: ObjectName) -> RemoteErrand {
        RemoteErrand(operation, "\(name.short) in \(location)", host: settings.location.host)
    }

    /// Twice 64 bits that no two writers share.
    func mark() -> String { Hex.encode(entropy.bytes(16)) }

    /// The conversation, begun where none is.
    func connection(_ errand: RemoteErrand) async throws -> SFTPConnection {
        let settings = settings
        return try await receiving(errand) {
            try await line.current {
                let connection = try SFTPConnection(settings.command, silenceSeconds: settings.silenceSeconds)
                try await connection.greet()
                return connection
            }
        }
    }

    /// Sends one request, and waits for its answer.
    func ask(_ request: SFTPRequest, _ errand: RemoteErrand) async throws -> SFTPAnswer {
        let connection = try await connection(errand)
        return try await receiving(errand) { try await connection.send(request).value() }
    }

    func sending<R>(_ errand: RemoteErrand, _ body: () throws -> R) throws -> R {
        do { return try body() } catch { throw SFTPTrouble(settings, errand).failure(error) }
    }

    func receiving<R>(_ errand: RemoteErrand, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch { throw SFTPTrouble(settings, errand).failure(error) }
    }

    /// Size and permissions; nil when nothing is there.
    func stat(_ path: String, _ errand: RemoteErrand) async throws -> (size: UInt64?, permissions: UInt32?)? {
        var request = SFTPRequest(.status)
        request.add(path)
        let answer = try await ask(request, errand)
        if answer.status == SFTPStatus.noFile { return nil }
        guard answer.type == SFTPType.answerAttributes.rawValue else { throw await refusal(answer, errand) }
        var reader = SFTPReader(answer.rest)
        do throws(SFTPMalformed) { return try reader.attributes() } catch { throw malformed(errand) }
    }

    private func makeFolder(_ folder: String, _ errand: RemoteErrand) async throws {
        var request = SFTPRequest(.makeFolder)
        request.add(folder)
        request.add(permissions: 0o700)
        let answer = try await ask(request, errand)
        if answer.status != SFTPStatus.ok { try await requireFolder(folder, answer, errand) }
    }

    /// What could not be made is there already, or the refusal counts.
    private func requireFolder(_ folder: String, _ answer: SFTPAnswer, _ errand: RemoteErrand) async throws {
        guard try await stat(folder, errand) == nil else { return }
        throw await refusal(answer, errand)
    }

    func requireOK(_ answer: SFTPAnswer, _ errand: RemoteErrand) async throws {
        guard answer.status == SFTPStatus.ok else { throw await refusal(answer, errand) }
    }

    // MARK: Words

    func notFound(_ errand: RemoteErrand) -> StorageFailure {
        errand.failure(.notFound, "is not there", next: "run check to see what is missing")
    }

    func malformed(_ errand: RemoteErrand) -> StorageFailure {
        SFTPTrouble(settings, errand).malformed
    }

    /// A status that means no; a failure without a reason may be a disk that is full.
    func refusal(_ answer: SFTPAnswer, _ errand: RemoteErrand) async -> StorageFailure {
        let trouble = SFTPTrouble(settings, errand)
        guard answer.status == SFTPStatus.failure, await hasNoRoom() else { return trouble.failure(answer) }
        return trouble.noRoom
    }

    /// Fewer free blocks are none: an object needs some for itself and its folder.
    private static let blocksMin: UInt64 = 256

    private func hasNoRoom() async -> Bool {
        let errand = RemoteErrand("look up", location, host: settings.location.host)
        guard let connection = try? await connection(errand), connection.has("statvfs@openssh.com") else {
            return false
        }
        var request = SFTPRequest(.extended)
        request.add("statvfs@openssh.com")
        request.add(settings.location.path)
        guard let answer = try? await connection.send(request).value(),
            answer.type == SFTPType.answerExtended.rawValue
        else { return false }
        var reader = SFTPReader(answer.rest)
        do throws(SFTPMalformed) {
            // Block size, fragment size, blocks, free blocks, blocks free for us.
            for _ in 0..<4 { _ = try reader.large() }
            return try reader.large() < Self.blocksMin
        } catch {
            return false
        }
    }
}
