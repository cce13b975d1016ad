import Bytes
import Chunking
import HostSystem
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// The part of a run that concerns one workload: backup, copies, read-back.
struct WorkloadRun: Sendable {
    let item: RunPlan.Item
    let run: ProtectionRun
    /// It brings what the disks of this machine hold behind a network.
    var isFar = false

    var environment: ProtectionEnvironment { run.environment }
    var workload: Workload { item.workload }

    /// What it came to.
    struct Result: Sendable {
        var workload: Workload
        /// The snapshot is complete.
        var isComplete = false
        /// Repositories in which what this run wrote was read back and right.
        var proven: [OpenStore] = []
        /// Repositories that were opened, proven or not.
        var opened: [OpenStore] = []
        var lines: [RunReport.Line] = []
        /// A copy is missing or was not proven.
        var hasFailures = false
        /// Repositories that could not be brought a copy, for what is wrong with them, or away.
        var missed: Set<String> = []
        /// Repositories behind a network, whose turn comes when all disks have their copies.
        var deferred: [String] = []
    }

    /// Runs it; failures are in the report.
    ///
    /// Errors: cancellation alone.
    func run(_ report: inout RunReport) async throws -> Result {
        var result = Result(workload: workload)
        let started = environment.now
        let begun = environment.repository.time.monotonicNanoseconds()
        let lock: FileDescriptor?
        var isElsewhere = false
        do {
            // A first upload takes days: the next night's backup is another's turn, and does not wait for it.
            let turn = isFar && !hasNoSource ? "offsite" : "workload"
            lock = try StateFolder.takeLock("\(turn)-\(workload.name)", in: environment.stateFolder)
            isElsewhere = lock == nil
        } catch {
            lock = nil
            environment.warn("the run of \"\(workload.name)\" is not locked, and goes on: \(reason(of: error))")
        }
        defer { lock?.unlock() }
        if isElsewhere {
            // Another process is at it: nothing was tried here, and nothing is remembered.
            guard !isFar else { return leave(&report) }
            fail(RunStep(.open, workload: workload.name, repository: workload.name), busy, &result)
            report.lines += result.lines
            report.workloads[workload.name] = .failed
            return result
        }
        guard item.catchesUp.isEmpty || hasNoSource else {
            try await catchUp(&result)
            report.lines += result.lines
            let outcome = await rememberCatchUp(result)
            let before = isFar ? report.workloads[workload.name] ?? outcome : outcome
            report.workloads[workload.name] = before == .ok && outcome != .ok ? .partial : before
            return result
        }
        try await protect(&result)
        report.lines += result.lines
        let seconds = Int((environment.repository.time.monotonicNanoseconds() &- begun) / 1_000_000_000)
        let outcome = self.outcome(result)
        report.workloads[workload.name] = outcome
        await remember(outcome, result, started: started, seconds: seconds)
        return result
    }

    /// Another process brings it behind the network, and the next run goes on from there.
    private func leave(_ report: inout RunReport) -> Result {
        let now = environment.repository.time.monotonicNanoseconds()
        for name in item.catchesUp {
            let step = RunStep(.copy, workload: workload.name, repository: name)
            report.lines.append(end(step, .skipped("another process is bringing copies there"), since: now))
        }
        return Result(workload: workload)
    }

    private func outcome(_ result: Result) -> RunOutcome {
        if result.proven.isEmpty { return .failed }
        return result.isComplete && !result.hasFailures ? .ok : .partial
    }

    private var busy: ProtectionFailure {
        ProtectionFailure(
            .busy,
            retry: .later,
            operation: "run",
            object: workload.name,
            what: "is being run by another process",
            state: "that one goes on, and nothing was changed by this one",
            next: "wait for it to end"
        )
    }

    // MARK: the flow

    func protect(_ result: inout Result) async throws {
        let all = environment.stores(of: workload)
        let behind = isFar ? [] : all.filter(\.medium.isRemote)
        result.deferred = behind.map(\.name)
        let near = isFar ? all : all.filter { !$0.medium.isRemote }
        if try await protect(in: near, &result) { return }
        // Where no disk is left, a slow copy is better than none.
        result.deferred = []
        _ = try await protect(in: behind, &result)
    }

    /// Returns false when none of the repositories could be opened.
    private func protect(in stores: [LabStore], _ result: inout Result) async throws -> Bool {
        var isAnyOpen = false
        let outcomes = try await whileOpening(stores) { openings in
            // Nobody stops an app for a backup that has no place to go.
            isAnyOpen = try await firstOpen(of: openings) != nil
            if isAnyOpen { try await storeBetweenHooks(openings, &result) }
        }
        var failed: [RunReport.Line] = []
        for outcome in outcomes {
            switch outcome {
            case .open(let store): result.opened.append(store)
            case .failed(let line): failed.append(line)
            case .cancelled: throw CancellationError()
            }
        }
        let rest = result.lines
        result.lines = []
        note(failed, &result)
        result.lines += rest
        return isAnyOpen
    }

    /// Enters repositories that could not be opened.
    func note(_ failed: [RunReport.Line], _ result: inout Result) {
        guard !failed.isEmpty else { return }
        result.hasFailures = true
        result.missed.formUnion(failed.map(\.step.repository))
        result.lines += failed
    }

    private func storeBetweenHooks(_ openings: [Opening], _ result: inout Result) async throws {
        let (before, after) = (HookStep(.before, workload: workload), HookStep(.after, workload: workload))
        let owing = OwedCommands(environment)
        let owed = await owing.owe(workload)
        do {
            if let failure = try await hook(before, &result) {
                fail(before.step, failure, &result)
            } else {
                try await store(openings, &result)
            }
        } catch {
            // Cancelled: what was stopped before has to be started again all the same.
            do {
                try await after.run()
                await owing.settle(owed)
            } catch {
                await owing.failed(owed)
            }
            throw error
        }
        if let failure = try await hook(after, &result) {
            fail(after.step, failure, &result)
            await owing.failed(owed)
        } else {
            await owing.settle(owed)
        }
    }

    /// Runs a command of the declaration; returns its failure.
    private func hook(_ hook: HookStep, _ result: inout Result) async throws -> (any ReportableFailure)? {
        guard !hook.words.isEmpty else { return nil }
        run.observer.began(hook.step)
        let begun = environment.repository.time.monotonicNanoseconds()
        do {
            try await hook.run()
            result.lines.append(end(hook.step, .done(hook.words[0]), since: begun))
            return nil
        } catch {
            return try reportable(error, operation: "run", object: hook.words[0])
        }
    }

    private func store(_ openings: [Opening], _ result: inout Result) async throws {
        var rest = openings[...]
        defer { result.missed.formUnion(result.deferred) }
        while let next = rest.popFirst() {
            guard let source = try await next.opened() else { continue }
            let step = RunStep(.backUp, workload: workload.name, repository: source.name)
            do {
                try await backUp(to: source, thenCopyTo: Array(rest), &result)
                return
            } catch {
                // The next repository is tried: what is wrong may be this disk.
                let failure = try reportable(error, operation: "back up", object: workload.name)
                fail(step, explained(failure, in: source), &result)
                if let failure = error as? ProtectionFailure, failure.code == .source {
                    result.deferred = []
                    return
                }
                result.missed.insert(source.name)
            }
        }
    }

    /// Backs up to one repository and copies to the others, which are opened, take their locks and load their indexes meanwhile.
    ///
    /// Each is locked once, until what was written there is read back.
    private func backUp(to source: OpenStore, thenCopyTo others: [Opening], _ result: inout Result) async throws {
        let pool = environment.repository.pool
        let parts = try await withThrowingTaskGroup(of: Part?.self) { group in
            let arrivals = others.map { target in
                let (made, arrival) = AsyncStream.makeStream(of: SnapshotID.self)
                group.addTask(executorPreference: pool) {
                    guard let target = try await target.opened() else { return nil }
                    return try await copy(made, from: source, to: target)
                }
                return arrival
            }
            // Without a snapshot the others have nothing to do, and none waits for a lock.
            defer { arrivals.forEach { $0.finish() } }
            return try await source.repository.locked(.shared) {
                try await source.repository.loadIndex()
                let outcome = try await backUp(to: source, &result)
                for arrival in arrivals { arrival.yield(outcome.copy.snapshot) }
                group.addTask(executorPreference: pool) { try await readBack(outcome.copy, in: source) }
                var parts: [Part] = []
                for try await part in group { if let part { parts.append(part) } }
                return parts
            }
        }
        take(parts, inOrderOf: [source.name] + others.map(\.store.name), &result)
    }

    /// Enters what was done side by side.
    func take(_ parts: [Part], inOrderOf order: [String], _ result: inout Result) {
        for part in parts.sorted(by: {
            (order.firstIndex(of: $0.store.name) ?? 0) < (order.firstIndex(of: $1.store.name) ?? 0)
        }) {
            result.lines += part.lines
            if part.isProven {
                result.proven.append(part.store)
            } else {
                result.hasFailures = true
                // What is damaged is not mended by another copy of the same.
                if !part.isDamaged { result.missed.insert(part.store.name) }
            }
        }
    }

    /// The backup itself; the repository is locked and has its index loaded.
    private func backUp(to target: OpenStore, _ result: inout Result) async throws -> BackupOutcome {
        let backup = BackupStep(workload: workload, target: target, environment: environment, observer: run.observer)
        run.observer.began(backup.step)
        let begun = environment.repository.time.monotonicNanoseconds()
        let outcome = try await backup.run()
        result.isComplete = outcome.errorCount == 0
        let text = BackupText(outcome)
        let said: StepResult = outcome.errorCount == 0 ? .done(text.done) : .partial(text.partial)
        result.lines.append(end(backup.step, said, since: begun))
        if await noteSize(outcome) { result.hasFailures = true }
        return outcome
    }

    func fail(_ step: RunStep, _ failure: any ReportableFailure, _ result: inout Result) {
        result.hasFailures = true
        result.lines.append(end(step, .failed(failure), since: environment.repository.time.monotonicNanoseconds()))
    }

    // MARK: one repository

    /// What was done in one repository.
    struct Part: Sendable {
        var store: OpenStore
        var lines: [RunReport.Line] = []
        var isProven = false

        var isDamaged: Bool {
            lines.contains { line in if case .failed(let failure) = line.result { failure.isDamage } else { false } }
        }
    }

    /// Copies the snapshot that arrives, and reads it back; nil when none does.
    func copy(
        _ made: AsyncStream<SnapshotID>,
        from source: OpenStore,
        to target: OpenStore
    ) async throws -> Part? {
        let copy = CopyStep(
            workload: workload,
            source: source,
            target: target,
            environment: environment,
            observer: run.observer
        )
        var part = Part(store: target)
        var begun = environment.repository.time.monotonicNanoseconds()
        do {
            return try await target.repository.locked(.shared) {
                try await target.repository.loadIndex()
                guard let snapshot = await made.first(where: { _ in true }) else { return nil }
                run.observer.began(copy.step)
                begun = environment.repository.time.monotonicNanoseconds()
                let (written, caughtUp) = try await copy.run(snapshot)
                let more = caughtUp > 0 ? ", and \(caughtUp) that it had missed" : ""
                let text = "\(written.snapshot.short)\(more), \(amount(written.addedBytes)) new"
                part.lines.append(end(copy.step, .done(text), since: begun))
                let proof = try await readBack(written, in: target)
                part.lines += proof.lines
                part.isProven = proof.isProven
                return part
            }
        } catch {
            let failure = explained(try reportable(error, operation: "copy", object: target.name), in: target)
            part.lines.append(end(copy.step, .failed(failure), since: begun))
            return part
        }
    }

    /// Reads back what was written; the repository is locked.
    private func readBack(_ copy: WrittenCopy, in store: OpenStore) async throws -> Part {
        let proof = ReadBackStep(workload: workload.name, store: store, observer: run.observer)
        run.observer.began(proof.step)
        let begun = environment.repository.time.monotonicNanoseconds()
        var part = Part(store: store)
        do {
            let verdict = try await proof.run(copy)
            part.isProven = verdict.findings.isEmpty
            if part.isProven {
                let text =
                    verdict.packs == 0 ? "snapshot and trees" : "snapshot, trees, \(amount(verdict.bytes)) of packs"
                part.lines.append(end(proof.step, .done(text), since: begun))
            } else {
                let damage = Damage(store: store.store, findings: verdict.findings, brokenPacks: verdict.brokenPacks)
                part.lines.append(end(proof.step, .failed(damage.failure), since: begun))
                let finding = damage.open(environment.now)
                await run.ledgerFile.update { $0.repositories[store.name]?.add(finding) }
            }
            if part.isProven { await noteProof(copy, verdict, store) }
        } catch {
            let failure = try reportable(error, operation: "read back", object: store.name)
            part.lines.append(end(proof.step, .failed(failure), since: begun))
        }
        return part
    }

    func end(_ step: RunStep, _ result: StepResult, since begun: UInt64) -> RunReport.Line {
        run.end(step, result, since: begun)
    }
}
