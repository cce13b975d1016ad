import Bytes
import Foundation
import HTTPTransport
import HostSystem
import ObjectStorage
import Outcome
import Synchronization
import TestSupport

/// A place of its own in a server's bucket, and stores that lie there.
struct S3Bench: Sendable {
    let rig: StoreRig
    var settings: S3Settings
    var credentials = S3Bench.key

    static let key = S3Credentials(keyID: "rig-key", secret: Secret(Array("rig-secret".utf8)))
    /// Quick, so that a test of retries ends; with all the time that the product has, since many tests run beside it.
    static let policy = RetryPolicy(firstWaitSeconds: 0.01, longestWaitSeconds: 0.05, firstContactSeconds: 1)

    init(_ rig: StoreRig, secure: Bool = false, bucket: String? = nil, _ change: (inout S3Settings) -> Void = { _ in })
    {
        self.rig = rig
        let location = S3Location(
            host: rig.host,
            isSecure: secure,
            bucket: bucket ?? "bucket-\(UUID().uuidString.lowercased().prefix(8))",
            prefix: "some/pre+fix"
        )
        settings = S3Settings(location)
        change(&settings)
    }

    /// Without retries.
    func plain() throws -> S3Storage {
        let credentials = credentials
        return try S3Storage(settings) { credentials }
    }

    /// As the product has it, but for the waits.
    func remote(_ policy: RetryPolicy = S3Bench.policy) -> any ObjectStorage {
        do { return RemoteStorage(try plain(), policy: policy) } catch { preconditionFailure("\(error)") }
    }

    /// A store with layout and config.
    func prepared(_ policy: RetryPolicy = S3Bench.policy) async throws -> any ObjectStorage {
        try await rig.setFaults([])
        let store = remote(policy)
        try await store.prepare()
        try await store.put(.config, block("config"))
        return store
    }

    /// The keys of the bucket, without the prefix.
    func keys() async throws -> [String] {
        try await rig.keys(settings.location.bucket).map { String($0.dropFirst(settings.location.prefix.count + 1)) }
    }
}
