import Bytes
import Console
import HostSystem
import Outcome
import ResticFormat
import ResticRepository

/// What a backup was asked for, checked as far as that is possible without the repository.
private struct BackupOptions {
    var isFromInput: Bool
    var isFromCommand: Bool
    var isDryRun: Bool
    var hostName: ByteString
    var readConcurrency: Int
    var grouping: SnapshotGrouping
    var tags: [ByteString]

    var isStream: Bool { isFromInput || isFromCommand }

    private static let readConcurrencyDefault: UInt64 = 2
    private static let readConcurrencyMax: UInt64 = 1024

    init(_ session: Session) throws(CommandFailure) {
        let values = session.values
        isFromInput = values.isOn("stdin")
        isFromCommand = values.isOn("stdin-from-command")
        isDryRun = values.isOn("dry-run")
        let typed = values.isSet("hostname") ? values.text("hostname") : values.text("host")
        let named = typed ?? session.context.environment.value("RESTIC_HOST") ?? ""
        hostName = named.isEmpty ? HostSystem.hostName() : named
        grouping = values.text("group-by").flatMap { SnapshotGrouping($0.display) } ?? .standard
        tags = values.texts("tag").flatMap { $0.split(0x2c).map(\.trimmed) }.filter { !$0.isEmpty }
        readConcurrency = try Self.readConcurrency(session)
        try check(session)
    }

    private static func readConcurrency(_ session: Session) throws(CommandFailure) -> Int {
        var wanted = session.values.unsigned("read-concurrency") ?? 0
        let variable = "RESTIC_READ_CONCURRENCY"
        if !session.values.isSet("read-concurrency"), let text = session.context.environment.value(variable) {
            do { wanted = try parseGoUInt(text, base: 10, bits: 32) } catch {
                throw .fatal("invalid value for \(variable) \(quoted(text)): \(error.text)")
            }
        }
        return Int(min(wanted == 0 ? readConcurrencyDefault : wanted, readConcurrencyMax))
    }

    private func check(_ session: Session) throws(CommandFailure) {
        let values = session.values
        if session.password == nil, !session.options.password.isInsecureWithoutPassword {
            if isFromInput { throw .fatal("cannot read both password and data from stdin") }
            let lists = ["files-from", "files-from-verbatim", "files-from-raw"].flatMap { values.texts($0) }
            if lists.contains("-") {
                throw .fatal(
                    "unable to read password from stdin when data is to be read from stdin, use --password-file or $RESTIC_PASSWORD"
                )
            }
        }
        guard isStream else { return }
        for list in ["files-from", "files-from-verbatim", "files-from-raw"] where !values.texts(list).isEmpty {
            throw .fatal("--stdin and --\(list) cannot be used together")
        }
        if !session.words.isEmpty, !isFromCommand {
            throw .fatal("--stdin was specified and files/dirs were listed as arguments")
        }
    }
}

extension Session {
    /// `backup`: saves files, directories, standard input or a command's output as a snapshot.
    func runBackup() async throws -> ExitStatus {
        let asked = try BackupOptions(self)
        var targets: [ByteString] = []
        var isComplete = true
        if !asked.isStream {
            let list = try SourceList(values, words: words) { printer.error($0) }
            (targets, isComplete) = (list.targets, list.isComplete)
        }
        var time = repositoryEnvironment.zonedNow()
        if let text = values.text("time"), !text.isEmpty {
            do { time = try parseTime(text, time: context.time) } catch {
                throw CommandFailure.fatal("error in time option: \(error.message)")
            }
        }
        printer.verbose("open repository")
        let result = try await withRepository(asked.isDryRun ? .none : .shared, isDryRun: asked.isDryRun) {
            repository in
            try await save(targets, asked, at: time, in: repository)
        }
        guard isComplete, result.errorCount == 0 else {
            throw CommandFailure("Warning: at least one source file could not be read", status: .incomplete)
        }
        return .success
    }

    private func save(
        _ targets: [ByteString],
        _ asked: BackupOptions,
        at time: ZonedTime,
        in repository: Repository
    ) async throws -> BackupResult {
        let workingDirectory = try currentDirectory()
        var request = BackupRequest(
            targets: targets,
            workingDirectory: workingDirectory,
            hostName: asked.hostName,
            time: time,
            programVersion: ProductVersion.program
        )
        // Patterns are refused before, the other exclusions after the parent was told, as restic does.
        let patterns = try PatternOptions("exclude", values, context.environment)
        if !asked.isFromInput { request.parent = try await parent(asked, targets, workingDirectory, time, repository) }
        printer.verbose("load index files")
        try await loadIndex(repository)
        try await heedSurprises(repository)
        request.filter = try sourceFilter(patterns)
        request.recordedExcludes = values.texts("exclude")
        request.tags = asked.tags
        request.ignoreInode = isOn("ignore-inode", "RESTIC_IGNORE_INODE")
        request.ignoreCtime = isOn("ignore-ctime", "RESTIC_IGNORE_CTIME") || request.ignoreInode
        request.withAtime = values.isOn("with-atime")
        request.readConcurrency = asked.readConcurrency
        request.skipIfUnchanged = values.isOn("skip-if-unchanged")
        request.scan = !values.isOn("no-scan")
        var shown = targets.map { printer.name($0) }.goList
        if asked.isStream {
            let stream = try streamSource(asked)
            request.stream = stream
            shown = [printer.name(stream.path)].goList
        }
        if request.scan { printer.verbose("start scan on \(shown)") }
        printer.verbose("start backup on \(shown)")
        return try await perform(request, asked, repository)
    }

    private func perform(
        _ request: BackupRequest,
        _ asked: BackupOptions,
        _ repository: Repository
    ) async throws -> BackupResult {
        let counters = BackupCounters()
        let reporter = BackupReporter(session: self, counters: counters)
        var request = request
        // Its totals are for the progress and for verbose runs alone; without either, the source is walked once.
        request.scan = request.scan && (progressInterval != nil || printer.verbosity >= .verbose)
        if request.scan, request.stream != nil { reporter.scanned(files: 1, directories: 0, bytes: 0, seconds: 0) }
        do {
            let result = try await withTicks(every: progressInterval, time: context.time) {
                reporter.tick()
            } _: {
                try await backup(request, to: repository, observer: reporter, counters: counters)
            }
            reporter.finish(result, isDryRun: asked.isDryRun)
            return result
        } catch let failure as StreamFailure {
            let what: Text = "failed to save \(quotedForDisplay(failure.path)): \(failure.message)"
            printer.error("error: \(what)")
            throw UnsavedSnapshot(cause: CommandFailure(what))
        } catch {
            throw UnsavedSnapshot(cause: error)
        }
    }

    // MARK: parts of the request

    /// The switch, or, when it was not given, its variable; a value that is no Boolean counts as false.
    private func isOn(_ flag: String, _ variable: String) -> Bool {
        if values.isSet(flag) { return values.isOn(flag) }
        return context.environment.value(variable).flatMap { try? parseGoBool($0) } ?? false
    }

    private func parent(
        _ asked: BackupOptions,
        _ targets: [ByteString],
        _ workingDirectory: ByteString,
        _ time: ZonedTime,
        _ repository: Repository
    ) async throws -> Snapshot? {
        var found: Snapshot?
        if !values.isOn("force") {
            let named = values.text("parent") ?? ""
            if named.isEmpty || named == "latest" {
                var filter = SnapshotFilter()
                if asked.grouping.byHost { filter.hosts = [asked.hostName] }
                if asked.grouping.byPaths {
                    filter.paths = targets
                    filter.makePathsAbsolute(workingDirectory: workingDirectory)
                }
                if asked.grouping.byTags { filter.tags = [asked.tags] }
                found = try await repository.latestSnapshot(filter: filter, notAfter: time.moment) { id, error in
                    // A damaged snapshot costs speed, not the backup.
                    try reportIgnored(id.short, error)
                }
                if found == nil, !named.isEmpty {
                    throw CommandFailure("snapshot filter (\(filter.summary)): no snapshot found")
                }
            } else {
                do { found = try await repository.findSnapshot(SnapshotName(named)) } catch let failure
                    as RepositoryFailure
                    where failure.code == .notFound || failure.code == .ambiguous
                {
                    throw CommandFailure(causeText(failure))
                }
            }
        }
        if let found {
            printer.normal("using parent snapshot \(found.id.short)")
        } else {
            printer.normal("no parent snapshot found, will read all files")
        }
        return found
    }

    private func sourceFilter(_ patterns: PatternOptions) throws(CommandFailure) -> SourceFilter {
        var filter = SourceFilter()
        filter.excludes = patterns.patterns
        filter.insensitiveExcludes = patterns.insensitivePatterns
        filter.oneFileSystem = values.isOn("one-file-system")
        if let size = values.text("exclude-larger-than"), !size.isEmpty {
            filter.largerThanBytes = UInt64(try parseSize(size))
        }
        for text in values.texts("exclude-if-present") {
            guard !text.isEmpty else { throw CommandFailure("name for exclusion tagfile is empty") }
            let (name, header) = text.cut(0x3a).map { ($0.before, Optional($0.after)) } ?? (text, nil)
            guard !name.isEmpty else { throw CommandFailure("no name for exclusion tagfile provided") }
            filter.markers.append(.init(fileName: name, header: header.flatMap { $0.isEmpty ? nil : $0 }))
        }
        if values.isOn("exclude-caches") { filter.markers.append(.cacheDirectory) }
        return filter
    }

    private func streamSource(_ asked: BackupOptions) throws -> StreamSource {
        printer.verbose("read data from stdin")
        let path = SourcePath.clean(ByteString([0x2f] + (values.text("stdin-filename") ?? "stdin").bytes))
        guard path != "/" else { throw CommandFailure("failed to backup from stdin: invalid filename specified") }
        guard asked.isFromCommand else {
            let progress = StreamProgress()
            return StreamSource(
                path: path,
                read: { progress.add(try readStandardInput(into: $0)) },
                finish: { try progress.refuseNothing(path) }
            )
        }
        return try commandSource(path)
    }

    /// The output of the command that the arguments name.
    ///
    /// Its errors are shown line by line; its failure fails the backup (G-14).
    private func commandSource(_ path: ByteString) throws -> StreamSource {
        guard let program = words.first else { throw CommandFailure("no command was specified as argument") }
        var command = Command(words)
        command.inheritAll(context.environment.withoutSecrets)
        let lines = LineSplitter { [printer] line in
            printer.error("subprocess \(quotedForDisplay(program)): \(quotedForDisplay(line))")
        }
        let running: RunningCommand
        do { running = try RunningCommand(command) { lines.take($0) } } catch let error as Errno {
            throw CommandFailure("failed to start command: \(notStarted(program, error))")
        }
        let progress = StreamProgress()
        return StreamSource(
            path: path,
            read: { progress.add(try await running.read(into: $0)) },
            finish: {
                let ending = try await running.finish()
                lines.end()
                switch ending {
                case .exited(0): try progress.refuseNothing(path)
                case .signalled(let number):
                    throw StreamFailure(path: path, message: "Fatal: command failed: signal: \(signalName(number))")
                case .exited, .timedOut: throw StreamFailure(path: path, message: "Fatal: command failed: \(ending)")
                }
            }
        )
    }
}
