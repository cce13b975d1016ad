import Bytes
import HostSystem
package import Outcome
import ResticFormat
import ResticRepository
package import Strategy

/// What a look ahead shows; nothing is changed by it.
package struct LookAhead: Sendable {
    package var plan: RunPlan
    /// What retention would remove now; those that remove nothing are left out.
    package var removals: [Removal]
    /// Snapshots that the rules keep no longer where runs do not remove, by medium.
    package var apart: [String: Int] = [:]
    /// Bytes that a prune could free then, by repository.
    package var freedBytes: [String: UInt64]
    /// Repositories that cannot be looked at, by name.
    package var failures: [String: any ReportableFailure]
    /// Repositories that the next run makes, and how many snapshots it copies there.
    package var toBeMade: [String: Int] = [:]
    /// The digits that release what is held back; nil when nothing is that could be released.
    package var digits: String?
}

extension ProtectionRun {
    /// What would run when, and what retention would remove by the declaration as it is.
    ///
    /// Cost: a look at each store; where snapshots would go, a walk over the trees of those that stay.
    package func lookAhead(_ choice: RunChoice) async throws -> LookAhead {
        let plan = try await plan(choice)
        let ledger = await ledgerFile.loadOrRecover()
        let views = try await look(at: environment.stores.map(\.name))
        let all = try await removals(environment.lab.workloads, views.open, ledger)
        let removals = all.filter { !isPrunedApart($0) && (!$0.plan.removed.isEmpty || !$0.held.isEmpty) }
        var ahead = LookAhead(plan: plan, removals: removals, freedBytes: [:], failures: views.failures, digits: nil)
        for removal in all where isPrunedApart(removal) && !removal.plan.removed.isEmpty {
            guard let medium = environment.store(named: removal.repository)?.medium.name else { continue }
            ahead.apart[medium, default: 0] += removal.plan.removed.count
        }
        for (name, failure) in views.failures where isToBeMade(name, failure, ledger) {
            ahead.failures[name] = nil
            ahead.toBeMade[name] = arrivals(in: name, views.open)
        }
        for store in views.open {
            let going = removals.filter { $0.repository == store.name }.flatMap { $0.plan.removed.map(\.id) }
            guard !going.isEmpty else { continue }
            ahead.freedBytes[store.name] = try? await freed(store.repository, Set(going))
        }
        let releasable = removals.filter { !$0.held.isEmpty && $0.held.allSatisfy(\.isReleasable) }
        if !releasable.isEmpty { ahead.digits = Release.digits(of: releasable) }
        return ahead
    }

    /// What the buckets that have prices cost, by what this machine's runs saw.
    package func costs() async -> [BucketCost] {
        let (ledger, now) = (await ledgerFile.loadOrRecover(), environment.now)
        return environment.lab.media.compactMap { BucketCost($0, lab: environment.lab, ledger: ledger, now: now) }
    }

    /// No run removes it: its medium has a key of its own for that.
    func isPrunedApart(_ removal: Removal) -> Bool {
        environment.store(named: removal.repository)?.medium.isPrunedApart == true
    }

    /// It was never seen, its medium is there, and nothing stands in the way of making it.
    private func isToBeMade(_ name: String, _ failure: any ReportableFailure, _ ledger: Ledger) -> Bool {
        guard ledger.repositories[name] == nil, let store = environment.store(named: name),
            (try? MediumCheck(store.medium, mounting: environment.mounting).requireReadable()) != nil
        else { return false }
        return store.isToBeMade(after: failure)
    }

    /// The newest snapshot of each workload comes from another repository; the first of all is backed up.
    private func arrivals(in name: String, _ open: [OpenStore]) -> Int {
        environment.lab.workloads.count { workload in
            workload.repositories.contains(name)
                && open.contains { workload.repositories.contains($0.name) && $0.view.newest(workload.name) != nil }
        }
    }

    private func freed(_ repository: Repository, _ going: Set<String>) async throws -> UInt64 {
        try await repository.loadIndex()
        var request = PruneRequest()
        request.isDryRun = true
        request.ignoredSnapshots = Set(going.compactMap { Digest(hex: $0).map { SnapshotID($0) } })
        return try await repository.planPrune(request, observer: SilentPruneObserver()).statistics.sizes.removedInAll
    }

    /// The declaration that was left in the record by the last run; nil when there is none.
    package func recordedDeclaration() -> [UInt8]? {
        let path = "\(StateFolder.record(in: environment.stateFolder))/holdfast.yaml"
        return try? readFile(ByteString(path), limit: StrategyLimits.fileBytes)
    }
}
