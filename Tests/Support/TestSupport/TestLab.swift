import Foundation
import Synchronization
import Testing

package import Bytes
import HostSystem
package import Outcome
package import Protection
package import ResticRepository
import Sealing
package import Strategy

/// A clock that stands where a test puts it.
package final class TestClock: TimeSource {
    private let moment: Mutex<Timestamp>

    package init(_ seconds: Int64) { moment = Mutex(Timestamp(seconds: seconds)) }

    package func now() -> Timestamp {
        moment.withLock { moment in
            // Each question takes a moment, so that two snapshots are never of the same one.
            moment.nanoseconds += 1
            return moment
        }
    }

    package func advance(_ seconds: Int64) { moment.withLock { $0.seconds += seconds } }
    package func monotonicNanoseconds() -> UInt64 { SystemTime().monotonicNanoseconds() }
    package func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }

    /// The lock's settling is a matter of other processes, which tests of one process have none of.
    package func sleep(nanoseconds: UInt64) async throws {
        try await Task.sleep(nanoseconds: nanoseconds < 1_000_000_000 ? 1_000_000 : nanoseconds)
    }
}

/// Hears nothing.
package struct SilentRunObserver: RunObserver {
    package init() {}

    package func began(_ item: RunPlan.Item) {}
    package func began(_ step: RunStep) {}
    package func counting(_ counters: BackupCounters, of step: RunStep) {}
    package func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep) {}
    package func finished(_ step: RunStep, _ result: StepResult, seconds: Double) {}
    package func unreadable(_ path: String, workload: String) {}
}

/// A lab in a folder of its own: three media, a small source, light keys, a clock of its own.
///
/// Removed afterwards.
package final class TestLab {
    /// 2026-03-01 12:00 UTC, a Sunday.
    package static let noon: Int64 = 1_772_366_400
    package let root: String
    package let clock = TestClock(TestLab.noon)
    package private(set) var text = ""
    /// Of this machine, as snapshots record it.
    package var hostName: ByteString = "docker-srv"
    private let pool: WorkerPool
    package let warnings = Warnings()
    /// How its media are mounted for runs.
    package var mounting = Mounting()
    /// What makes its connections to machines behind SSH.
    package var secureShell: ByteString = "ssh"

    package final class Warnings: Sendable {
        private let list = Mutex<[String]>([])
        package var all: [String] { list.withLock { $0 } }
        func add(_ text: String) { list.withLock { $0.append(text) } }
    }

    package static let declaration = """
        lab: test
        time-zone: UTC
        state: state
        media:
          os-ssd: { kind: internal, path: media/os-ssd }
          usb-ssd: { kind: removable, path: media/usb-ssd }
          cloud: { kind: stand-in, path: media/cloud }
        repositories:
          host-os: { medium: os-ssd, password: "file:secrets/host-os" }
          host-usb: { medium: usb-ssd, password: "file:secrets/host-usb" }
          offsite: { medium: cloud, password: "file:secrets/offsite" }
        roles:
          production: { backup: { schedule: "02:00", keep: { last: 3 } }, verify: { every: 8d } }
        protect:
          - host: { paths: [source] }
            to: [offsite, host-usb, host-os]
            role: production
        """

    /// At `root` another process has made it before.
    package init(at root: String? = nil, _ change: (String) -> String = { $0 }) throws {
        self.root = root ?? FileManager.default.temporaryDirectory.path + "/protection-\(UUID().uuidString)"
        pool = try WorkerPool()
        text = change(Self.declaration)
        guard root == nil else { return }
        for medium in ["os-ssd", "usb-ssd", "cloud"] { try makeFolder("media/\(medium)") }
        for index in 0..<40 { try write("source/folder/file-\(index)", String(repeating: "\(index) ", count: 400)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    package func declare(_ change: (String) -> String) { text = change(text) }

    package func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
    }

    package func write(_ path: String, _ content: String) throws {
        let url = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(content.utf8).write(to: url)
    }

    package func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(path)") }

    package func move(_ path: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: "\(root)/\(path)", toPath: "\(root)/\(other)")
    }

    package func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)")) ?? []).sorted()
    }

    package var environment: ProtectionEnvironment {
        get throws {
            let file = DeclarationFile(name: "holdfast.yaml", folder: root, bytes: Array(text.utf8))
            let rules = DeclarationRules(
                load: { path throws(StrategyProblem) in
                    throw StrategyProblem(Place(file: path), what: "no includes here", next: "")
                },
                patternProblem: { _ in nil }
            )
            let lab = try readDeclaration(file, rules)
            let zones = MachineZones(lab, warn: { _ in })
            let warnings = warnings
            var environment = ProtectionEnvironment(
                repository: RepositoryEnvironment(
                    time: clock,
                    entropy: SystemEntropy(),
                    pool: pool,
                    hostName: hostName,
                    userName: "root",
                    userID: 0,
                    groupID: 0,
                    processID: currentProcessID(),
                    isAlive: { isProcessAlive($0) }
                ),
                lab: lab,
                secrets: try LabSecrets(lab),
                stateFolder: lab.state ?? "",
                declarationFiles: [(name: "holdfast.yaml", bytes: Array(text.utf8))],
                programVersion: "holdfast test",
                zone: { zones.rules(for: $0) },
                warn: { warnings.add($0) }
            )
            environment.mounting = mounting
            environment.secureShell = secureShell
            // Nobody waits for a port that nobody listens at.
            environment.firstContactSeconds = 0.1
            environment.keyCost = ScryptParameters(n: 1024, r: 1, p: 1)
            return environment
        }
    }

    @discardableResult
    package func run(_ choice: RunChoice = .all, release: String? = nil, verifiesAll: Bool = false) async throws
        -> RunReport
    {
        var request = ProtectionRun.Request(choice)
        request.release = release
        request.verifiesAll = verifiesAll
        return try await ProtectionRun(try environment, observer: SilentRunObserver()).run(request)
    }

    /// Runs on that many days, one run a day.
    package func runDaily(_ days: Int) async throws {
        for _ in 0..<days {
            try await run()
            clock.advance(86_400)
        }
    }

    package func status() async throws -> LabStatus {
        let environment = try environment
        let ledger = await LedgerFile(environment).loadOrRecover()
        return try await StatusInspection(environment, ledger: ledger).run()
    }

    package func lookAhead() async throws -> LookAhead {
        try await ProtectionRun(try environment, observer: SilentRunObserver()).lookAhead(.due)
    }

    package func ledger() throws -> Ledger { LedgerFile(try environment).current() }

    /// Snapshots of the workload in each repository, by name.
    package func counts() async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for copy in try await status().workloads[0].copies { counts[copy.repository] = copy.count }
        return counts
    }
}

extension RunReport {
    /// Why the step of a kind failed in a repository.
    package func failure(_ kind: RunStep.Kind, in repository: String) -> (any ReportableFailure)? {
        for line in lines where line.step.kind == kind && line.step.repository == repository {
            if case .failed(let failure) = line.result { return failure }
        }
        return nil
    }

    /// How the steps of a kind ended, by repository, in a word.
    package func results(_ kind: RunStep.Kind) -> [String: String] {
        var results: [String: String] = [:]
        for line in lines where line.step.kind == kind {
            results[line.step.repository] =
                switch line.result {
                case .done: "done"
                case .nothing: "nothing"
                case .partial: "partial"
                case .skipped: "skipped"
                case .failed(let failure): failure.codeName
                }
        }
        return results
    }
}
