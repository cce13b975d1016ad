import ArgumentParser
import Bytes
import Console
import Notification
import Outcome
import Protection
import Strategy

/// The verb `holdfast run`.
struct RunVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast run", "holdfast run --all", "holdfast run host --release 4f2a91c0"]

    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Backs up what is due, copies it, reads it back, and removes what is no longer kept.",
        discussion: """
            Each source is read once: into the nearest repository that is here, and copied from there to the others. What was written is \
            read back from each store. Only then does retention remove snapshots, of workloads whose run was complete; and a part of each \
            repository is read again, so that every byte is within the declared time.

            Ends in 0; 3 when sources could not be read; 20 when damage was found; 21 when a medium is missing or retention is held back; \
            1 when something failed. What did not fail was done.
            """
    )

    @Argument(help: "Workloads to run, whether due or not; else what is due.")
    var workloads: [String] = []

    @Flag(help: "All workloads, whether due or not.")
    var all = false

    @Flag(help: "Read all data of the repositories afterwards, not only the part that is due.")
    var verify = false

    @Option(help: "Lets retention remove what it holds back: the digits that `holdfast plan` shows.")
    var release: String?

    @Flag(name: .customLong("dry-run"), help: "Say what would run, and change nothing.")
    var dryRun = false

    @OptionGroup var options: LabOptions

    func validate() throws {
        if all, !workloads.isEmpty { throw ValidationError("give either workloads or --all") }
    }

    private var choice: RunChoice { all ? .all : workloads.isEmpty ? .due : .named(workloads) }

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        guard !dryRun else { return try await showPlan(session) }
        let reporter = session.reporter
        let recording = await session.withinBudget().recording()
        let run = ProtectionRun(recording.environment, observer: reporter)
        var request = ProtectionRun.Request(choice)
        request.release = release
        request.verifiesAll = verify
        let asked = request
        let notifier = LabNotifier(recording.environment, ledgerFile: run.ledgerFile)
        let report = try await told(by: notifier, session) {
            try await reporter.whileShown { try await recording.onPool { try await run.run(asked) } }
        }
        RunSummary(report: report, session: session).show()
        try await session.onPool { await notifier.runEnded(report) }
        return report.exitStatus.rawValue
    }

    /// Runs `body` while checks hear that a run began; when it cannot even begin, they hear that too.
    private func told(
        by notifier: LabNotifier,
        _ session: LabSession,
        _ body: () async throws -> RunReport
    ) async throws -> RunReport {
        async let start: Void = notifier.runBegan()
        do {
            let report = try await body()
            await start
            return report
        } catch is CancellationError {
            // Cut off as by a crash: the check hears of no end, and judges by itself.
            throw CancellationError()
        } catch {
            await start
            let why = reason(of: error)
            try await session.onPool { await notifier.runBroke(why) }
            throw error
        }
    }

    private func showPlan(_ session: LabSession) async throws -> Int32 {
        let run = ProtectionRun(session.environment, observer: session.reporter)
        let choice = choice
        let plan = try await session.onPool { try await run.plan(choice) }
        SchedulePage(plan: plan, session: session).show()
        return ExitStatus.success.rawValue
    }
}
