package import Bytes
import HTTPTransport
import Outcome

/// What a key can do in a bucket, as it was tried.
package struct S3Rights: Sendable, Hashable {
    /// What came of one try.
    package enum Right: Sendable, Hashable {
        case granted
        /// With what the server said.
        case refused(String)

        package var isGranted: Bool { self == .granted }
    }

    package var list: Right
    package var read: Right
    /// Of a lock file, which every run writes and removes.
    package var write: Right
    package var remove: Right
    /// Of a pack, for good: by version id where the bucket keeps versions.
    package var destroy: Right
}

extension S3Storage {
    /// Tries each right on nothing of worth: a canary among the locks is written, read and removed, and a pack that is not there is deleted.
    ///
    /// Errors: those of the store but refusals.
    package func rights(entropy: some EntropySource) async throws -> S3Rights {
        let base = settings.location.prefix.isEmpty ? "" : settings.location.prefix + "/"
        let canary = Canary(.lock, entropy: entropy).name
        let errand = RemoteErrand("try the rights on", "\(canary) in \(location)", host: host)
        func tried(_ ask: S3Ask, missingIsGranted: Bool = false) async throws -> (S3Rights.Right, HTTPReceipt) {
            var ask = ask
            ask.accepts = S3Storage.refusals.union([401])
            let receipt = try await client.send(ask, errand)
            let isGranted = receipt.isGood || missingIsGranted && receipt.status == 404
            let code = S3Refusal(receipt.body)?.code ?? ""
            let said = code.isEmpty ? "HTTP \(receipt.status)" : "HTTP \(receipt.status), \(code)"
            return (isGranted ? .granted : .refused(said), receipt)
        }
        let query = [("list-type", "2"), ("max-keys", "1"), ("prefix", base)]
        let (list, _) = try await tried(S3Ask(method: .get, query: query.map { (name: $0.0, value: $0.1) }))
        var put = S3Ask(method: .put, key: base + canary, body: Block(Array("holdfast canary\n".utf8)))
        put.headers = newObjectHeaders(.lock)
        let (write, written) = try await tried(put)
        let readable = write.isGranted ? base + canary : base + "config"
        let (read, _) = try await tried(S3Ask(method: .get, key: readable), missingIsGranted: !write.isGranted)
        let (remove, _) = try await tried(S3Ask(method: .delete, key: base + canary))
        // A version that nobody has: where the bucket keeps none, the key itself.
        let absent = Canary(.pack, entropy: entropy).name
        let keepsVersions = written.header("x-amz-version-id").map { !$0.isEmpty && $0 != "null" } ?? false
        let version = keepsVersions || !write.isGranted ? [(name: "versionId", value: "null")] : []
        let (destroy, _) = try await tried(
            S3Ask(method: .delete, key: base + absent, query: version),
            missingIsGranted: true
        )
        return S3Rights(list: list, read: read, write: write, remove: remove, destroy: destroy)
    }
}
