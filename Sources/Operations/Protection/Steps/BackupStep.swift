import Bytes
import HostSystem
import Outcome
import ResticFormat
import ResticRepository
import Strategy
import Synchronization

/// A snapshot that this run made or copied, and the packs that it wrote for it.
struct WrittenCopy: Sendable {
    var snapshot: SnapshotID
    var packs: Set<PackID>
    /// Bytes that it added to the repository.
    var addedBytes: UInt64
}

/// What a backup of a workload gave.
struct BackupOutcome: Sendable {
    var copy: WrittenCopy
    var size: SourceSize
    var errorCount: UInt64
    var seconds: Double
}

/// Backs up one workload into one repository.
struct BackupStep: Sendable {
    let workload: Workload
    let target: OpenStore
    let environment: ProtectionEnvironment
    let observer: any RunObserver

    var step: RunStep { RunStep(.backUp, workload: workload.name, repository: target.name) }

    /// Saves the sources; the repository is locked and has its index loaded.
    ///
    /// Errors: `E-SOURCE` when none of the paths is there, those of the engine, cancellation.
    func run() async throws -> BackupOutcome {
        try requireSource()
        warnOfLinks()
        let repository = target.repository
        let before = repository.index.packCount
        let counters = BackupCounters()
        observer.counting(counters, of: step)
        let listener = BackupListener(workload: workload.name, observer: observer)
        let request = request()
        let result = try await backup(request, to: repository, observer: listener, counters: counters)
        let size = SourceSize(files: result.summary.totalFilesProcessed, bytes: result.summary.totalBytesProcessed)
        guard let snapshot = result.snapshot else { preconditionFailure("a backup ended without its snapshot") }
        let after = repository.index.packCount
        return BackupOutcome(
            copy: WrittenCopy(
                snapshot: snapshot,
                packs: Set((before..<max(before, after)).map { repository.index.packID($0) }),
                addedBytes: result.summary.dataAddedPacked
            ),
            size: size,
            errorCount: result.errorCount,
            seconds: result.duration
        )
    }

    /// Refuses when none of the paths is there: an empty snapshot would pass for a copy.
    private func requireSource() throws {
        let isThere = workload.host.paths.contains { (try? status(at: ByteString($0))) != nil }
        guard !isThere else { return }
        throw ProtectionFailure(
            .source,
            operation: "back up",
            object: workload.host.paths.joined(separator: ", "),
            what: "none of the paths is there",
            state: "nothing was stored; earlier snapshots are not touched",
            next: "mount what holds them, or look at the paths in holdfast.yaml"
        )
    }

    private func warnOfLinks() {
        for link in workload.host.linkedPaths {
            environment.warn("\(workload.name): \(link.path) \(link.what)\n  next:  \(link.next)")
        }
    }

    private func request() -> BackupRequest {
        let host = workload.host
        var request = BackupRequest(
            targets: host.paths.map { ByteString($0) },
            workingDirectory: "/",
            hostName: environment.repository.hostName,
            time: environment.repository.zonedNow(),
            programVersion: environment.programVersion
        )
        request.filter = SourceFilter(host, leavingOut: environment.leftOut(of: workload))
        request.recordedExcludes = request.filter.excludes
        request.filter.leftOutDirectories = environment.ownDirectories()
        request.tags = [SnapshotTag.lab(environment.lab.name), SnapshotTag.workload(workload.name)]
        request.tagsWhenIncomplete = [SnapshotTag.incomplete]
        let now = request.time.moment
        request.parent = target.view.workloads[workload.name]?.last { !(now < $0.observed.time.moment) }?.snapshot
        return request
    }
}

/// Passes on what could not be read, at most a thousand of them.
private final class BackupListener: BackupObserver {
    private static let told = 1000
    private let workload: String
    private let observer: any RunObserver
    private let count = Mutex(0)

    init(workload: String, observer: any RunObserver) {
        self.workload = workload
        self.observer = observer
    }

    var wantsItems: Bool { false }

    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {}

    func failed(path: ByteString, during: BackupPhase, error: any Error) {
        guard during == .archival else { return }
        let number = count.withLock { count in
            count += 1
            return count
        }
        if number <= Self.told { observer.unreadable("\(path.display): \(reason(of: error))", workload: workload) }
    }

    func excluded(path: ByteString) {}
    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {}
}

/// The reason of a failure in one line.
package func reason(of error: any Error) -> String {
    guard let failure = error as? any ReportableFailure else { return "\(error)" }
    guard let cause = failure.cause.map({ "\($0)" }), !failure.what.contains(cause) else { return failure.what }
    return "\(failure.what): \(cause)"
}
