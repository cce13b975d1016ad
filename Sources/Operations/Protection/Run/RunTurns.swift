import Strategy

/// Whose turn it is in a run, and what comes last: copies behind a network.
struct RunTurns {
    /// What is done by the disks of this machine, in the order of the plan.
    private(set) var near: [RunPlan.Item] = []
    /// What is brought behind a network when all of that is done.
    private(set) var far: [RunPlan.Item] = []

    init(_ plan: RunPlan, _ environment: ProtectionEnvironment) {
        for item in plan.items {
            let remote = item.catchesUp.filter { environment.store(named: $0)?.medium.isRemote == true }
            let local = item.catchesUp.filter { !remote.contains($0) }
            if item.catchesUp.isEmpty || !local.isEmpty { near.append(item.bringing(local)) }
            if !remote.isEmpty { far.append(item.bringing(remote)) }
        }
    }

    /// What a workload's turn has left for later.
    mutating func note(_ result: WorkloadRun.Result, of item: RunPlan.Item) {
        var left = result.deferred.filter(result.missed.contains)
        guard !left.isEmpty else { return }
        guard let known = far.firstIndex(where: { $0.workload.name == item.workload.name }) else {
            return far.append(item.bringing(left))
        }
        left.removeAll(where: far[known].catchesUp.contains)
        far[known].catchesUp += left
    }
}

extension RunPlan.Item {
    fileprivate func bringing(_ repositories: [String]) -> RunPlan.Item {
        var item = self
        item.catchesUp = repositories
        return item
    }
}
