import Bytes
import Journal
import Outcome
import ResticRepository
import Strategy
import Synchronization

/// Writes a run into the journal, as far as there is one; it never fails a run (M-03).
final class RunRecorder: Sendable {
    private let environment: ProtectionEnvironment
    private let run: String
    private let state = Mutex<(record: RunRecord?, steps: Int)>((nil, 0))

    init(_ environment: ProtectionEnvironment) {
        self.environment = environment
        run = RunJournal.newID(environment.repository.entropy)
    }

    func begin(_ plan: RunPlan, isByHand: Bool, at started: Timestamp) async {
        guard let journal = environment.journal else { return }
        if await journal.needsRebuild() { await JournalRebuild(environment).run(journal) }
        let isLate = plan.items.contains { $0.missed > 0 || !$0.catchesUp.isEmpty }
        let record = RunRecord(
            id: run,
            kind: "run",
            started: started,
            outcome: .running,
            trigger: isByHand ? .hand : isLate ? .catchUp : .schedule,
            summary: plan.items.map(\.workload.name).joined(separator: ", ")
        )
        state.withLock { $0.record = record }
        await journal.record([.run(record)])
    }

    /// Records the steps that were not recorded before.
    func record(_ lines: [RunReport.Line]) async {
        guard let journal = environment.journal else { return }
        let known = state.withLock { state in
            defer { state.steps = max(state.steps, lines.count) }
            return state.steps
        }
        let entries = lines.enumerated().dropFirst(known).flatMap {
            self.entries(of: $0.element, number: $0.offset + 1)
        }
        guard !entries.isEmpty else { return }
        await journal.record(entries)
    }

    func end(_ report: RunReport) async {
        await record(report.lines)
        await close(Self.outcome(report), at: report.ended)
    }

    func interrupted(_ report: RunReport) async {
        await record(report.lines)
        await close(.interrupted, at: environment.now)
    }

    private func close(_ outcome: JournalOutcome, at ended: Timestamp) async {
        guard let journal = environment.journal, var record = state.withLock({ $0.record }) else { return }
        record.outcome = outcome
        record.ended = ended
        await journal.record([.run(record)])
    }

    private static func outcome(_ report: RunReport) -> JournalOutcome {
        switch report.exitStatus {
        case .success: .ok
        case .incomplete: .partial
        case .refusedByGuard, .locked: .refused
        default: .failed
        }
    }

    private func entries(of line: RunReport.Line, number: Int) -> [JournalEntry] {
        let nanoseconds = Int64(min(line.seconds, 1e9) * 1e9)
        let started = line.ended.earlier(by: .nanoseconds(nanoseconds))
        let (outcome, text) = Self.words(line.result)
        let medium = environment.store(named: line.step.repository)?.medium.name
        let step = StepRecord(
            run: run,
            number: number,
            kind: line.step.kind.rawValue,
            workload: line.step.workload,
            repository: line.step.repository,
            medium: medium,
            started: started,
            ended: line.ended,
            outcome: outcome,
            text: text
        )
        guard line.step.kind == .readBack || line.step.kind == .verify else { return [.step(step)] }
        let evidence = EvidenceRecord(
            id: "\(run)-\(number)",
            kind: line.step.kind.rawValue,
            workload: line.step.workload,
            repository: line.step.repository,
            medium: medium,
            when: line.ended,
            outcome: outcome == .ok ? .passed : .failed,
            duration: .nanoseconds(nanoseconds)
        )
        return [.step(step), .evidence(evidence)]
    }

    private static func words(_ result: StepResult) -> (JournalOutcome, String) {
        switch result {
        case .done(let text), .nothing(let text): (.ok, text)
        case .partial(let text): (.partial, text)
        case .skipped(let text): (.refused, text)
        case .failed(let failure):
            (
                failure.exitStatus == .refusedByGuard ? .refused : .failed,
                "\(failure.codeName) \(failure.object) \(failure.what)"
            )
        }
    }
}

/// Fills a journal that was lost from what the repositories hold: each snapshot was a run (M-03).
struct JournalRebuild {
    private let environment: ProtectionEnvironment

    init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Looks at the stores that are here; what cannot be looked at is left out.
    func run(_ journal: RunJournal) async {
        var runs: [RunRecord] = []
        var steps: [StepRecord] = []
        for store in environment.stores {
            guard let repository = try? await store.open(),
                let view = try? await StoreView(repository, lab: environment.lab)
            else { continue }
            for (workload, items) in view.workloads {
                for item in items {
                    let (run, step) = records(of: item, workload, in: store)
                    runs.append(run)
                    steps.append(step)
                }
            }
        }
        await journal.rebuild(runs: runs, steps: steps)
    }

    private func records(of item: StoreView.Item, _ workload: String, in store: LabStore) -> (RunRecord, StepRecord) {
        let id = "snapshot-\(item.observed.id)"
        let started = item.observed.time.moment
        let outcome: JournalOutcome = item.observed.isComplete ? .ok : .partial
        let run = RunRecord(
            id: id,
            kind: "run",
            started: started,
            ended: started,
            outcome: outcome,
            trigger: .schedule,
            summary: "\(workload), found in \(store.name)"
        )
        let step = StepRecord(
            run: id,
            number: 1,
            kind: RunStep.Kind.backUp.rawValue,
            workload: workload,
            repository: store.name,
            medium: store.medium.name,
            started: started,
            ended: started,
            outcome: outcome,
            bytes: item.observed.sourceBytes,
            snapshot: item.observed.id,
            text: "found in the repository"
        )
        return (run, step)
    }
}
