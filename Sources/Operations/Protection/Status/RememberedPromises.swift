package import Bytes
package import Strategy

/// How the promises of a lab stand by what is remembered, without a look at any store: no disk wakes up for it.
///
/// It may be wrong in both directions until the next run or `status`: what counts is what the stores show.
package struct RememberedPromises: Sendable, Hashable {
    /// `docs on usb`: the workload and the medium of the copy that is missing or too old.
    package var breached: [String] = []
    /// Repositories with damage that nobody has mended.
    package var damaged: [String] = []

    package init(_ environment: ProtectionEnvironment, _ ledger: Ledger, now: Timestamp) {
        for workload in environment.lab.workloads {
            for store in environment.stores(of: workload) where store.medium.kind != .standIn {
                let seen = ledger.repositories[store.name]?.copies[workload.name]
                let point = RecoveryPoint(
                    seen.map { [ObservedSnapshot(id: $0.snapshot, time: ZonedTime($0.time))] } ?? [],
                    objective: workload.objective,
                    backup: workload.backup,
                    now: now,
                    zone: workload.backup.schedule.map(environment.zone) ?? .utc
                )
                if point.isBreached { breached.append("\(workload.name) on \(store.medium.name)") }
            }
        }
        damaged = environment.stores.map(\.name).filter { ledger.repositories[$0]?.finding != nil }
    }

    package var areKept: Bool { breached.isEmpty && damaged.isEmpty }
}
