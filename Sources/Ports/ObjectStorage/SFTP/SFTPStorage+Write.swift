package import Bytes
import Outcome

/// Storing objects.
extension SFTPStorage {
    /// Of one write request: the size that every server takes.
    private static let pieceBytes = 32 << 10
    /// Requests of one object that are on their way at a time: 2 MiB fill a line of 300 Mbit/s at 50 ms.
    static let window = 64

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        let errand = errand("write", name)
        // No second config may take the place of one: never trust to the rename alone.
        if name.kind == .config, try await stat(path(name.path), errand) != nil { throw occupied(name, errand) }
        let temporary = try await writeTemporary(name, bytes, errand)
        let answer = try await renamed(temporary, to: path(name.path), errand)
        guard answer.status != SFTPStatus.ok else { return }
        await discard(temporary, errand)
        // Servers refuse to replace by a failure without a reason.
        guard try await stat(path(name.path), errand) != nil else { throw await refusal(answer, errand) }
        guard name.kind != .config, try await get(name, range: nil).bytes == bytes.bytes else {
            throw occupied(name, errand)
        }
    }

    /// In one step where the server can; else there is no config in between.
    package func replaceConfig(_ bytes: Block) async throws {
        let errand = errand("replace", .config)
        guard try await stat(path("config"), errand) != nil else { throw notFound(errand) }
        let temporary = try await writeTemporary(.config, bytes, errand)
        let answer: SFTPAnswer
        if try await connection(errand).has("posix-rename@openssh.com") {
            var request = SFTPRequest(.extended)
            request.add("posix-rename@openssh.com")
            request.add(temporary)
            request.add(path("config"))
            answer = try await ask(request, errand)
        } else {
            try await remove(.config)
            answer = try await renamed(temporary, to: path("config"), errand)
        }
        try await requireOK(answer, errand)
    }

    private func occupied(_ name: ObjectName, _ errand: RemoteErrand) -> StorageFailure {
        let isConfig = name.kind == .config
        return errand.failure(
            .exists,
            isConfig ? "there is a config already" : "an object of this name with different content is there",
            state: "the existing object was not changed",
            next: isConfig
                ? "open this repository with its password, or choose an empty place"
                : "run check --read-data: the existing object is damaged; move it away, then back up again"
        )
    }

    private func renamed(_ temporary: String, to final: String, _ errand: RemoteErrand) async throws -> SFTPAnswer {
        var request = SFTPRequest(.rename)
        request.add(temporary)
        request.add(final)
        return try await ask(request, errand)
    }

    /// What was half written is nobody's; when it cannot be taken away, it is passed over by listings.
    private func discard(_ temporary: String, _ errand: RemoteErrand) async {
        var request = SFTPRequest(.remove)
        request.add(temporary)
        _ = try? await ask(request, errand)
    }

    /// Writes, syncs and closes a file under a name that nobody has; returns its path.
    private func writeTemporary(_ name: ObjectName, _ bytes: Block, _ errand: RemoteErrand) async throws -> String {
        let temporary = path("\(name.path)-restic-temp-\(mark())")
        let handle = try await created(temporary, name, errand)
        do {
            try await fill(handle, bytes, errand)
            return temporary
        } catch {
            await discard(temporary, errand)
            throw error
        }
    }

    private func created(_ temporary: String, _ name: ObjectName, _ errand: RemoteErrand) async throws -> [UInt8] {
        var request = SFTPRequest(.open)
        request.add(temporary)
        // To write, to create, and only if it is not there.
        request.add(UInt32(0x02 | 0x08 | 0x20))
        request.add(permissions: 0o600)
        var answer = try await ask(request, errand)
        if answer.status == SFTPStatus.noFile, let folder = name.subdirectory {
            var parent = SFTPRequest(.makeFolder)
            parent.add(path("data/\(folder)"))
            parent.add(permissions: 0o700)
            _ = try await ask(parent, errand)
            answer = try await ask(request, errand)
        }
        guard answer.type == SFTPType.answerHandle.rawValue else { throw await refusal(answer, errand) }
        var reader = SFTPReader(answer.rest)
        do throws(SFTPMalformed) { return try reader.text() } catch { throw malformed(errand) }
    }

    private func fill(_ handle: [UInt8], _ bytes: Block, _ errand: RemoteErrand) async throws {
        let connection = try await connection(errand)
        var tickets: [SFTPTicket] = []
        func settle(_ ticket: SFTPTicket) async throws {
            try await requireOK(try await receiving(errand) { try await ticket.value() }, errand)
        }
        func send(_ request: SFTPRequest) async throws {
            if tickets.count >= Self.window { try await settle(tickets.removeFirst()) }
            tickets.append(try sending(errand) { try connection.send(request) })
        }
        var position = 0
        while position < bytes.count {
            let end = min(position + Self.pieceBytes, bytes.count)
            var request = SFTPRequest(.write)
            request.add(handle)
            request.add(UInt64(position))
            bytes.withBytes { request.add($0[position..<end]) }
            try await send(request)
            position = end
        }
        var mode = SFTPRequest(.setHandleStatus)
        mode.add(handle)
        mode.add(permissions: 0o400)
        // Where a server keeps no permissions, that is no reason to keep no backup.
        let modeTicket = try sending(errand) { try connection.send(mode) }
        if connection.has("fsync@openssh.com") {
            var sync = SFTPRequest(.extended)
            sync.add("fsync@openssh.com")
            sync.add(handle)
            try await send(sync)
        }
        var close = SFTPRequest(.close)
        close.add(handle)
        try await send(close)
        for ticket in tickets { try await settle(ticket) }
        _ = try await receiving(errand) { try await modeTicket.value() }
    }
}
