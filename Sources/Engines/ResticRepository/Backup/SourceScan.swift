import Bytes
import Synchronization
import HostSystem

/// Runs `body` and, if asked for, beside it a second walk of the source that counts files and bytes for the progress display.
///
/// The scan only ever informs: its errors are reported as such and change nothing, and it ends when the backup does.
func withScan<Result: Sendable>(
    _ request: BackupRequest,
    _ environment: RepositoryEnvironment,
    _ observer: any BackupObserver,
    _ counters: BackupCounters,
    cacheDirectory: ByteString?,
    _ body: () async throws -> Result
) async throws -> Result {
    guard request.scan, request.stream == nil else { return try await body() }
    let pool = environment.pool
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: pool) {
            SourceScan(
                request: request,
                environment: environment,
                observer: observer,
                counters: counters,
                cacheDirectory: cacheDirectory
            ).run()
        }
        do {
            let result = try await body()
            try await group.waitForAll()
            return result
        } catch {
            group.cancelAll()
            throw error
        }
    }
}

/// Counts what a backup will read.
///
/// Directories deeper than `depthMax` are not counted, so that it needs few descriptors.
private struct SourceScan {
    private static let depthMax = 64

    let request: BackupRequest
    let environment: RepositoryEnvironment
    let observer: any BackupObserver
    let counters: BackupCounters
    let selection: SourceSelection

    private struct Level {
        var listed: ListedDirectory
        var path: ByteString
        var position = 0
    }

    private struct Totals {
        var files: UInt64 = 0
        var directories: UInt64 = 0
        var bytes: UInt64 = 0
    }

    init(
        request: BackupRequest,
        environment: RepositoryEnvironment,
        observer: any BackupObserver,
        counters: BackupCounters,
        cacheDirectory: ByteString?
    ) {
        self.request = request
        self.environment = environment
        self.observer = observer
        self.counters = counters
        selection = SourceSelection(request.filter, cacheDirectory: cacheDirectory)
    }

    func run() {
        let started = environment.time.monotonicNanoseconds()
        var totals = Totals()
        guard let plan = try? SourcePlan.make(request.targets, from: request.workingDirectory) else { return }
        var plans = [plan]
        while let next = plans.popLast(), !Task.isCancelled {
            plans.append(contentsOf: next.sortedNames.compactMap { next.children[$0] })
            guard let target = next.target else { continue }
            scan(SourcePath.absolute(target, from: request.workingDirectory), isExplicit: next.isExplicit, &totals)
        }
        guard !Task.isCancelled else { return }
        publish(totals)
        counters.isScanned.store(true, ordering: .relaxed)
        observer.scanned(
            files: totals.files,
            directories: totals.directories,
            bytes: totals.bytes,
            seconds: Double(environment.time.monotonicNanoseconds() &- started) / 1e9
        )
    }

    private func publish(_ totals: Totals) {
        counters.totalFiles.store(totals.files, ordering: .relaxed)
        counters.totalBytes.store(totals.bytes, ordering: .relaxed)
    }

    private func scan(_ path: ByteString, isExplicit: Bool, _ totals: inout Totals) {
        if !isExplicit, selection.excludes(path) { return }
        let (above, name) = SourcePath.split(path)
        var levels: [Level] = []
        do {
            let directory = try Directory.open(above)
            let status = try directory.status(name)
            let home = isExplicit ? status.device : try directory.status().device
            if let level = try count(name, status, path, directory, markers: nil, isExplicit, home, &totals) {
                levels.append(level)
            }
        } catch {
            return observer.failed(path: path, during: .scan, error: error)
        }
        while let top = levels.indices.last, !Task.isCancelled {
            let listed = levels[top].listed
            guard levels[top].position < listed.listing.count, let directory = listed.handle else {
                levels.removeLast()
                continue
            }
            let position = levels[top].position
            levels[top].position += 1
            let name = listed.listing.name(at: position)
            let path = SourcePath.join(levels[top].path, name)
            if selection.hasPatterns, selection.excludes(path) { continue }
            guard let status = try? directory.status(of: position, in: listed.listing) else { continue }
            let level = try? count(name, status, path, directory, markers: listed, false, listed.homeDevice, &totals)
            if let level, levels.count < Self.depthMax { levels.append(level) }
            if totals.files & 0xff == 0 { publish(totals) }
        }
    }

    private func count(
        _ name: ByteString,
        _ status: FileStatus,
        _ path: ByteString,
        _ directory: Directory,
        markers: ListedDirectory?,
        _ isExplicit: Bool,
        _ homeDevice: UInt64,
        _ totals: inout Totals
    ) throws -> Level? {
        let entry = SourceEntry(
            directory: directory,
            sourceName: name,
            name: name,
            status: status,
            homeDevice: homeDevice,
            started: 0
        )
        if !isExplicit, selection.excludes(entry, path: { path }, markers: markers) { return nil }
        switch status.kind {
        case .regular:
            totals.files += 1
            totals.bytes += status.size
            return nil
        case .directory:
            totals.directories += 1
            let opened = try directory.openDirectory(name)
            let listing = try opened.listing()
            return Level(
                listed: ListedDirectory(handle: opened, listing: listing, status: status, homeDevice: homeDevice),
                path: path
            )
        case .symbolicLink, .characterDevice, .blockDevice, .fifo, .socket, .unknown:
            return nil
        }
    }
}
