import Bytes
import Foundation
import HTTPTransport
import ObjectStorage
import Outcome
import Synchronization
import TestSupport
import Testing

/// What a store behind a bad server does (fault-plan group E).
@Suite(.serialized, .onPool) struct S3FaultTests {
    private static let rig = StoreRig("s3_double.py")
    private let bench = S3Bench(rig)
    private let bytes = Block((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })

    private func faults(_ rules: [String: Any]...) async throws { try await Self.rig.setFaults(rules) }

    // MARK: again

    @Test(arguments: [500, 502, 503, 504, 429]) func `E-01 a passing error of every verb is passed over`(_ status: Int)
        async throws
    {
        let store = try await bench.prepared()
        for verb in ["PUT", "GET", "HEAD", "DELETE", "LIST"] {
            try await faults(["on": verb, "do": "status", "status": status, "calls": [0, 1, 2]])
            try await store.put(name(.pack, 1), bytes)
            #expect(try await store.get(name(.pack, 1)).bytes == bytes.bytes)
            #expect(try await store.size(name(.pack, 1)) == 300_000)
            #expect(try await store.list(.pack).count == 1)
            try await store.remove(name(.pack, 1))
            #expect(try await Self.rig.counts()[verb] == 4)
        }
    }

    @Test func `E-01 an error that stays is given up within the limit, told with the tries`() async throws {
        let policy = RetryPolicy(firstWaitSeconds: 0.01, longestWaitSeconds: 0.01, totalSeconds: 0.5)
        let store = try await bench.prepared(policy)
        try await faults([
            "on": "PUT", "do": "status", "status": 503, "code": "SlowDown", "message": "Please reduce your rate",
        ])
        let failure = await failure { try await store.put(name(.pack, 1), bytes) }
        #expect(failure?.code == .busy)
        #expect(failure?.what.contains("HTTP 503, SlowDown: Please reduce your rate") == true)
        #expect(failure?.what.contains("given up after") == true)
        #expect(failure?.next.isEmpty == false)
    }

    @Test(arguments: ["0", "1", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"])
    func `E-02 Retry-After in every form is understood or passed over`(_ value: String) async throws {
        _ = try await bench.prepared()
        let waits = Mutex<[Double]>([])
        let store = RemoteStorage(try bench.plain(), policy: S3Bench.policy) { _, _, seconds in
            waits.withLock { $0.append(seconds) }
        }
        try await faults([
            "on": "GET", "do": "status", "status": 503, "calls": [0], "headers": ["Retry-After": value],
        ])
        _ = try await store.get(.config)
        let waited = waits.withLock { $0 }
        #expect(waited.count == 1)
        #expect(value == "1" ? waited.first == 1 : waited.first ?? 1 < 0.02)
    }

    @Test(arguments: [0, 1, 1000, 65_536, 131_072, 200_000, 299_999, 300_000])
    func `E-07 a connection that breaks at any byte of a put leaves one object, once`(_ at: Int) async throws {
        let store = try await bench.prepared()
        try await faults(["on": "PUT", "do": "reset", "at": at, "calls": [0]])
        try await store.put(name(.pack, 1), bytes)
        #expect(try await store.get(name(.pack, 1)).bytes == bytes.bytes)
        #expect(try await bench.keys().filter { $0.hasPrefix("data/") }.count == 1)
    }

    @Test func `E-07 E-09 a put that was done and whose answer was lost is done`() async throws {
        let store = try await bench.prepared()
        for fault in ["late", "reset"] {
            try await faults(["on": "PUT", "do": fault, "calls": [0]])
            try await store.put(name(.pack, fault == "late" ? 1 : 2), bytes)
        }
        #expect(try await store.list(.pack).count == 2)
        try await store.remove(.config)
        try await faults(["on": "PUT", "do": "late", "calls": [0]])
        try await store.put(.config, block("config"))
        #expect(await code { try await store.put(.config, block("config")) } == .exists)
    }

    @Test func `E-20 a removal that was done and whose answer was lost is done`() async throws {
        let store = try await bench.prepared()
        try await store.put(name(.pack, 1), bytes)
        try await faults(["on": "DELETE", "do": "late", "calls": [0]])
        try await store.remove(name(.pack, 1))
        #expect(try await !store.has(name(.pack, 1)))
    }

    // MARK: lies

    @Test func `E-03 E-04 a put that kept nothing or half is seen by the look behind it`() async throws {
        let store = try await bench.prepared()
        try await faults(
            ["on": "PUT", "do": "ghost", "calls": [0]],
            ["on": "PUT", "do": "truncate", "calls": [0]]
        )
        try await store.put(name(.pack, 1), bytes)
        #expect(try await !store.has(name(.pack, 1)))
        try await store.put(name(.pack, 2), bytes)
        #expect(try await store.size(name(.pack, 2)) == 150_000)
    }

    @Test func `E-04 a put that kept other bytes is not taken for done`() async throws {
        let store = try await bench.prepared(RetryPolicy(retriesMax: 0))
        try await faults(["on": "PUT", "do": "other", "calls": [0]])
        let failure = await failure { try await store.put(name(.pack, 1), bytes) }
        #expect(failure?.code == .transfer)
        #expect(try await !store.has(name(.pack, 1)))
        try await faults(["on": "PUT", "do": "other", "calls": [0]])
        try await bench.remote().put(name(.pack, 2), bytes)
        #expect(try await store.get(name(.pack, 2)).bytes == bytes.bytes)
    }

    @Test(arguments: ["cut", "loop", "notoken", "html", "bomb"])
    func `E-05 E-16 half a listing, or one that never ends, is none`(_ fault: String) async throws {
        let store = try await bench.prepared()
        try await store.put(name(.pack, 1), bytes)
        try await faults(["on": "LIST", "do": fault, "status": 200])
        let failure = await failure { _ = try await store.list(.pack) }
        #expect(failure?.code == .answer)
        #expect(failure?.what.contains("incomplete") == true)
        try await faults(["on": "LIST", "do": fault, "status": 200, "calls": [0]])
        #expect(try await store.list(.pack).count == 1)
    }

    @Test func `E-05 E-08 every page is read, each object once, and a page that fails fails all`() async throws {
        let store = try await bench.prepared()
        let bucket = bench.settings.location.bucket
        let prefix = bench.settings.location.prefix
        var objects: [String: Int] = [:]
        for number in 0..<2001 { objects["\(bucket)/\(prefix)/\(name(.pack, UInt64(number)).path)"] = number % 5 }
        objects["\(bucket)/\(prefix)/data/"] = 0
        objects["\(bucket)/\(prefix)/data/00/a + b%20ü.tmp"] = 1
        objects["\(bucket)/\(prefix)/data/00/\(name(.pack, 1).fileName)"] = 1
        try await Self.rig.fill(objects)
        let listing = try await store.listing(.pack)
        #expect(listing.entries.count == 2001)
        #expect(listing.foreignCount == 2)
        #expect(listing.foreign.contains { $0.hasSuffix("data/00/a + b%20ü.tmp") })
        #expect(try await S3Bench.sizes(listing) == (0..<2001).reduce(0) { $0 + $1 % 5 })
        try await faults(["on": "LIST", "do": "repeat"])
        #expect(try await store.list(.pack).count == 2001)
        try await faults(["on": "LIST", "do": "status", "status": 400, "code": "InvalidArgument", "calls": [1]])
        #expect(await code { _ = try await store.list(.pack) } == .unknown)
    }

    @Test(arguments: ["shorten", "lie", "whole", "wrongrange"])
    func `E-06 an answer of other bytes than asked for is looked at twice, then refused`(_ fault: String) async throws {
        let store = try await bench.prepared()
        try await store.put(name(.pack, 1), bytes)
        try await faults(["on": "GET", "do": fault, "calls": [0]])
        #expect(try await store.get(name(.pack, 1), range: 100..<5000).bytes == Array(bytes.bytes[100..<5000]))
        let impatient = bench.remote(RetryPolicy(firstWaitSeconds: 0.01, totalSeconds: 0.2))
        try await faults(["on": "GET", "do": fault])
        let failure = await failure { _ = try await impatient.get(name(.pack, 1), range: 100..<5000) }
        #expect([.answer, .unreachable].contains(failure?.code))
    }

    @Test func `E-06 a range beyond the end is too short at once`() async throws {
        let store = try await bench.prepared()
        try await store.put(name(.pack, 1), bytes)
        try await faults()
        #expect(await code { _ = try await store.get(name(.pack, 1), range: 299_000..<300_001) } == .tooShort)
        #expect(await code { _ = try await store.get(name(.pack, 1), range: 300_000..<300_001) } == .tooShort)
        #expect(try await Self.rig.counts()["GET"] == 2)
    }

    // MARK: stuck

    @Test func `E-11 a server that says nothing, and one that drips, are given up by the pace`() async throws {
        try await bench.prepared().put(name(.pack, 1), bytes)
        var impatient = bench
        impatient.settings.trust.answerSeconds = 2
        impatient.settings.pace.spanSeconds = 1
        let store = impatient.remote(RetryPolicy(retriesMax: 0))
        for fault in ["silent", "drip"] {
            try await faults(["on": "GET", "do": fault])
            #expect(await code { _ = try await store.get(name(.pack, 1)) } == .timeout)
        }
    }

    @Test(arguments: ["silent", "drip"]) func `E-11 cancelling is heard while nothing moves`(_ fault: String)
        async throws
    {
        let store = try await bench.prepared()
        try await store.put(name(.pack, 1), bytes)
        try await faults(["on": "GET", "do": fault])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await store.get(name(.pack, 1)) }
            while try await Self.rig.counts()["GET"] != 1 { await Task.yield() }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }

    @Test func `a lock is taken away by a cancelled task, too`() async throws {
        let store = try await bench.prepared()
        try await store.put(name(.lock, 1), block("lock"))
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask { try? await store.remove(name(.lock, 1)) }
        }
        #expect(try await !store.has(name(.lock, 1)))
    }

    // MARK: parts

    private func inParts() -> S3Bench {
        var bench = bench
        bench.settings.multipartBytesMin = 100_000
        bench.settings.partBytes = 70_000
        return bench
    }

    @Test func `a large object goes up in parts and comes back whole`() async throws {
        let store = try await inParts().prepared()
        try await store.put(name(.pack, 1), bytes)
        try await store.put(name(.pack, 1), bytes)
        #expect(try await store.get(name(.pack, 1)).bytes == bytes.bytes)
        #expect(
            await code { try await store.put(name(.pack, 1), Block(Array(repeating: 0, count: 300_000))) } == .exists
        )
        #expect(try await Self.rig.openUploads() == 0)
    }

    @Test func `E-21 a part that is lost and parts that are not put together leave nothing behind`() async throws {
        let store = try await inParts().prepared()
        try await faults(["on": "PUT", "do": "reset", "at": 5, "calls": [2]])
        try await store.put(name(.pack, 1), bytes)
        try await faults(["on": "POST", "do": "inside", "calls": [1]])
        try await store.put(name(.pack, 2), bytes)
        #expect(try await store.get(name(.pack, 2)).bytes == bytes.bytes)
        try await faults(["on": "PUT", "do": "status", "status": 403, "code": "AccessDenied", "calls": [3]])
        #expect(await code { try await store.put(name(.pack, 3), bytes) } == .permission)
        #expect(try await !store.has(name(.pack, 3)))
        #expect(try await Self.rig.openUploads() == 0)
    }
}

extension S3Bench {
    static func sizes(_ listing: ObjectListing) async throws -> Int { listing.entries.reduce(0) { $0 + Int($1.size) } }
}
