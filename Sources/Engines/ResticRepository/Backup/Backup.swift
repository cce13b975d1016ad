import Bytes
import Synchronization
import ObjectStorage
import ResticFormat

/// Saves a source as a new snapshot.
///
/// walk > read into a reused buffer > cut > SHA-256 > claim (known: stop) > compress > seal > verify > pack > PUT PACK
/// > index in memory > trees, leaves first > put index > PUT SNAPSHOT
///
/// The snapshot file is the commit point (L4): before it nothing is visible, after it nothing is missing. A cancelled or failed run
/// leaves packs that nothing names, as a crash would; the next prune removes them. Weakness: a file that changes while it is read
/// is saved as a mixture, and said to be one.
///
/// Errors: of the store, `E-SOURCE-EMPTY`, `E-SOURCE`, `E-LOCK-LOST`, `CancellationError`; what is wrong with single items goes to
/// `observer` and into `errorCount`. The caller has loaded the index and holds a shared lock.
package func backup(
    _ request: BackupRequest,
    to repository: Repository,
    observer: any BackupObserver,
    counters: BackupCounters = BackupCounters()
) async throws -> BackupResult {
    let environment = repository.environment
    let startedAt = environment.zonedNow()
    let started = environment.time.monotonicNanoseconds()
    let (root, totals) = try await withScan(
        request,
        environment,
        observer,
        counters,
        cacheDirectory: repository.options.cacheDirectory
    ) {
        try await repository.withBlobWriter { writer in
            try await BackupFlow(
                request: request,
                repository: repository,
                writer: writer,
                observer: observer,
                counters: counters
            ).run()
        }
    }
    let nanoseconds = environment.time.monotonicNanoseconds() &- started
    let summary = summary(totals, from: startedAt, to: end(of: startedAt, after: nanoseconds, environment))
    var snapshot: SnapshotID?
    let isUnchanged = request.skipIfUnchanged && request.parent?.document.tree == root
    if !isUnchanged {
        var document = document(request, root: root, summary: summary, environment)
        if counters.errors.load(ordering: .relaxed) > 0 { document.tags += request.tagsWhenIncomplete }
        snapshot = try await repository.saveSnapshot(document)
    }
    return BackupResult(
        snapshot: repository.options.isDryRun ? nil : snapshot,
        tree: root,
        summary: summary,
        errorCount: counters.errors.load(ordering: .relaxed),
        duration: Double(nanoseconds) / 1e9
    )
}

/// The present moment, or, when the clock was set back meanwhile, what it would be had it only gone on (F-01).
private func end(of start: ZonedTime, after nanoseconds: UInt64, _ environment: RepositoryEnvironment) -> ZonedTime {
    let now = environment.zonedNow()
    guard now.moment < start.moment else { return now }
    let sum = UInt64(start.moment.nanoseconds) + nanoseconds
    let seconds = start.moment.seconds + Int64(sum / 1_000_000_000)
    return environment.zoned(Timestamp(seconds: seconds, nanoseconds: Int32(sum % 1_000_000_000)))
}

private func summary(_ totals: BackupFlow.Totals, from start: ZonedTime, to end: ZonedTime) -> SnapshotSummary {
    var summary = SnapshotSummary(backupStart: start, backupEnd: end)
    summary.filesNew = totals.filesNew
    summary.filesChanged = totals.filesChanged
    summary.filesUnmodified = totals.filesUnmodified
    summary.dirsNew = totals.dirsNew
    summary.dirsChanged = totals.dirsChanged
    summary.dirsUnmodified = totals.dirsUnmodified
    summary.dataBlobs = Int(totals.items.dataBlobs)
    summary.treeBlobs = Int(totals.items.treeBlobs)
    summary.dataAdded = totals.items.dataSize + totals.items.treeSize
    summary.dataAddedPacked = totals.items.dataSizeInRepository + totals.items.treeSizeInRepository
    summary.totalFilesProcessed = totals.filesNew + totals.filesChanged + totals.filesUnmodified
    summary.totalBytesProcessed = totals.bytesProcessed
    return summary
}

private func document(
    _ request: BackupRequest,
    root: BlobID,
    summary: SnapshotSummary,
    _ environment: RepositoryEnvironment
) -> SnapshotDocument {
    let paths =
        request.stream.map { [$0.path] }
        ?? request.targets.map { SourcePath.absolute($0, from: request.workingDirectory) }
    var document = SnapshotDocument(time: request.time, tree: root, paths: paths)
    document.parent = request.parent?.id
    document.hostname = request.hostName
    document.username = environment.userName
    document.uid = environment.userID
    document.gid = environment.groupID
    document.excludes = request.recordedExcludes
    document.tags = request.tags
    document.programVersion = ByteString(request.programVersion)
    document.summary = summary
    return document
}
