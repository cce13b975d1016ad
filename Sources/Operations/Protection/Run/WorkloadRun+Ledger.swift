import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// What the ledger learns of a workload and its repositories.
extension WorkloadRun {
    /// How its run ended, and what it missed.
    func remember(_ outcome: RunOutcome, _ result: Result, started: Timestamp, seconds: Int) async {
        let (name, missed, deferred) = (workload.name, result.missed.sorted(), result.deferred)
        // What waits for its turn was not tried.
        let failed = failedHere(
            missed.filter { !deferred.contains($0) },
            of: workload.repositories.filter { !deferred.contains($0) }
        )
        let trouble = result.lines.lazy.compactMap { RunTrouble($0.result) }.first
        await run.ledgerFile.update { ledger in
            var history = ledger.workloads[name] ?? WorkloadHistory()
            history.lastAttempt = started
            history.lastOutcome = outcome
            history.lastTrouble = outcome == .ok ? nil : trouble
            history.missing = missed
            let waiting = history.failures.filter { deferred.contains($0.key) }
            history.failures = failed.merging(waiting) { tried, _ in tried }
            history.runSeconds = (history.runSeconds + [seconds]).suffix(StrategyLimits.rememberedRuns)
            ledger.workloads[name] = history
        }
    }

    /// Notes what is left to catch up with, and says how that went.
    ///
    /// The due times of the workload are as they were.
    func rememberCatchUp(_ result: Result) async -> RunOutcome {
        let (name, now) = (workload.name, environment.now)
        let proven = Set(result.proven.map(\.name))
        let isComplete = result.isComplete
        let tried = item.catchesUp
        let failed = failedHere(tried.filter { !proven.contains($0) }, of: tried)
        let trouble = result.lines.lazy.compactMap { RunTrouble($0.result) }.first
        let isFar = isFar
        await run.ledgerFile.update { ledger in
            guard var history = ledger.workloads[name] else { return }
            history.caughtUp = now
            history.missing.removeAll { proven.contains($0) }
            for name in tried { history.failures[name] = failed[name] }
            // It was partial for the copies alone.
            let isWhole = history.missing.isEmpty && isComplete && history.shrunkTo == nil
            if isWhole, history.lastOutcome == .partial {
                history.lastOutcome = .ok
                history.lastTrouble = nil
            } else if isFar, !isWhole, history.lastOutcome == .ok {
                history.lastOutcome = .partial
                history.lastTrouble = trouble
            }
            ledger.workloads[name] = history
        }
        if proven.isEmpty { return .failed }
        return result.hasFailures ? .partial : .ok
    }

    /// Of repositories that were tried in vain, those that were here, and how often in a row that was so.
    private func failedHere(_ names: [String], of tried: [String]) -> [String: Int] {
        let ledger = run.ledgerFile.current()
        let before = ledger.workloads[workload.name]?.failures ?? [:]
        run.seen.tried(tried)
        let failed = names.filter { environment.isHere($0, ledger) }
        return Dictionary(uniqueKeysWithValues: failed.map { ($0, min(before[$0] ?? 0, 1000) + 1) })
    }

    func note(_ view: StoreView, store: LabStore) async {
        let (place, now) = (DiskNames().place(of: store.medium), environment.now)
        await run.ledgerFile.update { $0.see(view, store: store.name, at: place, now: now) }
    }

    func noteProof(_ copy: WrittenCopy, _ verdict: ReadBackStep.Verdict, _ store: OpenStore) async {
        let proof = ReadBack(snapshot: copy.snapshot.hex, time: environment.now, bytes: verdict.bytes)
        let name = workload.name
        await run.ledgerFile.update { ledger in
            ledger.repositories[store.name]?.readBack[name] = proof
            ledger.repositories[store.name]?.note(verdict.rate)
        }
    }

    /// What changes while it is read, and is neither dumped nor stopped before: such a copy is as after a crash.
    private func liveItems() -> [String] {
        guard workload.before.isEmpty else { return [] }
        var discovery = HostDiscovery(leaving: environment.ownFolders)
        let filter = SourceFilter(workload.host, leavingOut: environment.leftOut(of: workload))
        let patterns = PatternList(filter.excludes)
        let items = discovery.live(below: workload.host.paths).filter { item in
            item.kind != .composeProject && !isLeftOut(item, patterns)
        }
        return items.prefix(3).map { "\($0.path) (\($0.what))" }
    }

    private func isLeftOut(_ item: FoundItem, _ patterns: PatternList) -> Bool {
        if patterns.matches(ByteString(item.path)) { return true }
        return !item.files.isEmpty && item.files.allSatisfy { patterns.matches(ByteString("\(item.path)/\($0)")) }
    }

    /// Remembers the size, or that the source has shrunk (P-06, G-16).
    func noteSize(_ outcome: BackupOutcome) async -> Bool {
        guard outcome.errorCount == 0 else { return false }
        let known = run.ledgerFile.current().workloads[workload.name]?.size
        let (name, size) = (workload.name, outcome.size)
        let live = liveItems()
        await run.ledgerFile.update { ledger in
            var history = ledger.workloads[name] ?? WorkloadHistory()
            if let known = history.size, size.isShrunk(from: known) {
                history.shrunkTo = size
            } else {
                history.size = size
                history.shrunkTo = nil
            }
            history.live = live
            ledger.workloads[name] = history
        }
        guard let known, size.isShrunk(from: known) else { return false }
        environment.warn(
            "\(name) \(size.shrinkText(from: known)): its retention waits until you say that this is right"
        )
        return true
    }
}
