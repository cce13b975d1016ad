package import Bytes
import HTTPTransport
import HostSystem
import Outcome
import Synchronization

/// A repository in a bucket of an object store that speaks Amazon's S3.
///
/// ```
/// bucket/prefix/ config  keys/<id>  locks/<id>  snapshots/<id>  index/<id>  data/<2 digits>/<id>
/// ```
/// 1. An object appears whole or not at all; `put` returned means that the server took exactly our bytes, which it compared with the
///    SHA-256 that is part of the signature and with Content-MD5 (E-04).
/// 2. Nothing is replaced: objects are put on condition that there is none of the name. Services that do not know the condition are
///    asked first. Those that know it not and say nothing overwrite, which under a name made of the content means the same bytes.
/// 3. There is no identity beyond the name of the bucket; `checkIdentity` asks nothing.
/// 4. Tries nothing twice: wrap it in `RemoteStorage`.
///
/// **Source**: restic internal/backend/s3.
package final class S3Storage: ObjectStorage {
    let client: S3Client
    let settings: S3Settings
    /// Raised by a service that refuses the condition of rule 2.
    let looksFirst = Mutex(false)

    /// Opens nothing yet.
    ///
    /// `credentials` is asked now, and again when those in use have run out; nil when there are none. Errors: no credentials; certificate
    /// files that cannot be read.
    package init(
        _ settings: S3Settings,
        time: any TimeSource = SystemTime(),
        credentials: @escaping @Sendable () throws -> S3Credentials?
    ) throws {
        self.settings = settings
        client = try S3Client(settings, time: time, credentials: credentials)
    }

    package var location: String { settings.location.text }
    package var connections: Int { settings.connections }
    package var listedPerRequest: Int? { 1000 }

    package func checkIdentity() async throws {}

    /// Makes the bucket when there is none; one that may not be looked at counts as there, as in restic.
    package func prepare() async throws {
        let errand = RemoteErrand("create", "bucket \(settings.location.bucket) in \(location)", host: host)
        let look = try await client.send(S3Ask(method: .head, accepts: [403, 404]), errand)
        guard look.status == 404 else { return }
        var ask = S3Ask(method: .put)
        // Of a bucket that is there it has to be set at the service.
        if settings.lock != nil { ask.headers.append(HTTPHeader("x-amz-bucket-object-lock-enabled", "true")) }
        let region = client.region
        if region != S3Address.standardRegion, region != "auto" {
            ask.body = Block(
                Array(
                    """
                    <CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>
                    """.utf8
                )
            )
        }
        _ = try await client.send(ask, errand)
    }

    package func exists() async throws -> Bool {
        // Read rather than looked at, since only answers with a body say why they refuse.
        var ask = S3Ask(method: .get, key: key(.config))
        ask.accepts = [404]
        return try await client.send(ask, errand("open", .config)).isGood
    }

    package func absence() async -> String? {
        let errand = RemoteErrand("open", location, host: host)
        guard let look = try? await client.send(S3Ask(method: .head, accepts: [404]), errand), look.status == 404 else {
            return nil
        }
        return "the bucket \(settings.location.bucket) does not exist at \(host)"
    }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        guard let head = try await head(name, "look up") else { throw notFound("look up", name) }
        return head.size
    }

    package func remove(_ name: ObjectName) async throws {
        _ = try await client.send(S3Ask(method: .delete, key: key(name)), errand("remove", name))
    }

    // MARK: Words

    var host: String { settings.location.host }

    func key(_ name: ObjectName) -> String {
        settings.location.prefix.isEmpty ? name.path : "\(settings.location.prefix)/\(name.path)"
    }

    func errand(_ operation: String, _ name: ObjectName) -> RemoteErrand {
        RemoteErrand(operation, "\(name.short) in \(location)", host: host)
    }

    func notFound(_ operation: String, _ name: ObjectName) -> StorageFailure {
        errand(operation, name).failure(.notFound, "is not there", next: "run check to see what is missing")
    }

    /// Size and tag of an object; nil when there is none.
    func head(_ name: ObjectName, _ operation: String) async throws -> (size: UInt64, tag: String)? {
        let errand = errand(operation, name)
        let receipt = try await client.send(S3Ask(method: .head, key: key(name), accepts: [404]), errand)
        guard receipt.isGood else { return nil }
        guard let size = receipt.declaredLength else {
            throw errand.failure(
                .answer,
                "\(host) does not say how long it is",
                next: "check that nothing between us and the object store changes its answers",
                because: RemoteAnswer(receipt)
            )
        }
        return (size, receipt.header("etag") ?? "")
    }
}
