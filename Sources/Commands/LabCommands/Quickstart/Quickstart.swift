package import Bytes
package import Console
import HostSystem
import Outcome
import Protection
import ResticFormat
import ResticRepository
import Strategy
import Synchronization

/// The first run of a lab, and each later one.
///
/// declare > make media > start the stand-in > RUN all of it: back up, copy, read back, verify > restore from the stand-in > compare byte for byte
///         > make a recovery kit, and open everything with it alone > bring one file back with it > report
///
/// Nothing is deleted but the scratch folder of the last restore, and what the declaration's retention no longer keeps. Each step can be
/// interrupted and the run repeated.
package struct Quickstart: Sendable {
    /// Folder of the lab, absolute.
    package var folder: String
    package var environment: LabEnvironment
    package var printer: Printer
    /// Programs that can play the cloud, as they are called or where they lie.
    package var standInPrograms: [ByteString] = ["minio", "rclone"]

    package init(folder: String, environment: LabEnvironment, printer: Printer) {
        self.folder = folder
        self.environment = environment
        self.printer = printer
    }

    /// Runs all steps and returns what was found.
    ///
    /// Errors: `E-DECLARATION`, those of the restore, cancellation; what fails in the run is in the report.
    package func run() async throws -> QuickstartReport {
        let place = LabFolder(path: folder)
        let (declaration, isNew) = try await place.declaration(
            protecting: candidateFolders(from: environment.workingDirectory)
        ) { try await standInPort() }
        let session = try LabSession(declaration, printer: printer, machine: environment)
        say(isNew ? "Wrote \(place.declarationPath)" : "Read \(place.declarationPath)")
        if isNew { try place.makeMedia(session.lab) }
        let standIn = try await startStandIn(of: session.lab, place)
        defer { withExtendedLifetime(standIn) {} }
        let reporter = RunReporter(printer: printer, time: time)
        let protection = ProtectionRun(await session.recording().environment, observer: reporter)
        var request = ProtectionRun.Request(.all)
        request.verifiesAll = true
        let asked = request
        if !printer.isJSON, printer.verbosity >= .normal {
            SchedulePage(plan: try await protection.plan(.all), session: session).show()
        }
        let began = time.now()
        let run = try await reporter.whileShown { try await protection.run(asked) }
        var report = QuickstartReport(labPath: folder, paths: session.lab.workloads.flatMap(\.host.paths), run: run)
        report.secretFiles = session.lab.repositories.compactMap(Self.passwordFile)
        if let far = session.environment.stores.max(by: { distance($0) < distance($1) }), run.isProven(far.name) {
            try await restoreAndCompare(session, far, began, place, &report)
        }
        try await proveKit(session, place, &report)
        if let standIn {
            report.standIn = QuickstartReport.StandIn(program: standIn.program.rawValue, port: standIn.port)
        }
        report.coverage = labCoverage(session.environment).coverage
        report.status = try await labStatus(session.environment)
        return report
    }

    // MARK: the stand-in

    /// A port for a server that plays the cloud; nil where no program for it is installed, and a folder plays it.
    private func standInPort() async throws -> Int? {
        guard await StandInServer.installed(standInPrograms) != nil else {
            say("No S3 server is installed (minio, or rclone 1.65 and later): a folder plays the cloud")
            return nil
        }
        do throws(Errno) { return try LoopbackPort.free() } catch { return nil }
    }

    /// The server that the declaration's stand-in names; nil where it is a folder, or somebody runs it already.
    private func startStandIn(of lab: Lab, _ place: LabFolder) async throws -> StandInServer? {
        for medium in lab.media where medium.kind == .standIn {
            guard case .s3(let bucket) = medium.location, bucket.endpoint.hasPrefix("http://127.0.0.1:"),
                let port = Int(bucket.endpoint.dropFirst("http://127.0.0.1:".count)), !LoopbackPort.isListening(port),
                case .pair(.file(let file))? = medium.credentials,
                let text = try? readFile(ByteString(file), limit: 4096),
                let key = StandInKey(String(decoding: text, as: UTF8.self)),
                let program = await StandInServer.installed(standInPrograms)
            else { continue }
            _ = try place.made(place.standInPath)
            let server = try await StandInServer(program, port: port, folder: place.standInPath, key: key, time: time)
            say("Started \(server.program.rawValue) as a stand-in for the cloud, on \(bucket.endpoint)")
            return server
        }
        return nil
    }

    private func distance(_ store: LabStore) -> Int {
        store.medium.kind == .offsite || store.medium.kind == .standIn ? 1 : 0
    }

    private static func passwordFile(_ declaration: RepositoryDeclaration) -> (repository: String, file: String)? {
        if case .file(let path) = declaration.password { (declaration.name, path) } else { nil }
    }

    // MARK: proof

    /// Restores the newest snapshots of the farthest copy into the scratch folder and compares them with their source.
    private func restoreAndCompare(
        _ session: LabSession,
        _ store: LabStore,
        _ began: Timestamp,
        _ folder: LabFolder,
        _ report: inout QuickstartReport
    ) async throws {
        let repository = try await store.open(.proof)
        try removeScratch(folder)
        let scratch = ByteString(folder.restoredPath)
        _ = try folder.made(folder.restoredPath)
        report.restoredFrom = store.name
        report.restoredPath = "\(store.path)"
        report.restoredFromKind = store.medium.kind.rawValue
        let started = time.monotonicNanoseconds()
        try await repository.withLock(.shared) {
            try await repository.loadIndex()
            let view = try await StoreView(repository, lab: session.lab)
            for workload in session.lab.workloads {
                guard let newest = view.newest(workload.name) ?? view.workloads[workload.name]?.last else { continue }
                let restored = try await withStatus({ "restoring from \(store.name)" }) {
                    try await restoreWhole(newest.snapshot, from: repository, to: scratch)
                }
                report.restoredFiles += restored.files
                report.restoredBytes += restored.bytes
            }
        }
        report.restoreSeconds = Double(time.monotonicNanoseconds() &- started) / 1e9
        let rate = ReadingRate(
            bytesPerSecond: UInt64(Double(report.restoredBytes) / max(0.001, report.restoreSeconds)),
            time: session.environment.now,
            isOfRestore: true
        )
        await LedgerFile(session.environment).update { $0.repositories[store.name]?.note(rate) }
        say("Restored \(report.restoredFiles) files and folders from \(store.name) into \(folder.restoredPath)")
        let comparer = TreeComparer(restored: scratch, since: began)
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

    func say(_ text: Text) { printer.normal(text) }

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

extension RunReport {
    /// True when something was written there and read back.
    func isProven(_ repository: String) -> Bool {
        lines.contains { line in
            if line.step.kind == .readBack, line.step.repository == repository, case .done = line.result {
                true
            } else {
                false
            }
        }
    }
}
