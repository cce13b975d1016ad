import ArgumentParser
import Bytes
import Console
import Outcome
import Protection
import Strategy

/// The verb `holdfast plan`.
struct PlanVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast plan", "holdfast plan --config new.yaml", "holdfast plan --cost"]

    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what would run when, and what an edited declaration would change; changes nothing.",
        discussion: """
            What retention would remove is counted in each repository. More than half of a workload's snapshots do not go unasked: the \
            plan then ends in digits, and `holdfast run --release DIGITS` does what was shown, and nothing else.

            With --cost: what each bucket that has prices takes in a month, and what a restore of all of it would cost and take, by what \
            runs of this machine saw; no repository is opened.

            Ends in 0; 21 when something is held back, or a bucket is over its budget; 1 when a repository cannot be looked at.
            """
    )

    @Flag(help: "Shows what buckets cost instead.")
    var cost = false

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        let run = ProtectionRun(session.environment, observer: session.reporter)
        if cost { return CostPage(costs: try await session.onPool { await run.costs() }, session: session).show() }
        let ahead = try await session.onPool { try await run.lookAhead(.due) }
        let before = previousLab(run, session)
        SchedulePage(plan: ahead.plan, session: session).show()
        BlastRadiusPage(
            ahead: ahead,
            difference: before.map { LabDifference(from: $0, to: session.lab) },
            session: session
        ).show()
        if ahead.removals.contains(where: { !$0.held.isEmpty }) { return ExitStatus.refusedByGuard.rawValue }
        return
            (ahead.failures.values.allSatisfy { $0.codeName == ProtectionCode.mediumUnmounted.rawValue }
            ? ExitStatus.success : .failed).rawValue
    }

    /// The declaration of the last run; nil when there was none, or it cannot be read any more.
    private func previousLab(_ run: ProtectionRun, _ session: LabSession) -> Lab? {
        guard let bytes = run.recordedDeclaration() else { return nil }
        let file = DeclarationFile(name: "the last run's declaration", folder: session.place.folder, bytes: bytes)
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in
                throw StrategyProblem(Place(file: path), what: "is not kept", next: "")
            },
            patternProblem: { _ in nil }
        )
        return try? readDeclaration(file, rules)
    }
}
