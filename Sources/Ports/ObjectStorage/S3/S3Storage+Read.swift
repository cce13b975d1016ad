package import Bytes
import HTTPTransport
import Outcome

/// Reading objects and listings.
extension S3Storage {
    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let errand = errand("read", name)
        guard let range else { return try await whole(name, errand) }
        guard !range.isEmpty else { return try await nothing(at: range.lowerBound, of: name, errand) }
        // Not `count`, which traps for ranges that no object has.
        guard range.upperBound - range.lowerBound <= StorageLimits.objectBytesMax else {
            throw RemoteRange.tooShort(errand, size: try await size(name), upTo: range.upperBound)
        }
        var ask = S3Ask(method: .get, key: key(name))
        ask.headers = [HTTPHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        ask.answerBytesMax = Int(range.count)
        let receipt = try await client.send(ask, errand)
        try RemoteRange.check(receipt, range, errand)
        return receipt.body
    }

    private func whole(_ name: ObjectName, _ errand: RemoteErrand) async throws -> Block {
        var ask = S3Ask(method: .get, key: key(name))
        ask.answerBytesMax = Int(StorageLimits.objectBytesMax)
        let receipt = try await client.send(ask, errand)
        try RemoteRange.checkWhole(receipt, errand)
        return receipt.body
    }

    /// No bytes of an object that is there, and has that many in front of them.
    private func nothing(at offset: UInt64, of name: ObjectName, _ errand: RemoteErrand) async throws -> Block {
        let size = try await size(name)
        guard offset <= size else { throw RemoteRange.tooShort(errand, size: size, upTo: offset) }
        return Block(capacity: 0)
    }

    // MARK: Listing

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        guard kind != .config else {
            let size = try await head(.config, "list")?.size
            return ObjectListing(entries: size.map { [ObjectEntry(digest: .zero, size: $0)] } ?? [])
        }
        let errand = RemoteErrand("list", "\(kind.rawValue) files in \(location)", host: host)
        let base = settings.location.prefix.isEmpty ? "" : settings.location.prefix + "/"
        let prefix = "\(base)\(kind.directoryName)/"
        var collected = ListedKeys(kind, prefix: prefix)
        var mark: String?
        var marks: Set<String> = []
        while true {
            try Task.checkCancellation()
            let page = try await page(prefix, from: mark, errand)
            collected.add(page.entries.map { ($0.key, $0.size) })
            guard page.isTruncated else { return collected.listing }
            let next = settings.listsByOldInterface ? oldMark(page) : page.continuationToken
            // A mark that came before leads round in a circle (E-05); pages without an object cost no more than a listing may have.
            guard !next.isEmpty, marks.insert(next).inserted, marks.count <= S3Storage.pagesMax else {
                throw incomplete(
                    errand,
                    next.isEmpty ? "says that there is more, and not where" : "leads round in a circle"
                )
            }
            mark = next
        }
    }

    /// A hundred million objects; repositories have a few hundred thousand.
    private static let pagesMax = 100_000
    /// A page has at most a thousand keys of at most 1 KiB, each with 500 bytes around it, and more when it is escaped.
    private static let pageBytesMax = 8 << 20

    private func page(_ prefix: String, from mark: String?, _ errand: RemoteErrand) async throws -> S3ListPage {
        var ask = S3Ask(method: .get)
        ask.query = [("prefix", prefix), ("encoding-type", "url")]
        if settings.listsByOldInterface {
            if let mark { ask.query.append(("marker", mark)) }
        } else {
            ask.query.append(("list-type", "2"))
            if let mark { ask.query.append(("continuation-token", mark)) }
        }
        ask.answerBytesMax = S3Storage.pageBytesMax
        let receipt = try await client.send(ask, errand)
        do throws(XMLScanner.Trouble) { return try S3ListPage(receipt.body) } catch {
            throw incomplete(errand, "is none from byte \(error.offset) on")
        }
    }

    private func oldMark(_ page: S3ListPage) -> String {
        page.nextMarker.isEmpty
            ? page.entries.last.map { String(decoding: $0.key, as: UTF8.self) } ?? "" : page.nextMarker
    }

    private func incomplete(_ errand: RemoteErrand, _ what: String) -> StorageFailure {
        errand.failure(
            .answer,
            "the listing is incomplete: what \(host) answers \(what)",
            state: "nothing was concluded from it",
            next: "try again; if it stays so, use `-o s3.list-objects-v1=true`",
            because: RemoteAnswer(status: 200)
        )
    }
}
