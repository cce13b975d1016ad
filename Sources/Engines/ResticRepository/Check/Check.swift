import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// Checks a repository and reports all damage that it finds; throws only when it cannot look (no listing, cancelled).
///
/// Level 1: every index file opens, every pack that they name is there with the size that follows from them. Level 2:
/// every snapshot and every tree opens, each tree once, and every blob of every file is in the index. Level 3, as far
/// as asked for: packs are read whole, hashed, and each blob opened. Then damage is traced back to snapshots and files.
///
/// Shape: `repository` has no index loaded yet. Memory: the index, 200 bytes for each pack, and up to four workers with
/// one span of 4 MiB and one blob each. Nothing is written. Isolation: call it on the environment's pool.
package func check(
    _ request: CheckRequest,
    in repository: Repository,
    observer: some CheckObserver = SilentCheckObserver()
) async throws -> CheckResult {
    try refuseMisuse(request, repository)
    let run = CheckRun(repository: repository, request: request, observer: observer)
    let known = try await repository.listSnapshots()

    guard let packs = try await run.checkIndexes() else { return run.result }
    try await run.checkPackList(packs)
    try await run.checkKeys()
    let walk = try await run.checkStructure(known)
    if request.snapshots.isEmpty { run.report(await repository.surprises(.everything)) }
    try await run.checkData(packs, needed: walk.used)
    try await run.traceDamage(to: walk.snapshots)
    return run.result
}

private func refuseMisuse(_ request: CheckRequest, _ repository: Repository) throws {
    func invalid(_ what: String, _ next: String) -> RepositoryFailure {
        RepositoryFailure(
            .invalidRequest,
            operation: "check",
            object: repository.store.location,
            what: what,
            next: next
        )
    }
    if let problem = request.readData.problem { throw invalid(problem, "correct the value") }
    guard repository.index.packCount == 0 else {
        throw invalid("the index is loaded already; a check loads it itself", "open the repository anew for the check")
    }
}
