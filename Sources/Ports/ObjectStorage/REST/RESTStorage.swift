package import Bytes
package import HTTPTransport
import Outcome
import Synchronization

/// How a server of restic's REST protocol is spoken to.
package struct RESTSettings: Sendable {
    package var location: RESTLocation
    /// Requests at a time.
    package var connections: Int
    package var userAgent: String
    package var trust: HTTPSettings
    package var pace: HTTPPace

    package init(
        _ location: RESTLocation,
        connections: Int = 5,
        userAgent: String = "holdfast",
        trust: HTTPSettings = S3Settings.trust(),
        pace: HTTPPace = HTTPPace()
    ) {
        self.location = location
        self.connections = connections
        self.userAgent = userAgent
        self.trust = trust
        self.pace = pace
    }
}

/// A repository on a server that speaks restic's REST protocol, the first or the second.
///
/// ```
/// POST path/?create=true   HEAD GET POST path/config   GET path/<kind>/   HEAD GET POST DELETE path/<kind>/<id>
/// ```
/// 1. What the server says is exactly 200, and 206 for a range; everything else is a refusal.
/// 2. Servers of restic's own refuse to replace (403) and compare what arrives with its name; others overwrite, which under a name made
///    of the content means the same bytes. The config is always looked for first.
/// 3. Tries nothing twice: wrap it in `RemoteStorage`.
///
/// **Source**: restic doc/REST_backend.rst, internal/backend/rest.
package final class RESTStorage: ObjectStorage {
    private let settings: RESTSettings
    private let http: any HTTPSender
    package let location: String
    private let host: String
    /// It takes another object in the place of one that is there, so that each is looked for first.
    private let replaces: Bool
    /// Whether the server has answered a listing by the second protocol.
    private let listsSizes = Mutex(false)

    /// Opens nothing yet; errors: certificate files that cannot be read.
    package convenience init(_ settings: RESTSettings) throws {
        let (text, place) = (settings.location.text, settings.location.place)
        do throws(HTTPTrouble) {
            // Locks do not stand in line with the rest.
            let http = try HTTPConnections(settings.trust, connections: settings.connections + 2, pace: settings.pace)
            self.init(settings, shown: text, host: place, sender: http)
        } catch {
            throw RemoteErrand("open", text, host: place).failure(error)
        }
    }

    /// `shown` and `host` are for messages.
    init(_ settings: RESTSettings, shown: String, host: String, replaces: Bool = false, sender: any HTTPSender) {
        self.replaces = replaces
        self.settings = settings
        self.host = host
        location = shown
        http = sender
    }

    package var connections: Int { settings.connections }
    /// The second protocol lists everything at once, a hundred bytes each: as much as a request without bytes costs for four.
    package var listedPerRequest: Int? { listsSizes.withLock { $0 } ? 1000 : nil }

    package func checkIdentity() async throws {}

    package func prepare() async throws {
        let errand = RemoteErrand("create", location, host: host)
        _ = try await send(.post, "?create=true", errand, body: Block(capacity: 0))
    }

    package func exists() async throws -> Bool {
        try await send(.head, path(.config), errand("open", .config), accepts: [404]).status == 200
    }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        let errand = errand("look up", name)
        let receipt = try await send(.head, path(name), errand)
        guard let size = receipt.declaredLength else {
            throw wrong(errand, receipt, "does not say how long it is")
        }
        return size
    }

    package func remove(_ name: ObjectName) async throws {
        _ = try await send(.delete, path(name), errand("remove", name))
    }

    // MARK: Bytes

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let errand = errand("read", name)
        guard let range else {
            let receipt = try await send(.get, path(name), errand, bytesMax: Int(StorageLimits.objectBytesMax))
            try RemoteRange.checkWhole(receipt, errand)
            return receipt.body
        }
        // Not `count`, which traps for ranges that no object has.
        guard !range.isEmpty, range.upperBound - range.lowerBound <= StorageLimits.objectBytesMax else {
            let size = try await size(name)
            guard range.upperBound <= size else {
                throw RemoteRange.tooShort(errand, size: size, upTo: range.upperBound)
            }
            return Block(capacity: 0)
        }
        let header = HTTPHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
        let receipt = try await send(.get, path(name), errand, headers: [header], bytesMax: Int(range.count))
        try RemoteRange.check(receipt, range, errand)
        return receipt.body
    }

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        let errand = errand("write", name)
        if name.kind == .config || replaces {
            let look = try await send(.head, path(name), errand, accepts: [404])
            if look.status == 200 { return try await requireSame(look, name, bytes) }
        }
        let header = HTTPHeader("Content-Type", "application/octet-stream")
        let receipt = try await send(.post, path(name), errand, headers: [header], body: bytes, accepts: [403])
        guard receipt.status == 403 else { return }
        // Refused since it is there, or since nothing may be written.
        let look = try await send(.head, path(name), errand, accepts: [403, 404])
        guard look.status == 200 else { throw refusal(receipt, errand) }
        try await requireSame(look, name, bytes)
    }

    /// What is there already is what was to be written, or that is refused.
    ///
    /// Where objects are replaced they are also seen while another writes them: a part is looked at again before it counts as damage.
    private func requireSame(_ look: HTTPReceipt, _ name: ObjectName, _ bytes: Block) async throws {
        guard name.kind != .config else { throw exists(name) }
        var length = look.declaredLength
        for attempt in 1... {
            if length == UInt64(bytes.count), try await get(name, range: nil).bytes == bytes.bytes { return }
            guard replaces, attempt < Self.partLooks else { throw exists(name) }
            try await Task.sleep(nanoseconds: Self.partPauseNanoseconds)
            length = try await send(.head, path(name), errand("write", name)).declaredLength
        }
    }

    /// Five seconds in all.
    private static let partLooks = 26
    private static let partPauseNanoseconds: UInt64 = 200_000_000

    private func exists(_ name: ObjectName) -> StorageFailure {
        let isConfig = name.kind == .config
        return errand(isConfig ? "create" : "write", name).failure(
            .exists,
            isConfig ? "there is a config already" : "an object of this name with different content is there",
            state: "the existing object was not changed",
            next: isConfig
                ? "open this repository with its password, or choose an empty place"
                : "run check --read-data: the existing object is damaged; move it away, then back up again"
        )
    }

    // MARK: Listing

    private static let secondProtocol = "application/vnd.x.restic.rest.v2"
    /// A hundred bytes for each of a million and a half objects.
    private static let listingBytesMax = 160 << 20

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        let errand = RemoteErrand("list", "\(kind.rawValue) files in \(location)", host: host)
        guard kind != .config else {
            let look = try await send(.head, path(.config), errand, accepts: [404])
            let size = look.status == 200 ? look.declaredLength : nil
            return ObjectListing(entries: size.map { [ObjectEntry(digest: .zero, size: $0)] } ?? [])
        }
        let path = "\(kind.directoryName)/"
        let receipt = try await send(.get, path, errand, bytesMax: Self.listingBytesMax, accepts: [404])
        if receipt.status == 404 {
            // A folder that is not there yet has nothing in it; rclone says so otherwise, and means trouble by 404.
            guard receipt.header("server")?.hasPrefix("rclone/") == true else { return ObjectListing() }
            throw refusal(receipt, errand)
        }
        let listing: RESTListing
        do throws(RESTListing.Trouble) { listing = try RESTListing(receipt.body.bytes) } catch {
            throw wrong(errand, receipt, "sent a listing that is none from byte \(error.offset) on")
        }
        var collected = ListedNames(kind)
        for entry in listing.entries { collected.add(entry.name, entry.size) }
        if let first = listing.entries.first { listsSizes.withLock { $0 = first.size != nil } }
        return try await sized(collected, kind)
    }

    /// By the first protocol each object is asked for its size; what is gone meanwhile is not listed.
    private func sized(_ collected: ListedNames, _ kind: ObjectKind) async throws -> ObjectListing {
        var listing = collected.listing
        guard !collected.unsized.isEmpty else { return listing }
        try await withThrowingTaskGroup(of: ObjectEntry?.self) { group in
            var rest = collected.unsized[...]
            func startOne() {
                guard let digest = rest.popFirst() else { return }
                group.addTask { [self] in
                    do {
                        return ObjectEntry(digest: digest, size: try await size(ObjectName(kind, digest)))
                    } catch let failure as StorageFailure where failure.code == .notFound {
                        return nil
                    }
                }
            }
            for _ in 0..<max(1, connections) { startOne() }
            while let entry = try await group.next() {
                if let entry { listing.entries.append(entry) }
                startOne()
            }
        }
        return listing
    }

    // MARK: Requests

    /// Flat: the server sorts packs into folders as it likes.
    func path(_ name: ObjectName) -> String {
        name.kind == .config ? name.fileName : "\(name.kind.directoryName)/\(name.fileName)"
    }

    func errand(_ operation: String, _ name: ObjectName) -> RemoteErrand {
        RemoteErrand(operation, "\(name.short) in \(location)", host: host)
    }

    func send(
        _ method: HTTPMethod,
        _ path: String,
        _ errand: RemoteErrand,
        headers: [HTTPHeader] = [],
        body: Block? = nil,
        bytesMax: Int = 64 << 10,
        accepts: Set<Int> = []
    ) async throws -> HTTPReceipt {
        var lines = headers
        lines.append(HTTPHeader("Host", settings.location.host))
        lines.append(HTTPHeader("Accept", Self.secondProtocol))
        lines.append(HTTPHeader("User-Agent", settings.userAgent))
        if let authorization { lines.append(HTTPHeader("Authorization", authorization)) }
        let transfer = HTTPTransfer(
            method,
            url: settings.location.url(path),
            headers: lines,
            body: body,
            answerBytesMax: bytesMax
        )
        let receipt: HTTPReceipt
        do { receipt = try await http.send(transfer) } catch { throw errand.failure(error) }
        guard receipt.status == 200 || (receipt.status == 206 && method == .get) || accepts.contains(receipt.status)
        else {
            throw refusal(receipt, errand)
        }
        return receipt
    }

    private var authorization: String? {
        guard let user = settings.location.user else { return nil }
        let pair = Array("\(user):".utf8) + (settings.location.password?.withBytes { Array($0) } ?? [])
        return "Basic \(Base64.encode(pair))"
    }

    private func wrong(_ errand: RemoteErrand, _ receipt: HTTPReceipt, _ what: String) -> StorageFailure {
        errand.failure(
            .answer,
            "\(host) \(what)",
            next:
                "check that the address is that of a server of restic's REST protocol, and that nothing in between changes its answers",
            because: RemoteAnswer(receipt)
        )
    }

    private func refusal(_ receipt: HTTPReceipt, _ errand: RemoteErrand) -> StorageFailure {
        RESTTrouble(errand).failure(receipt)
    }
}
