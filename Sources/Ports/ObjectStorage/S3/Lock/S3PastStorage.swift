package import Bytes
import HTTPTransport
import HostSystem
import Outcome
import Synchronization

/// A bucket as it was at a moment: what has been deleted or overwritten since is read as it lay there then.
///
/// Changes nothing; for a bucket that keeps versions. 1. Of each name the newest version counts that was stored by then; where that is the mark of a
/// deletion, there is no object. 2. Locks of then are none: nobody works there any more. 3. A pack's version is asked for when the pack
/// is read first, those of all other kinds come with their listing.
package final class S3PastStorage: ObjectStorage {
    private struct Version {
        var id: String
        var size: UInt64
    }

    private let client: S3Client
    private let settings: S3Settings
    private let moment: Timestamp
    /// By key; nil for a key that had no object then.
    private let versions = Mutex<[String: Version?]>([:])

    /// Opens nothing yet; errors are those of `S3Storage`.
    package init(
        _ settings: S3Settings,
        at moment: Timestamp,
        time: any TimeSource = SystemTime(),
        credentials: @escaping @Sendable () throws -> S3Credentials?
    ) throws {
        self.settings = settings
        self.moment = moment
        client = try S3Client(settings, time: time, credentials: credentials)
    }

    package var location: String { "\(settings.location.text) as of \(S3Moment.text(moment))" }
    package var connections: Int { settings.connections }
    package var listedPerRequest: Int? { 1000 }

    package func checkIdentity() async throws {}
    package func exists() async throws -> Bool { try await version(.config, "open") != nil }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        guard let version = try await version(name, "look up") else { throw notFound("look up", name) }
        return version.size
    }

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        guard let version = try await version(name, "read") else { throw notFound("read", name) }
        let errand = errand("read", name)
        let end = range?.upperBound ?? version.size
        guard end <= version.size, version.size <= StorageLimits.objectBytesMax else {
            throw RemoteRange.tooShort(errand, size: version.size, upTo: end)
        }
        if let range, range.isEmpty { return Block(capacity: 0) }
        var ask = S3Ask(method: .get, key: key(name), query: [("versionId", version.id)])
        if let range { ask.headers = [HTTPHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")] }
        ask.answerBytesMax = Int(range.map { $0.upperBound - $0.lowerBound } ?? version.size)
        let receipt = try await client.send(ask, errand)
        if let range {
            try RemoteRange.check(receipt, range, errand)
        } else {
            try RemoteRange.checkWhole(receipt, errand)
        }
        return receipt.body
    }

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        guard kind != .lock else { return ObjectListing() }
        guard kind != .config else {
            let size = try await version(.config, "list")?.size
            return ObjectListing(entries: size.map { [ObjectEntry(digest: .zero, size: $0)] } ?? [])
        }
        let errand = RemoteErrand("list", "\(kind.rawValue) files in \(location)", host: host)
        let prefix = "\(base)\(kind.directoryName)/"
        var collected = ListedKeys(kind, prefix: prefix)
        let found = try await pastVersions(prefix, errand)
        collected.add(found.compactMap { key, version in version.map { (Array(key.utf8), $0.size) } })
        return collected.listing
    }

    // MARK: what changes

    package func prepare() async throws { throw unchangeable("create", location) }
    package func put(_ name: ObjectName, _: Block) async throws { throw unchangeable("write", name.short) }
    package func replaceConfig(_: Block) async throws { throw unchangeable("replace", "config") }
    package func remove(_ name: ObjectName) async throws { throw unchangeable("remove", name.short) }

    private func unchangeable(_ operation: String, _ object: String) -> StorageFailure {
        RemoteErrand(operation, object, host: host).failure(
            .readOnly,
            "the past of a bucket cannot be changed",
            state: "nothing was changed",
            next: "read from it with --no-lock, or copy it into another repository"
        )
    }

    // MARK: versions

    private var host: String { settings.location.host }
    private var base: String { settings.location.prefix.isEmpty ? "" : settings.location.prefix + "/" }

    private func key(_ name: ObjectName) -> String { base + name.path }

    private func errand(_ operation: String, _ name: ObjectName) -> RemoteErrand {
        RemoteErrand(operation, "\(name.short) in \(location)", host: host)
    }

    private func notFound(_ operation: String, _ name: ObjectName) -> StorageFailure {
        errand(operation, name).failure(.notFound, "was not there", next: "name another moment")
    }

    private func version(_ name: ObjectName, _ operation: String) async throws -> Version? {
        let key = key(name)
        if let known = versions.withLock({ $0[key] }) { return known }
        let found = try await pastVersions(key, errand(operation, name))
        versions.withLock { if $0[key] == nil { $0[key] = .some(nil) } }
        return found[key] ?? nil
    }

    /// What counted at the moment of all keys that begin so.
    private func pastVersions(_ prefix: String, _ errand: RemoteErrand) async throws -> [String: Version?] {
        var newest: [String: (stored: Timestamp, version: Version?)] = [:]
        var mark: (key: String, version: String)?
        var marks: Set<String> = []
        repeat {
            try Task.checkCancellation()
            let page = try await page(prefix, from: mark, errand)
            for entry in page.entries {
                guard let stored = entry.stored else { throw incomplete(errand, "has a version without a time") }
                let key = String(decoding: entry.key, as: UTF8.self)
                // Of two in the same second the one that is listed first is the newer.
                guard stored <= moment, newest[key].map({ $0.stored < stored }) ?? true else { continue }
                newest[key] = (stored, entry.size.map { Version(id: entry.version, size: $0) })
            }
            guard page.isTruncated else { break }
            guard !page.nextKey.isEmpty, marks.insert("\(page.nextKey)\n\(page.nextVersion)").inserted else {
                throw incomplete(errand, "leads round in a circle")
            }
            mark = (page.nextKey, page.nextVersion)
        } while true
        let found = newest.mapValues(\.version)
        versions.withLock { $0.merge(found) { _, new in new } }
        return found
    }

    private func page(_ prefix: String, from mark: (key: String, version: String)?, _ errand: RemoteErrand) async throws
        -> S3VersionPage
    {
        var ask = S3Ask(method: .get, query: [("versions", ""), ("prefix", prefix), ("encoding-type", "url")])
        if let mark { ask.query += [("key-marker", mark.key), ("version-id-marker", mark.version)] }
        ask.answerBytesMax = 8 << 20
        let receipt = try await client.send(ask, errand)
        do throws(XMLScanner.Trouble) { return try S3VersionPage(receipt.body) } catch {
            throw incomplete(errand, "is none from byte \(error.offset) on")
        }
    }

    private func incomplete(_ errand: RemoteErrand, _ what: String) -> StorageFailure {
        errand.failure(
            .answer,
            "the listing of versions is incomplete: what \(host) answers \(what)",
            state: "nothing was concluded from it",
            next: "try again; the bucket has to keep versions",
            because: RemoteAnswer(status: 200)
        )
    }
}
