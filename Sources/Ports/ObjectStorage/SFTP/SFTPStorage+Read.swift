package import Bytes
import Outcome

/// Reading objects and listings.
extension SFTPStorage {
    private static let pieceBytes: UInt64 = 32 << 10

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let errand = errand("read", name)
        let known: UInt64?
        if let range, range.upperBound - range.lowerBound <= StorageLimits.objectBytesMax, !range.isEmpty {
            known = nil
        } else {
            let size = try await size(name)
            guard range?.upperBound ?? size <= size else {
                throw RemoteRange.tooShort(errand, size: size, upTo: range?.upperBound ?? size)
            }
            guard size <= StorageLimits.objectBytesMax || range != nil else {
                throw errand.failure(.tooLarge, "has \(size) bytes, which no object has", next: "look at that file")
            }
            known = size
        }
        let wanted = range ?? 0..<(known ?? 0)
        guard !wanted.isEmpty else { return Block(capacity: 0) }
        var request = SFTPRequest(.open)
        request.add(path(name.path))
        request.add(UInt32(1))
        request.add(UInt32(0))
        let answer = try await ask(request, errand)
        if answer.status == SFTPStatus.noFile { throw notFound(errand) }
        guard answer.type == SFTPType.answerHandle.rawValue else { throw await refusal(answer, errand) }
        var reader = SFTPReader(answer.rest)
        let handle: [UInt8]
        do throws(SFTPMalformed) { handle = try reader.text() } catch { throw malformed(errand) }
        let connection = try await connection(errand)
        defer {
            var close = SFTPRequest(.close)
            close.add(handle)
            // Nobody waits for its answer.
            _ = try? connection.send(close)
        }
        return try await read(wanted, handle, connection, name, errand)
    }

    /// In pieces that are asked for ahead, and taken in their order.
    private func read(
        _ range: Range<UInt64>,
        _ handle: [UInt8],
        _ connection: SFTPConnection,
        _ name: ObjectName,
        _ errand: RemoteErrand
    ) async throws -> Block {
        let block = Block(capacity: Int(range.upperBound - range.lowerBound))
        var ahead: [(part: Range<UInt64>, ticket: SFTPTicket)] = []
        var position = range.lowerBound
        func send(_ part: Range<UInt64>) throws -> (Range<UInt64>, SFTPTicket) {
            var request = SFTPRequest(.read)
            request.add(handle)
            request.add(part.lowerBound)
            request.add(UInt32(part.upperBound - part.lowerBound))
            return (part, try sending(errand) { try connection.send(request) })
        }
        while position < range.upperBound || !ahead.isEmpty {
            while ahead.count < Self.window, position < range.upperBound {
                let end = min(position + Self.pieceBytes, range.upperBound)
                ahead.append(try send(position..<end))
                position = end
            }
            let (part, ticket) = ahead.removeFirst()
            let answer = try await receiving(errand) { try await ticket.value() }
            if answer.status == SFTPStatus.end {
                throw RemoteRange.tooShort(errand, size: part.lowerBound, upTo: range.upperBound)
            }
            guard answer.type == SFTPType.answerData.rawValue else { throw await refusal(answer, errand) }
            var reader = SFTPReader(answer.rest)
            let bytes: [UInt8]
            do throws(SFTPMalformed) { bytes = try reader.text() } catch { throw malformed(errand) }
            guard !bytes.isEmpty, UInt64(bytes.count) <= part.upperBound - part.lowerBound else {
                throw malformed(errand)
            }
            bytes.withUnsafeBytes { block.append($0) }
            let end = part.lowerBound + UInt64(bytes.count)
            // Servers may send less than was asked for; the rest comes next.
            if end < part.upperBound { ahead.insert(try send(end..<part.upperBound), at: 0) }
        }
        return block
    }

    // MARK: Listing

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        let errand = RemoteErrand("list", "\(kind.rawValue) files in \(location)", host: settings.location.host)
        guard kind != .config else {
            let found = try await stat(path("config"), errand)
            return ObjectListing(entries: found.map { [ObjectEntry(digest: .zero, size: $0.size ?? 0)] } ?? [])
        }
        let base = kind.directoryName
        let top = try await entries(path(base), errand) ?? []
        guard kind == .pack else {
            var collected = ListedKeys(kind, prefix: "\(base)/")
            collected.add(top.filter { !$0.isFolder }.map { (Array("\(base)/".utf8) + $0.name, $0.size) })
            return collected.listing
        }
        var collected = ListedKeys(kind, prefix: "\(base)/")
        collected.add(top.filter { !$0.isFolder }.map { (Array("\(base)/".utf8) + $0.name, $0.size) })
        var folders = top.filter { $0.isFolder && $0.name.count == 2 }.map(\.name)[...]
        try await withThrowingTaskGroup(of: [(key: [UInt8], size: UInt64)].self) { group in
            func begin() {
                guard let folder = folders.popFirst() else { return }
                group.addTask { [self] in
                    let inner = "\(base)/\(String(decoding: folder, as: UTF8.self))"
                    let found = try await entries(path(inner), errand) ?? []
                    return found.filter { !$0.isFolder }.map { (Array("\(inner)/".utf8) + $0.name, $0.size) }
                }
            }
            for _ in 0..<16 { begin() }
            while let found = try await group.next() {
                collected.add(found)
                begin()
            }
        }
        return collected.listing
    }

    private struct Entry: Sendable {
        var name: [UInt8]
        var size: UInt64
        var isFolder: Bool
    }

    /// What lies in a folder, whole or a failure; nil when there is no such folder.
    private func entries(_ folder: String, _ errand: RemoteErrand) async throws -> [Entry]? {
        var request = SFTPRequest(.openFolder)
        request.add(folder)
        let opened = try await ask(request, errand)
        if opened.status == SFTPStatus.noFile { return nil }
        guard opened.type == SFTPType.answerHandle.rawValue else { throw await refusal(opened, errand) }
        var reader = SFTPReader(opened.rest)
        let handle: [UInt8]
        do throws(SFTPMalformed) { handle = try reader.text() } catch { throw malformed(errand) }
        var all: [Entry] = []
        var next = SFTPRequest(.readFolder)
        next.add(handle)
        while true {
            let answer = try await ask(next, errand)
            if answer.status == SFTPStatus.end { break }
            guard answer.type == SFTPType.answerNames.rawValue else { throw await refusal(answer, errand) }
            do throws(SFTPMalformed) { all += try Self.names(answer) } catch { throw malformed(errand) }
        }
        var close = SFTPRequest(.close)
        close.add(handle)
        _ = try? await connection(errand).send(close)
        return all
    }

    private static func names(_ answer: SFTPAnswer) throws(SFTPMalformed) -> [Entry] {
        var reader = SFTPReader(answer.rest)
        var found: [Entry] = []
        for _ in 0..<(try reader.number()) {
            let name = try reader.text()
            let line = try reader.text()
            let facts = try reader.attributes()
            guard name != [0x2e], name != [0x2e, 0x2e] else { continue }
            // Where the server tells no permissions, its line for people begins with them.
            let isFolder = facts.permissions.map { $0 & 0o170_000 == 0o040_000 } ?? (line.first == UInt8(ascii: "d"))
            found.append(Entry(name: name, size: facts.size ?? 0, isFolder: isFolder))
        }
        return found
    }
}
