import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy

extension Removal {
    /// Holds the removal back when most bytes would go with it, where the rules are new here (P-06).
    ///
    /// The repository needs its index, which is loaded. Cost: two walks over its trees, and only after the rules were edited.
    mutating func countBytes(in repository: Repository) async throws {
        // What is held already is released by its snapshots, or not at all.
        guard wantsBytesCounted, held.isEmpty else { return }
        wantsBytesCounted = false
        let going = Set(plan.removed.compactMap { Digest(hex: $0.id).map { SnapshotID($0) } })
        try await repository.loadIndex()
        let before = try await repository.bytesNeeded(without: [])
        let after = try await repository.bytesNeeded(without: going)
        if before - min(before, after) > before / 2 { held.append(.mostBytes) }
    }
}

extension Repository {
    /// Bytes of blobs that some snapshot needs, when these are left out.
    fileprivate func bytesNeeded(without going: Set<SnapshotID>) async throws -> UInt64 {
        var request = PruneRequest()
        request.isDryRun = true
        request.ignoredSnapshots = going
        return try await planPrune(request, observer: SilentPruneObserver()).statistics.sizes.used
    }
}
