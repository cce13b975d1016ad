import Bytes
import HostSystem
import ObjectStorage
import Testing
import TestSupport

/// Locks of objects, and what withstands whoever has the credentials; the peer is moto, with Amazon's rules of locks where it says so.
@Suite struct ObjectLockTests {
    private static let isHere: Bool = {
        guard StoreRig.locking.port == 0 else { return true }
        print("SKIP locks of objects: moto is not installed (pip install 'moto[server]')")
        return false
    }()
    private static let lock = ObjectLock(.compliance, seconds: 400 * 86_400)

    private var now: Timestamp { SystemTime().now() }

    private func trial(_ rig: StoreRig, _ kind: ObjectKind = .pack, _ lock: ObjectLock?) async throws -> CanaryTrial {
        let store = try S3Bench(rig) { $0.lock = lock }.plain()
        try await store.prepare()
        let canary = Canary(kind, entropy: SystemEntropy())
        return try await store.trial(of: canary, content: block("canary"), now: now)
    }

    @Test(.enabled(if: isHere), arguments: [ObjectKind.pack, .index, .snapshot, .key, .config])
    func `R-02 a locked canary withstands every attempt, and is read from behind its delete marker`(_ kind: ObjectKind)
        async throws
    {
        let trial = try await trial(.locking, kind, Self.lock)
        #expect(
            trial.attempts.map(\.attempt) == [.shorten, .shortenBypassing, .remove, .removeBypassing, .hide]
        )
        #expect(trial.attempts.filter { !$0.outcome.isWithstood }.isEmpty, "\(trial.attempts)")
        #expect(trial.isProven)
        let seconds = try #require(trial.lockedUntil).seconds(since: now)
        #expect(abs(seconds - Double(Self.lock.seconds)) < 3600)
    }

    @Test(.enabled(if: isHere)) func `R-02 a service that lets a lock be shortened, or passed by, proves nothing`()
        async throws
    {
        // Plain moto: anybody may shorten any lock, and passes by one of governance.
        let compliance = try await trial(.moto, .pack, Self.lock)
        #expect(!compliance.isProven)
        let shortened = try #require(compliance.attempts.first { $0.attempt == .shorten })
        guard case .gaveWay(let what) = shortened.outcome else {
            Issue.record("\(shortened)")
            return
        }
        #expect(what.contains("its lock ends sooner"))
        let governance = try await trial(.moto, .pack, ObjectLock(.governance, seconds: 400 * 86_400))
        let passed = try #require(governance.attempts.first { $0.attempt == .removeBypassing })
        #expect(passed.outcome.text.contains("it is gone"), "\(passed)")
        #expect(!governance.isProven)
    }

    @Test(.enabled(if: isHere)) func `R-02 a bucket without versions keeps nothing`() async throws {
        let trial = try await trial(.moto, .pack, nil)
        #expect(!trial.isProven && trial.lockedUntil == nil)
        #expect(
            trial.attempts.map(\.outcome.text) == [
                "the bucket keeps no versions: what is overwritten or deleted is gone"
            ]
        )
    }

    @Test(.enabled(if: isHere)) func `R-02 locks are made longer and never shorter, lock files stay free`() async throws
    {
        let bench = S3Bench(.locking) { $0.lock = Self.lock }
        let store = bench.remote()
        try await store.prepare()
        let (pack, file) = (name(.pack, 1), name(.lock, 2))
        try await store.put(pack, block("pack"))
        try await store.put(file, block("lock"))
        let later = Timestamp(seconds: now.seconds + 500 * 86_400)
        try await store.extendLock(pack, until: later)
        try await store.extendLock(pack, until: Timestamp(seconds: now.seconds + 3 * 86_400))
        #expect(try await bench.plain().lockEnd(of: pack) == later)
        #expect(try await bench.plain().lockEnd(of: file) == nil)
        // A delete without a version is a mark; locks of the repository go that way.
        try await store.remove(file)
        #expect(try await store.list(.lock).isEmpty)
    }

    @Test(.enabled(if: isHere))
    func `R-02 R-06 what was deleted and overwritten is read as it was, and nothing is changed`()
        async throws
    {
        let bench = S3Bench(.locking) { $0.lock = Self.lock }
        let store = bench.remote()
        try await store.prepare()
        try await store.put(.config, block("config"))
        let names = (0..<5).map { name(.pack, UInt64(10 + $0)) }
        for (number, pack) in names.enumerated() { try await store.put(pack, block("pack \(number)")) }
        try await SystemTime().sleep(nanoseconds: 1_100_000_000)
        let then = now
        try await SystemTime().sleep(nanoseconds: 1_100_000_000)
        for pack in names { try await store.remove(pack) }
        try await store.replaceConfig(block("other"))
        try await store.put(name(.snapshot, 4), block("new"))
        #expect(try await store.list(.pack).isEmpty)

        let past = try S3PastStorage(bench.settings, at: then) { S3Bench.key }
        let there = try await past.list(.pack)
        #expect(Set(there.map(\.digest)) == Set(names.map(\.digest)))
        #expect(try await past.get(.config).bytes == block("config").bytes)
        for (number, pack) in names.enumerated() {
            #expect(try await past.get(pack).bytes == block("pack \(number)").bytes)
            #expect(try await past.get(pack, range: 1..<4).bytes == Array(block("pack \(number)").bytes[1..<4]))
            #expect(try await past.size(pack) == UInt64(block("pack \(number)").count))
        }
        // Asked for one by one, as by a reader that lists nothing.
        let other = try S3PastStorage(bench.settings, at: then) { S3Bench.key }
        #expect(try await other.exists())
        #expect(try await other.get(names[3]).bytes == block("pack 3").bytes)
        #expect(try await past.list(.snapshot).isEmpty)
        await #expect(throws: (any Error).self) { try await past.get(name(.snapshot, 4)) }
        await #expect(throws: (any Error).self) { try await past.get(names[0], range: 3..<99) }
        await #expect(throws: (any Error).self) { try await past.remove(names[0]) }
        await #expect(throws: (any Error).self) { try await past.put(name(.pack, 5), block("x")) }
        let before = try S3PastStorage(bench.settings, at: Timestamp(seconds: 0)) { S3Bench.key }
        #expect(try await !before.exists())
        #expect(try await before.list(.pack).isEmpty)
    }

    @Test func `moments are written as Amazon does, and read with fractions`() {
        let moment = Timestamp(seconds: 1_774_751_400)
        #expect(S3Moment.text(moment) == "2026-03-29T02:30:00Z")
        #expect(S3Moment.read("2026-03-29T02:30:00Z") == moment)
        #expect(S3Moment.read("2026-03-29T02:30:00.123Z") == moment)
        for text in ["", "2026-03-29", "2026-13-29T02:30:00Z", "2026-03-29T02:30:00+01:00", "x026-03-29T02:30:00Z"] {
            #expect(S3Moment.read(text) == nil, "\(text)")
        }
    }
}
