import Bytes
package import Console
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository
import Strategy
import Synchronization

/// The first run of a lab, and each later one.
///
/// declare > make media > for each repository: open or create > BACK UP > read all data > restore from the stand-in
/// > compare byte for byte > report
///
/// Nothing is deleted but the scratch folder of the last restore. Each step can be interrupted and the run repeated.
package struct Quickstart: Sendable {
    /// Folder of the lab, absolute.
    package var folder: String
    package var environment: LabEnvironment
    package var printer: Printer
    /// Recorded in snapshots.
    package var programVersion: String

    package init(folder: String, environment: LabEnvironment, printer: Printer, programVersion: String) {
        self.folder = folder
        self.environment = environment
        self.printer = printer
        self.programVersion = programVersion
    }

    /// Runs all steps and returns what was found.
    ///
    /// Errors: `E-DECLARATION`, `E-MEDIUM`, `E-VERIFY`, those of the engine, cancellation.
    package func run() async throws -> QuickstartReport {
        let place = LabFolder(path: folder)
        let (lab, isNew) = try place.declaration(protecting: candidateFolders(from: environment.workingDirectory))
        say(isNew ? "Wrote \(place.declarationPath)" : "Read \(place.declarationPath)")
        if isNew { try place.makeMedia(lab) }
        var report = QuickstartReport(labPath: folder, paths: lab.workloads.flatMap(\.host.paths))
        let targets = Self.orderedTargets(lab)
        let warn: @Sendable (Finding) -> Void = { [printer] finding in
            printer.error("warning: \(finding.object): \(finding.what); \(finding.next)")
        }
        let secrets = try LabSecrets(lab, report: warn)
        for (declaration, medium, workloads) in targets {
            let place = repository(declaration, on: medium, secrets)
            report.copies.append(try await backUp(workloads, to: place))
        }
        try await restoreAndCompare(targets, place, secrets, &report)
        return report
    }

    private typealias Target = (RepositoryDeclaration, Medium, [Workload])

    /// Repositories that something is backed up to, in the order of the file, stand-ins and off-site last.
    private static func orderedTargets(_ lab: Lab) -> [Target] {
        let used = lab.repositories.compactMap { declaration -> Target? in
            let workloads = lab.workloads.filter { $0.repositories.contains(declaration.name) }
            guard !workloads.isEmpty, let medium = lab.medium(named: declaration.medium) else { return nil }
            return (declaration, medium, workloads)
        }
        func isFar(_ target: Target) -> Bool { target.1.kind == .standIn || target.1.kind == .offsite }
        return used.filter { !isFar($0) } + used.filter(isFar)
    }

    // MARK: one repository

    private func repository(
        _ declaration: RepositoryDeclaration,
        on medium: Medium,
        _ secrets: LabSecrets
    ) -> LabRepository {
        LabRepository(
            declaration: declaration,
            medium: medium,
            environment: environment.repository,
            secrets: secrets,
            keyCost: environment.keyCost
        )
    }

    private func backUp(_ workloads: [Workload], to place: LabRepository) async throws -> QuickstartReport.Copy {
        let (repository, created) = try await place.openOrCreate()
        let name = place.declaration.name
        if created {
            say(
                "Created \(name) on \(place.medium.name)\(place.medium.kind == .standIn ? ", a stand-in for the cloud" : "")"
            )
        }
        let before = try await storedBytes(repository)
        let started = time.monotonicNanoseconds()
        let unreadable = UnreadableSources()
        var snapshot: SnapshotID?
        try await repository.withLock(.shared) {
            try await repository.loadIndex()
            for workload in workloads {
                let result = try await save(workload.host, in: repository, name, unreadable)
                snapshot = result.snapshot
            }
        }
        let backupSeconds = seconds(since: started)
        let verified = time.monotonicNanoseconds()
        try await verify(place)
        let after = try await storedBytes(repository)
        let snapshots = try await repository.loadSnapshots { throw $1 }
        return QuickstartReport.Copy(
            medium: place.medium.name,
            kind: place.medium.kind.rawValue,
            repository: name,
            path: place.path,
            passwordFile: Self.passwordFile(place.declaration),
            snapshots: snapshots.count,
            snapshotID: snapshot?.hex ?? "",
            newest: snapshots.last?.document.time.moment ?? time.now(),
            storedBytes: after,
            addedBytes: after >= before ? after - before : 0,
            backupSeconds: backupSeconds,
            verifySeconds: seconds(since: verified),
            unreadable: unreadable.list,
            device: (try? status(at: ByteString(place.medium.path), followLinks: true).device) ?? 0
        )
    }

    private static func passwordFile(_ declaration: RepositoryDeclaration) -> String? {
        if case .file(let path) = declaration.password { path } else { nil }
    }

    private func save(
        _ host: HostPaths,
        in repository: Repository,
        _ name: String,
        _ unreadable: UnreadableSources
    ) async throws -> BackupResult {
        let paths = host.paths.map { ByteString($0) }
        var request = BackupRequest(
            targets: paths,
            workingDirectory: ByteString(environment.workingDirectory),
            hostName: environment.repository.hostName,
            time: environment.repository.zonedNow(),
            programVersion: programVersion
        )
        request.filter = SourceFilter(host)
        request.recordedExcludes = request.filter.excludes
        let filter = SnapshotFilter(hosts: [environment.repository.hostName], paths: paths)
        request.parent = try await repository.latestSnapshot(filter: filter, notAfter: request.time.moment)
        let counters = BackupCounters()
        let result = try await withStatus({ progressLine(counters, name) }) {
            try await backup(request, to: repository, observer: unreadable, counters: counters)
        }
        let files = result.summary.totalFilesProcessed
        guard files > 0 || result.errorCount == 0 else {
            throw LabFailure(
                .source,
                operation: "back up",
                object: host.paths.joined(separator: ", "),
                what: "nothing could be read",
                state: "earlier snapshots are not touched",
                next: "look at the paths in holdfast.yaml, and at their permissions"
            )
        }
        let added = result.summary.dataAddedPacked
        say(
            "Backed up \(files) files, \(formatBytes(result.summary.totalBytesProcessed)), to \(name): \(formatBytes(added)) new, \(fixed(result.duration, 1)) s"
        )
        return result
    }

    private func progressLine(_ counters: BackupCounters, _ name: String) -> Text {
        let files = counters.filesDone.load(ordering: .relaxed)
        return "backing up to \(name): \(files) files, \(formatBytes(counters.bytesDone.load(ordering: .relaxed)))"
    }

    private func verify(_ place: LabRepository) async throws {
        let repository = try await place.reopen()
        let name = place.declaration.name
        let result = try await withStatus({ "reading all data of \(name)" }) {
            try await repository.withLock(.shared) { try await check(CheckRequest(readData: .all), in: repository) }
        }
        guard !result.hasErrors else {
            let damage = result.findings.filter { $0.severity == .damage }
            throw LabFailure(
                .damage,
                operation: "verify",
                object: "\(name) (\(place.path))",
                what: damage.prefix(5).map { "\($0.object) \($0.what)" }.joined(separator: "; "),
                state: "the other copies were not touched; \(damage.count) findings in all",
                next:
                    "run `holdfast restic check --read-data -r \(place.path)` for all of them; keep the other copies, look at this disk"
            )
        }
        say("Verified \(name): all data read, clean")
    }

    private func storedBytes(_ repository: Repository) async throws -> UInt64 {
        var total: UInt64 = 0
        for kind in [ObjectKind.pack, .index, .snapshot, .key] {
            total += try await repository.list(kind).reduce(0) { $0 + $1.size }
        }
        return total
    }

    // MARK: proof

    /// Restores the newest snapshots of the farthest copy into the scratch folder and compares them with their source.
    private func restoreAndCompare(
        _ targets: [Target],
        _ folder: LabFolder,
        _ secrets: LabSecrets,
        _ report: inout QuickstartReport
    ) async throws {
        guard let (declaration, medium, workloads) = targets.last else { return }
        let place = repository(declaration, on: medium, secrets)
        let repository = try await place.reopen()
        try removeScratch(folder)
        let scratch = ByteString(folder.restoredPath)
        _ = try folder.made(folder.restoredPath)
        report.restoredFrom = declaration.name
        report.restoredFromKind = medium.kind.rawValue
        report.restoredPath = folder.restoredPath
        var since = time.now()
        let started = time.monotonicNanoseconds()
        try await repository.withLock(.shared) {
            try await repository.loadIndex()
            for workload in workloads {
                let filter = SnapshotFilter(
                    hosts: [environment.repository.hostName],
                    paths: workload.host.paths.map { ByteString($0) }
                )
                let snapshot = try await repository.findSnapshot(SnapshotName("latest"), filter: filter)
                since = min(since, snapshot.document.time.moment)
                let restored = try await withStatus({ "restoring from \(declaration.name)" }) {
                    try await restoreWhole(snapshot, from: repository, to: scratch)
                }
                report.restoredFiles += restored.files
                report.restoredBytes += restored.bytes
            }
        }
        report.restoreSeconds = seconds(since: started)
        say("Restored \(report.restoredFiles) files and folders from \(declaration.name) into \(folder.restoredPath)")
        let comparer = TreeComparer(restored: scratch, since: since)
        report.comparison = try await withStatus({ "comparing with the source" }) { try comparer.run() }
    }

    /// Removes what the last run restored, so that this restore is measured from an empty folder.
    private func removeScratch(_ folder: LabFolder) throws {
        do throws(Errno) {
            try removeTree("restored", in: try Directory.open(ByteString(folder.path)))
        } catch  where error.kind == .missing {
            return
        } catch {
            throw LabFailure.folder("remove", folder.restoredPath, error)
        }
    }

    // MARK: saying it

    private var time: any TimeSource { environment.repository.time }

    private func seconds(since started: UInt64) -> Double { Double(time.monotonicNanoseconds() &- started) / 1e9 }

    private func say(_ text: Text) { printer.normal(text) }

    private func withStatus<R: Sendable>(
        _ line: @escaping @Sendable () -> Text,
        _ body: () async throws -> R
    ) async throws -> R {
        guard printer.screen.facts.canUpdateStatus, !printer.isJSON, printer.verbosity >= .normal else {
            return try await body()
        }
        defer { printer.screen.setStatus([]) }
        let screen = printer.screen
        return try await withTicks(every: 200_000_000, time: time, { screen.setStatus([line()]) }, body)
    }
}
