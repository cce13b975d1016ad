import Bytes
import Foundation
import HTTPTransport
import ObjectStorage
import Outcome
import Synchronization
import TestSupport
import Testing

/// What a person reads whose region, endpoint, bucket, credentials, clock or certificate is wrong: which one, what the server said, what to
/// change; and that nobody tries for ever.
@Suite(.serialized, .onPool) struct S3RefusalTests {
    private static let rig = StoreRig("s3_double.py")
    private let bench = S3Bench(rig)

    private func refused(_ bench: S3Bench) async throws -> StorageFailure {
        let store = bench.remote()
        let failure = await failure { _ = try await store.exists() }
        return try #require(failure)
    }

    @Test func `a wrong key ID, a wrong secret and a wrong token are told apart`() async throws {
        _ = try await bench.prepared()
        var wrong = bench
        wrong.credentials = S3Credentials(keyID: "nobody", secret: S3Bench.key.secret)
        var failure = try await refused(wrong)
        #expect(failure.code == .auth)
        #expect(failure.what.contains("InvalidAccessKeyId"))
        #expect(failure.next.contains("AWS_ACCESS_KEY_ID"))
        wrong.credentials = S3Credentials(keyID: "rig-key", secret: Secret(Array("canary".utf8)))
        failure = try await refused(wrong)
        #expect(failure.code == .auth)
        #expect(failure.next.contains("AWS_SECRET_ACCESS_KEY"))
        #expect(!"\(failure)".contains("canary"))
        wrong.credentials = S3Credentials(
            keyID: "temporary-key",
            secret: Secret(Array("temporary-secret".utf8)),
            sessionToken: Secret(Array("old".utf8))
        )
        failure = try await refused(wrong)
        #expect(failure.code == .auth)
        #expect(try await Self.rig.counts()["GET"] == 3)
    }

    @Test func `temporary credentials with their token are taken`() async throws {
        _ = try await bench.prepared()
        var temporary = bench
        temporary.credentials = S3Credentials(
            keyID: "temporary-key",
            secret: Secret(Array("temporary-secret".utf8)),
            sessionToken: Secret(Array("temporary-token".utf8))
        )
        #expect(try await temporary.remote().exists())
    }

    @Test func `E-13 credentials that run out are read again, and told when they are the same`() async throws {
        _ = try await bench.prepared()
        let old = S3Credentials(keyID: "rig-key", secret: S3Bench.key.secret)
        let new = S3Credentials(
            keyID: "temporary-key",
            secret: Secret(Array("temporary-secret".utf8)),
            sessionToken: Secret(Array("temporary-token".utf8))
        )
        let turn = Mutex(0)
        let renewing = try S3Storage(bench.settings) {
            turn.withLock {
                $0 += 1; return $0 == 1 ? old : new
            }
        }
        let expiry: [String: Any] = [
            "on": "GET", "do": "status", "status": 400, "code": "ExpiredToken", "calls": [0, 1],
        ]
        try await Self.rig.setFaults([expiry.merging(["calls": [0]]) { $1 }])
        #expect(try await renewing.exists())
        try await Self.rig.setFaults([expiry])
        let failure = try await refused(bench)
        #expect(failure.code == .auth)
        #expect(failure.what.contains("run out"))
    }

    @Test func `a bucket that is not there is told by name, and not tried again`() async throws {
        try await Self.rig.setFaults([])
        let store = bench.remote()
        #expect(try await !store.exists())
        #expect(await store.absence()?.contains(bench.settings.location.bucket) == true)
        let failure = await failure { _ = try await store.list(.pack) }
        #expect(failure?.code == .noBucket)
        #expect(failure?.what.contains(bench.settings.location.bucket) == true)
        #expect(failure?.exitStatus == .noRepository)
        #expect(try await Self.rig.counts()["LIST"] == 1)
    }

    @Test func `what the credentials may not do is told with the verb, for answers without words too`() async throws {
        let store = try await bench.prepared()
        for verb in ["PUT", "HEAD", "DELETE"] {
            try await Self.rig.setFaults([
                ["on": verb, "do": "status", "status": 403, "code": "AccessDenied", "message": "Access Denied"],
                ["on": "GET", "do": "status", "status": 403, "code": "AccessDenied", "message": "Access Denied"],
            ])
            let failure = await failure {
                switch verb {
                case "PUT": try await store.put(name(.pack, 1), block("a"))
                case "HEAD": _ = try await store.size(name(.pack, 1))
                default: try await store.remove(name(.pack, 1))
                }
            }
            #expect(failure?.code == .permission)
            #expect(failure?.what.contains("AccessDenied: Access Denied") == true)
            #expect(try await Self.rig.counts()[verb] == 1)
        }
    }

    @Test func `E-12 a wrong clock is told with the server's time`() async throws {
        try await Self.rig.setFaults([["do": "skew"]])
        let failure = try await refused(bench)
        #expect(failure.code == .clock)
        #expect(failure.what.contains("20 min ahead of the server's, which shows "))
        #expect(failure.what.contains("GMT"))
        #expect(try await Self.rig.counts()["GET"] == 1)
    }

    @Test func `a region that was guessed is learned from the server, and one that was given is corrected in words`()
        async throws
    {
        _ = try await bench.prepared()
        let rule: [String: Any] = [
            "do": "status", "status": 400, "code": "AuthorizationHeaderMalformed", "calls": [0],
            "fields": ["Region": "eu-rig-1"],
        ]
        try await Self.rig.setFaults([rule])
        #expect(try await bench.remote().exists())
        try await Self.rig.setFaults([rule.merging(["fields": [:]]) { $1 }])
        #expect(try await bench.remote().exists())
        var given = bench
        given.settings.region = "us-west-2"
        try await Self.rig.setFaults([rule])
        let failure = try await refused(given)
        #expect(failure.code == .region)
        #expect(failure.what.contains("eu-rig-1") && failure.what.contains("us-west-2"))
        #expect(failure.next.contains("s3.region=eu-rig-1"))
    }

    @Test func `E-15 nobody is followed elsewhere`() async throws {
        try await Self.rig.setFaults([["do": "elsewhere", "to": "http://\(StoreRig.double.host)/stolen"]])
        let failure = try await refused(bench)
        #expect(failure.code == .region)
        #expect(failure.what.contains("elsewhere"))
        // The second asks for the bucket's region, in case that is what was meant.
        #expect(try await Self.rig.counts()["GET"] == 2)
    }

    @Test(arguments: ["huge", "html", "bomb"]) func `E-16 a refusal of any size and kind is one`(_ fault: String)
        async throws
    {
        try await Self.rig.setFaults([["do": fault, "status": 403]])
        let failure = try await refused(bench)
        #expect(failure.code == .permission)
        #expect(failure.what.utf8.count < 500)
    }

    @Test func `E-19 a port where nobody listens and a name that is none are told soon`() async throws {
        var nobody = bench
        nobody.settings.location.host = "127.0.0.1:1"
        var failure = try await refused(nobody)
        #expect(failure.code == .unreachable)
        #expect(failure.what.contains("refused"))
        nobody.settings.location.host = "no-such-host.invalid"
        failure = try await refused(nobody)
        #expect(failure.code == .unreachable)
    }

    @Test func `R-07 a certificate by nobody is refused, taken with its authority, and taken by those who do not care`()
        async throws
    {
        let secure = S3Bench(.certified, secure: true)
        let failure = try await refused(secure)
        #expect(failure.code == .untrusted)
        #expect(failure.next.contains("--cacert"))
        var trusting = secure
        trusting.settings.trust.certificates = MessageRig.certificate.chain
        #expect(try await !trusting.remote().exists())
        var careless = secure
        careless.settings.trust.verifiesCertificates = false
        #expect(try await !careless.remote().exists())
        var mistyped = secure
        mistyped.settings.trust.certificates = "/nowhere/ca.pem"
        let missing = try await refused(mistyped)
        #expect(missing.what.contains("/nowhere/ca.pem"))
    }

    @Test func `nothing is sent without credentials unless that was asked for`() async throws {
        let failure = refusal { try S3Storage(bench.settings) { nil } }
        #expect(failure?.code == .auth)
        #expect(failure?.next.contains("s3.unsafe-anonymous-auth") == true)
        var open = bench.settings
        open.isAnonymous = true
        let store = try S3Storage(open) { nil }
        let code = await code { _ = try await store.exists() }
        #expect(code == .permission)
    }

    private func refusal(_ body: () throws -> S3Storage) -> StorageFailure? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? StorageFailure
        }
    }
}
