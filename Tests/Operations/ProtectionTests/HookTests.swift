import Dispatch
import Foundation
import Synchronization
import Testing

import Bytes
import HostSystem
import Journal
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

@Suite struct HookTests {
    @Test func `the command before a backup makes what is backed up, the one after it is run too`() async throws {
        let lab = try TestLab()
        lab.declare { text in
            text.replacing(
                "    to: [offsite",
                with:
                    "    before: [cp, \(lab.root)/source/folder/file-1, \(lab.root)/source/dump]\n    after: [rm, \(lab.root)/source/dump]\n    to: [offsite"
            )
        }
        let report = try await lab.run()
        #expect(report.exitStatus == .success)
        #expect(try lab.ledger().workloads["host"]?.size?.files == 41)
        #expect(!lab.names(in: "source").contains("dump"))
    }

    @Test
    func
        `G-14 a command that fails before a backup keeps it from being stored, and the one after it runs all the same`()
        async throws
    {
        let lab = try TestLab()
        lab.declare { text in
            text.replacing(
                "    to: [offsite",
                with:
                    "    before: [sh, -c, \"echo hunter2 >&2; exit 3\"]\n    after: [touch, \(lab.root)/started-again]\n    to: [offsite"
            )
        }
        let report = try await lab.run()
        #expect(report.exitStatus == .failed)
        #expect(report.workloads == ["host": .failed])
        #expect(report.results(.backUp).isEmpty)
        #expect(lab.names(in: "").contains("started-again"))
        let texts = report.lines.map { line -> String in
            if case .failed(let failure) = line.result { "\(failure.what) \(failure.next)" } else { "" }
        }
        #expect(!texts.joined().contains("hunter2"))
    }

    @Test func `G-14 a command that hangs is killed with what it started after its deadline`() async throws {
        let lab = try TestLab()
        lab.declare {
            $0.replacing(
                "    to: [offsite",
                with: "    before: [sh, -c, \"sleep 1000 & sleep 1000\"]\n    command-deadline: 1s\n    to: [offsite"
            )
        }
        let started = ContinuousClock.now
        let report = try await lab.run()
        #expect(report.exitStatus == .failed)
        // Far less than the command would take, and more than a busy machine needs to kill it.
        #expect(ContinuousClock.now - started < .seconds(500))
    }

    // MARK: what is owed

    /// Declares commands before and after the backup of the host.
    private func declare(_ lab: TestLab, before: String, after: String) {
        lab.declare {
            $0.replacing("    to: [offsite", with: "    before: [\(before)]\n    after: [\(after)]\n    to: [offsite")
        }
    }

    private func owed(_ lab: TestLab) async throws -> [LabStatus.Problem] {
        try await lab.status().problems.filter { $0.kind == .owed }
    }

    @Test func `M-05 a command after a backup that failed is owed, told as wrong, and run again though nothing is due`()
        async throws
    {
        let lab = try TestLab()
        declare(lab, before: "touch, \(lab.root)/app-stopped", after: "rm, \(lab.root)/app-stopped, \(lab.root)/gone")
        let report = try await lab.run()
        #expect(report.results(.after) == ["-": "E-COMMAND"])
        let told = try await owed(lab)
        #expect(told.map(\.object) == ["host"])
        #expect(told.allSatisfy { $0.severity == .wrong && $0.next == "holdfast run" })
        // It fails again, and stays owed.
        let again = try await lab.run(.due)
        #expect(again.workloads.isEmpty && again.results(.owed) == ["-": "E-COMMAND"])
        #expect(again.exitStatus == .failed)
        for name in ["app-stopped", "gone"] { try lab.write(name, "") }
        let done = try await lab.run(.due)
        #expect(done.workloads.isEmpty && done.results(.owed) == ["-": "done"])
        #expect(done.exitStatus == .success)
        #expect(!lab.names(in: "").contains("app-stopped"))
        #expect(try await owed(lab).isEmpty)
        #expect(try await lab.run(.due).lines.isEmpty)
    }

    @Test func `M-05 what is owed is left to its owner while that one is at it`() async throws {
        let lab = try TestLab()
        declare(lab, before: "touch, \(lab.root)/app-stopped", after: "rm, \(lab.root)/app-stopped")
        let environment = try lab.environment
        let looker = Looker(environment)
        let report = try await ProtectionRun(environment, observer: looker).run(.init(.all))
        #expect(report.exitStatus == .success)
        #expect(report.results(.after) == ["-": "done"])
        #expect(looker.noted == 1)
        #expect(lab.names(in: "state/owed").isEmpty)
    }

    @Test func `M-05 a record that cannot be read is told, and one that was never finished is not`() async throws {
        let lab = try TestLab()
        try await lab.run()
        try lab.write("state/owed/4f2a", "torn")
        try lab.write("state/owed/5e1b-tmp-00", "torn")
        _ = try await lab.status()
        let told = lab.warnings.all.filter { $0.contains("/owed/") }
        #expect(told.count == 1 && told[0].contains("owed/4f2a cannot be read"), "\(told)")
    }

    @Test func `M-05 a record without a journal is enough, and one in the journal alone is, too`() async throws {
        let lab = try TestLab()
        declare(lab, before: "touch, \(lab.root)/app-stopped", after: "rm, \(lab.root)/gone")
        var environment = try lab.environment
        let journal = try await lab.openJournal()
        environment.journal = journal
        let run = ProtectionRun(environment, observer: SilentRunObserver())
        _ = try await run.run(.init(.all))
        #expect(await journal.owedCleanups().map(\.object) == ["host"])
        try lab.remove("state/owed")
        try lab.write("gone", "")
        #expect(try await run.run(.init(.due)).results(.owed) == ["-": "done"])
        #expect(await journal.owedCleanups().isEmpty)
    }
}

/// Tries to run what is owed while a backup is at it.
private final class Looker: RunObserver {
    private let environment: ProtectionEnvironment
    private let count = Mutex(0)

    init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Notes that were there meanwhile.
    var noted: Int { count.withLock { $0 } }

    func began(_ item: RunPlan.Item) {}
    func began(_ step: RunStep) {
        guard step.kind == .backUp else { return }
        let notes = try? FileManager.default.contentsOfDirectory(atPath: environment.stateFolder + "/owed")
        count.withLock { $0 = notes?.count ?? 0 }
        let environment = environment
        let ended = DispatchSemaphore(value: 0)
        Task {
            let lines = await ProtectionRun(environment, observer: SilentRunObserver()).runOwed()
            #expect(lines.isEmpty)
            ended.signal()
        }
        _ = ended.wait(timeout: .now() + 30)
    }
    func counting(_ counters: BackupCounters, of step: RunStep) {}
    func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep) {}
    func finished(_ step: RunStep, _ result: StepResult, seconds: Double) {}
    func unreadable(_ path: String, workload: String) {}
}
