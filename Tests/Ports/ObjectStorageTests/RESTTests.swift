import Bytes
import Foundation
import HTTPTransport
import ObjectStorage
import Outcome
import TestSupport
import Testing

/// Places on servers of restic's REST protocol.
enum RESTBench {
    static let double = StoreRig("rest_double.py")
    static let old = StoreRig("rest_double.py", ["old"])

    static func store(_ rig: StoreRig, user: String = "", policy: RetryPolicy = S3Bench.policy) -> any ObjectStorage {
        store("http://\(user)\(rig.host)/lab/\(UUID().uuidString)", policy: policy)
    }

    static func store(_ location: String, policy: RetryPolicy = S3Bench.policy) -> any ObjectStorage {
        do {
            let settings = RESTSettings(try RESTLocation(parsing: location))
            return RemoteStorage(try RESTStorage(settings), policy: policy)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    static func prepared(_ store: any ObjectStorage) async throws -> any ObjectStorage {
        try await store.prepare()
        try await store.put(.config, block("config"))
        return store
    }
}

@Suite(.serialized, .onPool) struct RESTTests {
    private static let rig = StoreRig("rest_double.py")
    private static let guarded = StoreRig("rest_double.py", ["locked", "append-only"])
    private let bytes = Block((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 13) })

    private func prepared() async throws -> any ObjectStorage {
        try await Self.rig.setFaults([])
        return try await RESTBench.prepared(RESTBench.store(Self.rig))
    }

    @Test(arguments: [
        ("https://host:8000/path", "rest:https://host:8000/path/"), ("http://host", "rest:http://host/"),
        ("https://me:s%3Acr%40t@host/a/", "rest:https://me:***@host/a/"), ("http://me@host/", "rest:http://me@host/"),
        ("http+unix:///run/rest.sock:/lab/", "rest:http+unix:///run/rest.sock:/lab/"),
    ]) func `S-04 locations are read as restic writes them and shown without the password`(
        _ text: String,
        _ shown: String
    ) throws {
        let location = try RESTLocation(parsing: text)
        #expect(location.text == shown)
        #expect(!"\(location)".contains("cr@t"))
    }

    @Test(arguments: ["host/path", "ftp://host/", "https://", "https://me:pw@/", "http+unix://sock"])
    func `what is no address of a server is refused`(_ text: String) {
        #expect(throws: RESTLocation.Trouble.self) { try RESTLocation(parsing: text) }
    }

    @Test func `a user and a password with every sign are sent, and wrong ones told`() async throws {
        let store = RESTBench.store(Self.guarded, user: "me:se%3Acr%40t@")
        #expect(try await !store.exists())
        let wrong = RESTBench.store(Self.guarded, user: "me:canary@")
        let failure = await failure { _ = try await wrong.exists() }
        #expect(failure?.code == .auth)
        #expect(failure?.next.contains("RESTIC_REST_PASSWORD") == true)
        #expect(failure.map { "\($0)" }?.contains("canary") == false)
    }

    @Test func `a server that only takes new objects lets locks go and nothing else, and says so`() async throws {
        let store = try await RESTBench.prepared(RESTBench.store(Self.guarded, user: "me:se%3Acr%40t@"))
        try await store.put(name(.pack, 1), bytes)
        try await store.put(name(.lock, 1), block("lock"))
        try await store.remove(name(.lock, 1))
        let failure = await failure { try await store.remove(name(.pack, 1)) }
        #expect(failure?.code == .permission)
        #expect(failure?.next.contains("only takes new objects") == true)
        #expect(try await store.has(name(.pack, 1)))
    }

    @Test func `a socket of this machine is a server, too`() async throws {
        let scratch = Scratch()
        let path = scratch.path + "/rest.sock"
        let server = StoreRig("rest_double.py", [path])
        let store = try await RESTBench.prepared(RESTBench.store("http+unix://\(path):/lab/one/"))
        try await store.put(name(.pack, 1), bytes)
        #expect(try await store.get(name(.pack, 1), range: 5..<17).bytes == Array(bytes.bytes[5..<17]))
        #expect(server.port == 1)
    }

    @Test(arguments: ["POST", "GET", "HEAD", "DELETE"]) func `E-01 E-07 what passes is passed over`(_ verb: String)
        async throws
    {
        let store = try await prepared()
        for fault in [["do": "status", "status": 500], ["do": "late"], ["do": "reset"]] as [[String: Any]] {
            try await Self.rig.setFaults([fault.merging(["on": verb, "calls": [0]]) { $1 }])
            try await store.put(name(.pack, 1), bytes)
            #expect(try await store.get(name(.pack, 1)).bytes == bytes.bytes)
            #expect(try await store.size(name(.pack, 1)) == 200_000)
            #expect(try await store.list(.pack).count == 1)
            try await store.remove(name(.pack, 1))
        }
    }

    @Test func `E-05 E-06 half a listing and the whole instead of a range are refused`() async throws {
        let store = try await prepared()
        try await store.put(name(.pack, 1), bytes)
        try await Self.rig.setFaults([["on": "GET", "do": "cut"]])
        #expect(await code { _ = try await store.list(.pack) } == .answer)
        try await Self.rig.setFaults([["on": "GET", "do": "whole"]])
        #expect(await code { _ = try await store.get(name(.pack, 1), range: 1..<9) } == .answer)
    }

    @Test func `refusals are told by what they mean, once`() async throws {
        let store = try await prepared()
        for (status, code) in [(507, StorageCode.noSpace), (401, .auth), (413, .tooLarge), (405, .unsupported)] {
            try await Self.rig.setFaults([["on": "POST", "do": "status", "status": status, "text": "no\tway\n"]])
            let failure = await failure { try await store.put(name(.pack, 7), bytes) }
            #expect(failure?.code == code)
            #expect(failure?.what.contains("HTTP \(status): no way") == true)
            #expect(try await Self.rig.counts()["POST"] == 1)
        }
        try await Self.rig.setFaults([["do": "elsewhere"]])
        #expect(await code { _ = try await store.exists() } == .unsupported)
    }

    @Test func `a folder that is not there has nothing in it, but for rclone`() async throws {
        let store = try await prepared()
        try await Self.rig.setFaults([["on": "GET", "do": "status", "status": 404]])
        #expect(try await store.list(.pack).isEmpty)
        try await Self.rig.setFaults([
            ["on": "GET", "do": "status", "status": 404, "headers": ["Server": "rclone/1.60"]]
        ])
        #expect(await code { _ = try await store.list(.pack) } == .notFound)
    }
}
