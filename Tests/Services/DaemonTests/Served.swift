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
final class Clock: TimeSource {
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
final class Witness: RunObserver {
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
final class Served: Sendable {
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
        let path = root + "/holdfast.yaml"
        let bytes: [UInt8]
        do throws(Errno) { bytes = try readFile(ByteString(path), limit: 1 << 20) } catch {
            throw ProtectionFailure(.folder, operation: "read", object: path, what: "\(error)", state: "", next: "")
        }
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

    /// Waits until that holds, ten minutes at most.
    func wait(_ what: String, until holds: () async -> Bool) async throws {
        for _ in 0..<60_000 {
            if await holds() { break }
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        let isSo = await holds()
        #expect(isSo, "\(what): runs \(witness.runs), lines \(witness.lines)")
    }

    var endedRuns: Int { witness.lines.count { $0.hasPrefix("run ended") } }
}
