import Foundation
import Synchronization
import Testing

import Bytes
import Daemon
import HostSystem
import Outcome
import Protection
import ResticRepository
import Sealing
import Strategy

/// A clock that a test moves; what sleeps on it wakes after a millisecond and looks again.
private final class Clock: TimeSource {
    private let moment: Mutex<Timestamp>

    init(_ seconds: Int64) { moment = Mutex(Timestamp(seconds: seconds)) }

    func now() -> Timestamp {
        moment.withLock { moment in
            moment.nanoseconds += 1
            return moment
        }
    }

    func set(_ seconds: Int64) { moment.withLock { $0 = Timestamp(seconds: seconds) } }
    func monotonicNanoseconds() -> UInt64 { SystemTime().monotonicNanoseconds() }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }

    func sleep(nanoseconds: UInt64) async throws {
        try await Task.sleep(nanoseconds: nanoseconds <= 1_000_000_000 ? 1_000_000 : nanoseconds)
    }
}

/// Counts runs and keeps what the daemon says.
private final class Witness: RunObserver {
    private let state = Mutex<(runs: [String], lines: [String])>(([], []))
    private let delay: UInt64

    init(delayNanoseconds: UInt64 = 0) { delay = delayNanoseconds }

    var runs: [String] { state.withLock { $0.runs } }
    var lines: [String] { state.withLock { $0.lines } }
    func say(_ text: String) { state.withLock { $0.lines.append(text) } }

    func began(_ item: RunPlan.Item) {
        state.withLock { $0.runs.append("\(item.workload.name) missed \(item.missed)") }
    }
    func began(_ step: RunStep) {}
    func counting(_ counters: BackupCounters, of step: RunStep) {}
    func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep) {}
    func finished(_ step: RunStep, _ result: StepResult, seconds: Double) {}
    func unreadable(_ path: String, workload: String) {}
}

/// A daemon over a small lab, on a clock of its own.
private final class Served: Sendable {
    /// 2026-03-01 12:00 UTC.
    static let noon: Int64 = 1_772_366_400
    static let day: Int64 = 86_400

    let root: String
    let clock: Clock
    private let isOwner: Bool
    let witness = Witness()
    let signals: AsyncStream<StopSignal>
    let sender: AsyncStream<StopSignal>.Continuation
    private let pool: WorkerPool

    static let text = """
        lab: test
        time-zone: UTC
        state: state
        media: { a: { path: media } }
        repositories: { r: { medium: a, password: "file:password" } }
        protect:
          - { name: one, host: { paths: [source] }, to: r, backup: { schedule: "02:00" } }
          - { name: two, host: { paths: [source] }, to: r, backup: { schedule: "03:00" } }
        """

    /// Another daemon over the same folder and clock.
    init(continuing earlier: Served) throws {
        pool = try WorkerPool()
        (signals, sender) = AsyncStream.makeStream()
        root = earlier.root
        clock = earlier.clock
        isOwner = false
    }

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/daemon-\(UUID().uuidString)"
        clock = Clock(Served.noon)
        isOwner = true
        pool = try WorkerPool()
        (signals, sender) = AsyncStream.makeStream()
        for folder in ["media", "source"] {
            try FileManager.default.createDirectory(atPath: root + "/" + folder, withIntermediateDirectories: true)
        }
        try "content".write(toFile: root + "/source/file", atomically: false, encoding: .utf8)
        try declare(Self.text)
    }

    deinit { if isOwner { try? FileManager.default.removeItem(atPath: root) } }

    func declare(_ text: String) throws {
        try text.write(toFile: root + "/holdfast.yaml", atomically: true, encoding: .utf8)
    }

    private func environment() throws -> ProtectionEnvironment {
        let bytes = try readFile(ByteString(root + "/holdfast.yaml"), limit: 1 << 20)
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in throw StrategyProblem(Place(file: path), what: "", next: "") },
            patternProblem: { _ in nil }
        )
        let lab = try readDeclaration(DeclarationFile(name: "holdfast.yaml", folder: root, bytes: bytes), rules)
        let zones = MachineZones(lab, warn: { _ in })
        var environment = ProtectionEnvironment(
            repository: RepositoryEnvironment(
                time: clock,
                entropy: SystemEntropy(),
                pool: pool,
                hostName: "docker-srv",
                userName: "root",
                userID: 0,
                groupID: 0,
                processID: currentProcessID(),
                isAlive: { isProcessAlive($0) }
            ),
            lab: lab,
            secrets: try LabSecrets(lab),
            stateFolder: root + "/state",
            declarationFiles: [],
            programVersion: "holdfast test",
            zone: { zones.rules(for: $0) },
            warn: { [witness] in witness.say("warning: \($0)") }
        )
        environment.keyCost = ScryptParameters(n: 1024, r: 1, p: 1)
        return environment
    }

    /// Runs the daemon beside `body`, then ends it by SIGTERM.
    func whileServing(_ body: @escaping @Sendable (Served) async throws -> Void) async throws {
        let daemon = LabDaemon(observer: witness, log: { [witness] in witness.say($0) }) { [self] in try environment() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await daemon.run(self.signals) }
            try await body(self)
            sender.yield(.terminate)
            try await group.waitForAll()
        }
    }

    /// Waits until that holds, ten seconds at most.
    func wait(_ what: String, until holds: () -> Bool) async throws {
        for _ in 0..<1000 where !holds() { try await Task.sleep(nanoseconds: 10_000_000) }
        #expect(holds(), "\(what): runs \(witness.runs), lines \(witness.lines)")
    }

    var endedRuns: Int { witness.lines.count { $0.hasPrefix("run ended") } }
}

@Suite struct DaemonTests {
    @Test func `what was never run is run at once, and then once at each due time`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            #expect(served.witness.runs.sorted() == ["one missed 0", "two missed 0"])
            // 02:00 of the next day, then 03:00.
            served.clock.set(Served.noon + 14 * 3600 + 5)
            try await served.wait("the run at 02:00") { served.endedRuns == 2 }
            served.clock.set(Served.noon + 15 * 3600 + 5)
            try await served.wait("the run at 03:00") { served.endedRuns == 3 }
            try await Task.sleep(nanoseconds: 200_000_000)
        }
        #expect(served.witness.runs.dropFirst(2) == ["one missed 0", "two missed 0"])
        #expect(served.witness.lines.last == "stopped")
    }

    @Test func `M-04 F-02 F-07 three due times that passed while it was down or asleep are one run each`() async throws
    {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
        }
        served.clock.set(Served.noon + 3 * Served.day)
        let again = try Served(continuing: served)
        try await again.whileServing { served in
            try await served.wait("the catch-up") { served.endedRuns == 1 }
            try await Task.sleep(nanoseconds: 200_000_000)
        }
        #expect(again.witness.runs == ["one missed 2", "two missed 2"])
    }

    @Test
    func
        `F-01 a clock that is set back an hour starts nothing again, and one set back a year keeps nothing from running`()
        async throws
    {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            served.clock.set(Served.noon - 3600)
            try await Task.sleep(nanoseconds: 300_000_000)
            served.clock.set(Served.noon + 60)
            try await Task.sleep(nanoseconds: 300_000_000)
            #expect(served.witness.runs.count == 2)
            served.clock.set(Served.noon - 365 * Served.day)
            try await served.wait("the run of a year ago") { served.endedRuns == 2 }
            try await Task.sleep(nanoseconds: 300_000_000)
        }
        #expect(served.witness.runs.count == 4)
    }

    @Test func `M-10 SIGHUP reads the declaration anew, and a broken one changes nothing`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try served.declare(Served.text.replacing("schedule", with: "shedule"))
            served.sender.yield(.hangup)
            try await served.wait("the refusal") { served.witness.lines.contains { $0.contains("the old one stays") } }
            try served.declare(Served.text.replacing("02:00", with: "13:00"))
            served.sender.yield(.hangup)
            try await served.wait("the reload") {
                served.witness.lines.contains { $0.contains("read the declaration anew") }
            }
            served.clock.set(Served.noon + 3605)
            try await served.wait("the run at 13:00") { served.endedRuns == 2 }
        }
        #expect(served.witness.runs.last == "one missed 0")
        #expect(served.witness.runs.count == 3)
    }

    @Test func `M-06 a workload that somebody else runs is left to them, and asked for again a minute later`()
        async throws
    {
        let served = try Served()
        let lock = try #require(try StateFolder.takeLock("workload-one", in: served.root + "/state"))
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try await Task.sleep(nanoseconds: 300_000_000)
            #expect(served.endedRuns == 1)
            lock.unlock()
            served.clock.set(Served.noon + 70)
            try await served.wait("the second run") { served.endedRuns == 2 }
        }
        #expect(served.witness.runs.filter { $0.hasPrefix("one") }.count == 2)
        #expect(served.witness.runs.filter { $0.hasPrefix("two") }.count == 1)
    }

    @Test func `L-19 a second daemon on the same lab is refused`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            let second = try Served(continuing: served)
            await #expect {
                try await second.whileServing { _ in }
            } throws: { error in
                (error as? ProtectionFailure)?.code == .busy
            }
        }
    }
}

@Suite(.serialized) struct NotifySocketTests {
    @Test func `readiness reaches the socket that the service manager listens on`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/notify-\(getpid())"
        unlink(path)
        defer { unlink(path) }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        setenv("NOTIFY_SOCKET", path, 1)
        setenv("WATCHDOG_USEC", "2000000", 1)
        let manager = NotifySocket()
        unsetenv("NOTIFY_SOCKET")
        unsetenv("WATCHDOG_USEC")
        #expect(manager.watchdog == .seconds(2))
        manager.notify("READY=1")
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(count == 7 && String(decoding: buffer.prefix(7), as: UTF8.self) == "READY=1")
        #expect(NotifySocket().watchdog == nil)
    }
}
