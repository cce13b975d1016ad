import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// The part of a run that concerns repositories: retention, prune, rotating verification, record.
extension ProtectionRun {
    /// What was done in one repository.
    struct Part: Sendable {
        var lines: [RunReport.Line] = []
        var held: [Removal] = []
        var removed = 0
    }

    /// Finishes all repositories that the run opened, side by side.
    ///
    /// Errors: cancellation alone.
    func finish(
        _ done: [WorkloadRun.Result],
        before: Ledger,
        released: Release,
        request: Request,
        _ report: inout RunReport
    ) async throws {
        do { try await ledgerFile.writeDeclaration() } catch {
            environment.warn("the declaration is not left in the repositories: \(reason(of: error))")
        }
        var stores: [OpenStore] = []
        for store in done.flatMap(\.opened) where !stores.contains(where: { $0.name == store.name }) {
            stores.append(store)
        }
        let known = report.lines.count
        let pool = environment.repository.pool
        let parts = try await withThrowingTaskGroup(of: (Int, Part).self) { group in
            for (number, store) in stores.enumerated() {
                let workloads = done.filter { $0.isComplete && $0.proven.contains { $0.name == store.name } }.map(
                    \.workload
                )
                group.addTask(executorPreference: pool) {
                    let part = try await finish(store, workloads, before, released, isWhole: request.verifiesAll)
                    return (number, part)
                }
            }
            var parts: [(Int, Part)] = []
            for try await part in group { parts.append(part) }
            return parts.sorted { $0.0 < $1.0 }.map(\.1)
        }
        for part in parts {
            report.lines += part.lines
            report.held += part.held
            report.snapshotsRemoved += part.removed
        }
        let releasable = report.held.filter { $0.held.allSatisfy(\.isReleasable) }
        if !releasable.isEmpty { report.digits = Release.digits(of: releasable) }
        await noteFailures(report.lines.dropFirst(known))
    }

    private func finish(
        _ store: OpenStore,
        _ workloads: [Workload],
        _ before: Ledger,
        _ released: Release,
        isWhole: Bool
    ) async throws -> Part {
        var part = Part()
        // Whoever has taken this machine must not be able to delete there: `MediumPruning` does it.
        if !store.store.medium.isPrunedApart {
            for workload in workloads { try await retain(workload, store, before, released, &part) }
            try await prune(store, &part)
        }
        try await lock(store, before, &part)
        try await verify(store, isWhole: isWhole, &part)
        try await leaveRecord(store, &part)
        return part
    }

    /// Retention, prune and record of a medium that runs do not prune.
    func prune(_ store: OpenStore, _ workloads: [Workload], before: Ledger, _ released: Release) async throws -> Part {
        var part = Part()
        for workload in workloads { try await retain(workload, store, before, released, &part) }
        try await prune(store, isAsked: true, &part)
        try await leaveRecord(store, &part)
        return part
    }

    private func retain(
        _ workload: Workload,
        _ store: OpenStore,
        _ before: Ledger,
        _ released: Release,
        _ part: inout Part
    ) async throws {
        guard workload.backup.keep != nil else { return }
        // What this run proved counts, but the clock is judged by the last run's end.
        var ledger = ledgerFile.current()
        ledger.updated = before.updated
        let step = RetentionStep(
            workload: workload,
            store: store,
            environment: environment,
            ledger: ledger,
            released: released
        )
        let begun = environment.repository.time.monotonicNanoseconds()
        observer.began(step.step)
        do {
            let outcome = try await step.run()
            await note(outcome.findings, of: store.name)
            part.removed += outcome.removed
            if outcome.removed > 0 {
                await ledgerFile.update { $0.repositories[store.name]?.removedSincePrune += outcome.removed }
            }
            let name = workload.name
            if let held = outcome.held {
                part.held.append(held)
                // What else holds it stands in the ledger by itself.
                let why = held.held.first { $0.isAboveFloor }?.text
                await ledgerFile.update { $0.repositories[store.name]?.held[name] = why }
            } else {
                let rules = workload.backup.keep?.text
                await ledgerFile.update {
                    $0.repositories[store.name]?.retained[name] = rules
                    $0.repositories[store.name]?.held[name] = nil
                }
            }
            part.lines.append(end(step.step, Self.result(outcome), since: begun))
        } catch {
            let failure = try reportable(error, operation: "remove snapshots", object: store.name)
            part.lines.append(end(step.step, .failed(failure), since: begun))
        }
    }

    /// Remembers damage that any step met, and that a disk is full, so that the next prune does not wait (L7, C-01).
    func noteFailures(_ lines: ArraySlice<RunReport.Line>) async {
        for line in lines {
            guard case .failed(let failure) = line.result, line.step.kind != .readBack, line.step.kind != .verify else {
                continue
            }
            let (name, now) = (line.step.repository, environment.now)
            if failure.isDamage, environment.store(named: name) != nil {
                let found = OpenFinding(since: now, text: "\(failure.object) \(failure.what)", packs: [])
                await ledgerFile.update { ledger in
                    if ledger.repositories[name]?.finding == nil { ledger.repositories[name]?.add(found) }
                }
            }
            if failure.codeName == "E-NOSPACE" { await ledgerFile.update { $0.repositories[name]?.pruned = nil } }
        }
    }

    /// Remembers what is unexplained of a repository, until the operator says that it is right.
    func note(_ surprises: [Finding], of store: String) async {
        guard let first = surprises.first else { return }
        for finding in surprises { environment.warn("\(store): \(finding.object) \(finding.what)") }
        let doubt = OpenFinding(since: environment.now, text: "\(first.object) \(first.what)", packs: [])
        await ledgerFile.update { ledger in
            let known = ledger.repositories[store]?.doubt
            ledger.repositories[store]?.doubt = known?.joined(with: doubt) ?? doubt
        }
    }

    private static func result(_ outcome: RetentionStep.Outcome) -> StepResult {
        if let held = outcome.held { return .skipped("held back: " + held.held.map(\.text).joined(separator: "; ")) }
        guard outcome.failed.isEmpty else {
            return .partial("removed \(outcome.removed), \(outcome.failed.count) could not be: \(outcome.failed[0])")
        }
        let text = "removed \(outcome.removed), kept \(outcome.kept)"
        return outcome.removed > 0 ? .done(text) : .nothing(text)
    }

    private func prune(_ store: OpenStore, isAsked: Bool = false, _ part: inout Part) async throws {
        guard let history = ledgerFile.current().repositories[store.name],
            PruneStep.isDue(history, isAsked: isAsked, now: environment.now)
        else { return }
        let step = PruneStep(store: store, observer: observer)
        let begun = environment.repository.time.monotonicNanoseconds()
        observer.began(step.step)
        do {
            guard let statistics = try await step.run() else {
                let text = "refused: snapshots or index files are gone or came back, and nothing of this machine did it"
                part.lines.append(end(step.step, .partial(text), since: begun))
                return
            }
            let now = environment.now
            await ledgerFile.update {
                $0.repositories[store.name]?.pruned = now
                $0.repositories[store.name]?.removedSincePrune = 0
            }
            part.lines.append(end(step.step, .done("freed \(amount(statistics.sizes.removedInAll))"), since: begun))
        } catch {
            let failure = try reportable(error, operation: "prune", object: store.name)
            part.lines.append(end(step.step, .failed(failure), since: begun))
        }
    }

    private func lock(_ store: OpenStore, _ before: Ledger, _ part: inout Part) async throws {
        guard let length = store.store.medium.lock, let history = ledgerFile.current().repositories[store.name],
            LockStep.isDue(history, store.store.medium, now: environment.now)
        else { return }
        let step = LockStep(store: store, length: length)
        let (now, begun) = (environment.now, environment.repository.time.monotonicNanoseconds())
        do {
            // What this run has made is locked by its uploads.
            if before.repositories[store.name] != nil {
                observer.began(step.step)
                let count = try await step.run(now: now)
                let result = StepResult.done("\(count) objects, \(lengthText(length)) from now")
                part.lines.append(end(step.step, result, since: begun))
            }
            await ledgerFile.update {
                $0.repositories[store.name]?.locked = now
                $0.repositories[store.name]?.lockLength = length
            }
        } catch {
            let failure = try reportable(error, operation: "extend locks", object: store.name)
            part.lines.append(end(step.step, .failed(failure), since: begun))
        }
    }

    private func verify(_ store: OpenStore, isWhole: Bool, _ part: inout Part) async throws {
        guard let history = ledgerFile.current().repositories[store.name] else { return }
        let periods = environment.lab.workloads.filter { $0.repositories.contains(store.name) }.map(\.verifyEvery)
        let step = VerifyStep(
            store: store,
            history: history,
            period: periods.min() ?? .seconds(30 * 86_400),
            isWhole: isWhole,
            observer: observer
        )
        guard let due = step.due(now: environment.now) else { return }
        let begun = environment.repository.time.monotonicNanoseconds()
        observer.began(step.step)
        let (groups, waiting) = isWhole ? (due, nil) : withinBudget(due, of: store, history)
        if groups.isEmpty, !due.isEmpty, history.finding == nil {
            part.lines.append(end(step.step, .skipped(waiting ?? ""), since: begun))
            return
        }
        do {
            let verdict = try await step.run(groups)
            let now = environment.now
            guard verdict.findings.isEmpty else {
                let damage = Damage(store: store.store, findings: verdict.findings, brokenPacks: verdict.brokenPacks)
                await ledgerFile.update { $0.repositories[store.name]?.add(damage.open(now)) }
                part.lines.append(end(step.step, .failed(damage.failure), since: begun))
                return
            }
            let isMended = step.closesFinding(groups)
            await ledgerFile.update {
                $0.repositories[store.name]?.note(verdict.rate)
                if isMended { $0.repositories[store.name]?.finding = nil }
                if isWhole { $0.repositories[store.name]?.rotation.beginWhole(at: now) }
                $0.repositories[store.name]?.rotation.finished(upTo: groups.upperBound, now: now)
            }
            let rest = waiting.map { "; \($0)" } ?? ""
            let share = "\(groups.count) of \(VerifyRotation.groups) parts, \(amount(verdict.bytes))\(rest)"
            part.lines.append(end(step.step, .done(isMended ? "\(share); the damage is mended" : share), since: begun))
        } catch {
            let failure = try reportable(error, operation: "verify", object: store.name)
            part.lines.append(end(step.step, .failed(failure), since: begun))
        }
    }

    /// The parts that the month's egress budget lets be read, and in words what waits for the next one.
    private func withinBudget(
        _ due: Range<Int>,
        of store: OpenStore,
        _ history: RepositoryHistory
    ) -> (Range<Int>, String?) {
        let medium = store.store.medium
        guard let most = medium.bucketBudget.egress, let stored = history.storedBytes else { return (due, nil) }
        let month = ledgerFile.current().traffic[medium.name]?.thisMonth(environment.now) ?? Traffic()
        let used = month.downloadedBytes + environment.meters.downloadedBytes(from: medium.name)
        let each = max(1, stored / UInt64(VerifyRotation.groups))
        let count = min(due.count, Int(clamping: (most - min(most, used)) / each))
        guard count < due.count else { return (due, nil) }
        let budget = "\(amount(used)) of \(amount(most)) of the month's egress are used"
        return (due.prefix(count), "\(due.count - count) parts wait: \(budget)")
    }

    private func leaveRecord(_ store: OpenStore, _ part: inout Part) async throws {
        do {
            var view = try await StoreView(store.repository, lab: environment.lab)
            try await view.measure(store.repository)
            let (seen, place, now) = (view, DiskNames().place(of: store.store.medium), environment.now)
            await ledgerFile.update { $0.see(seen, store: store.name, at: place, now: now) }
            await ledgerFile.note(environment.meters, now: now)
            try await RecordStep(store: store, environment: environment).run()
        } catch {
            let step = RunStep(.record, repository: store.name)
            let failure = try reportable(error, operation: "leave the record", object: store.name)
            part.lines.append(end(step, .failed(failure), since: environment.repository.time.monotonicNanoseconds()))
        }
    }

    /// Tells that a step has ended.
    func end(_ step: RunStep, _ result: StepResult, since begun: UInt64) -> RunReport.Line {
        let seconds = Double(environment.repository.time.monotonicNanoseconds() &- begun) / 1e9
        observer.finished(step, result, seconds: seconds)
        return RunReport.Line(step: step, result: result, ended: environment.now, seconds: seconds)
    }
}

extension Removal.Held {
    fileprivate var isAboveFloor: Bool { self == .aboveFloor || self == .mostBytes }

    /// In a few words.
    package var text: String {
        switch self {
        case .aboveFloor: "more than half of the snapshots would go"
        case .mostBytes: "more than half of the bytes would go"
        case .damaged(let text): "the repository is damaged (\(briefDamage(text)))"
        case .vanished(let text): text
        case .shrunk(let from, let to): "the source \(to.shrinkText(from: from))"
        case .clock(.snapshotAhead): "the newest snapshot is later than this machine's clock"
        case .clock(.leapt(let days)): "this machine's clock is \(days) days after the last run"
        }
    }

    /// What mends it where no digits do; nil where they do.
    package var remedy: String? {
        switch self {
        case .aboveFloor, .mostBytes, .vanished, .shrunk: nil
        case .damaged: "mend the repository (docs/manual/repair.md), then: holdfast run --all --verify"
        case .clock(.snapshotAhead):
            "look at the clock (date), and set it; if it is right, a snapshot was made with a wrong one: holdfast restic snapshots, then forget that one"
        case .clock(.leapt):
            "look at the clock (date), and set it; if it is right, it was a long time without a run, and the next one goes on by itself"
        }
    }
}
