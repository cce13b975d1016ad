import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticRepository
import Strategy

/// The words for a medium that became full: how much is free, how much more is needed where that is known, and which snapshot is safe.
extension WorkloadRun {
    /// The same failure when it is another one.
    func explained(_ failure: any ReportableFailure, in store: OpenStore) -> any ReportableFailure {
        guard var full = failure as? StorageFailure, [.noSpace, .quota].contains(full.code) else { return failure }
        let medium = store.store.medium
        let free = medium.folder.flatMap { try? Directory.open(ByteString($0)).space() }?.freeBytes
        if let free { full.what += "; \(amount(free)) are free on \(medium.name) (\(medium.text))" }
        let newest = store.view.newest(workload.name)
        let safe = newest.map {
            "the last good snapshot there, \($0.snapshot.id.short) of \(minuteText($0.observed.time.moment)), is whole"
        }
        full.state =
            "\(safe ?? "no snapshot of \(workload.name) was there before"); what this run wrote is named by no snapshot"
        let path = store.store.path
        full.next =
            "\(need(free, isFirst: newest == nil)); free it, or remove snapshots: holdfast restic -r \(path) forget, then prune; with no byte free: prune --unsafe-recover-no-free-space \(store.view.id)"
        return full
    }

    /// A first copy needs as much as the source has; what a later one needs is what changed, and that nobody knows before.
    private func need(_ free: UInt64?, isFirst: Bool) -> String {
        guard isFirst, let size = run.ledgerFile.current().workloads[workload.name]?.size?.bytes else {
            return "it needs room for what changed since then, which is not known before it is read"
        }
        let more = size - min(size, free ?? 0)
        return "it needs about \(amount(more)) more, less what compression saves: the source holds \(amount(size))"
    }
}
