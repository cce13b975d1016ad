import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// What the ledger learns of a workload and its repositories.
extension WorkloadRun {
    /// How its run ended, and what it missed.
    func remember(_ outcome: RunOutcome, _ result: Result, started: Timestamp, seconds: Int) async {
        let (name, missed) = (workload.name, result.missed.sorted())
        await run.ledgerFile.update { ledger in
            var history = ledger.workloads[name] ?? WorkloadHistory()
            history.lastAttempt = started
            history.lastOutcome = outcome
            history.missing = missed
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
        await run.ledgerFile.update { ledger in
            guard var history = ledger.workloads[name] else { return }
            history.caughtUp = now
            history.missing.removeAll { proven.contains($0) }
            // It was partial for the copies alone.
            let isWhole = history.missing.isEmpty && isComplete && history.shrunkTo == nil
            if isWhole, history.lastOutcome == .partial { history.lastOutcome = .ok }
            ledger.workloads[name] = history
        }
        if proven.isEmpty { return .failed }
        return result.hasFailures ? .partial : .ok
    }

    func note(_ view: StoreView, store: String) async {
        let now = environment.now
        await run.ledgerFile.update { $0.see(view, store: store, now: now) }
    }

    func noteProof(_ copy: WrittenCopy, _ bytes: UInt64, _ store: OpenStore) async {
        let proof = ReadBack(snapshot: copy.snapshot.hex, time: environment.now, bytes: bytes)
        let name = workload.name
        await run.ledgerFile.update { $0.repositories[store.name]?.readBack[name] = proof }
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
            "\(name) shrank from \(known.files) files to \(size.files): its retention waits until you say that this is right"
        )
        return true
    }
}

extension Ledger {
    /// Records what a look at a repository showed.
    mutating func see(_ view: StoreView, store: String, now: Timestamp) {
        var history = repositories[store] ?? RepositoryHistory(id: view.id, seen: now)
        if history.id != view.id { history.begin(id: view.id, seen: now) }
        history.seen = now
        history.storedBytes = view.storedBytes ?? history.storedBytes
        for (name, items) in view.workloads {
            guard let newest = items.last(where: { $0.observed.isComplete }) else { continue }
            history.copies[name] = CopySeen(
                snapshot: newest.observed.id,
                time: newest.observed.time.moment,
                count: items.count
            )
        }
        repositories[store] = history
    }
}
