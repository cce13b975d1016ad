import ArgumentParser
import Bytes
import Console
import Outcome
import Protection

/// The verb `holdfast status`.
struct StatusVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast status", "holdfast status --json"]

    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract:
            "One screen: each workload on each medium, its age against the promise, what is wrong, and what mends it.",
        discussion: """
            Copies are counted by a look at the stores. A medium that is not here is shown with what was seen last, and when.

            Ends in 0; 22 when an objective is breached; 20 when a repository is damaged.
            """
    )

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        let status = try await session.onPool { try await labStatus(session.environment) }
        StatusPage(status: status, printer: session.printer).show()
        if status.isDamaged { return ExitStatus.damageFound.rawValue }
        return (status.isBreached ? ExitStatus.objectiveBreached : .success).rawValue
    }
}

/// How the lab stands now.
func labStatus(_ environment: ProtectionEnvironment) async throws -> LabStatus {
    let ledger = await LedgerFile(environment).loadOrRecover()
    return try await StatusInspection(environment, ledger: ledger).run()
}
