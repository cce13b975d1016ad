import Foundation

import HostSystem
import Journal
import Notification
import Protection
import ResticRepository
import Strategy
import TestSupport

/// A small lab with channels, a journal, and a server that hears them.
final class NotifiedLab {
    let lab: TestLab
    private let journalPool: WorkerPool

    init(_ notify: String, _ change: (String) -> String = { $0 }) throws {
        lab = try TestLab { change($0) + "\nnotify:\n" + notify }
        journalPool = try WorkerPool(width: 1, name: "journal")
    }

    /// As one process sees it: each has a journal of its own.
    func environment() async throws -> ProtectionEnvironment {
        var environment = try lab.environment
        environment.journal = await RunJournal.open(
            folder: environment.stateFolder,
            on: journalPool,
            host: "docker-srv",
            time: lab.clock,
            entropy: SystemEntropy(),
            warn: environment.warn
        )
        return environment
    }

    /// That of another process.
    func notifier() async throws -> LabNotifier {
        let environment = try await environment()
        return LabNotifier(environment, ledgerFile: LedgerFile(environment))
    }

    func notifierWithoutJournal() throws -> LabNotifier {
        let environment = try lab.environment
        return LabNotifier(environment, ledgerFile: LedgerFile(environment))
    }

    /// A run as the command makes one.
    @discardableResult
    func run() async throws -> RunReport {
        let environment = try await environment()
        let run = ProtectionRun(environment, observer: SilentRunObserver())
        let notifier = LabNotifier(environment, ledgerFile: run.ledgerFile)
        await notifier.runBegan()
        let report = try await run.run(ProtectionRun.Request(.all))
        await notifier.runEnded(report)
        await environment.journal?.close()
        return report
    }
}

extension [[String: Any]] {
    /// What was sent, as text.
    var bodies: [String] { compactMap { $0["body"] as? String } }
    /// The last parts of the paths: `start`, `fail`.
    var ends: [String] { compactMap { ($0["path"] as? String)?.split(separator: "/").last.map(String.init) } }
}
