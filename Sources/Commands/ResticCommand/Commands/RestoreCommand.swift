import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `restore SNAPSHOT --target DIRECTORY`: exit status 1 when any item failed.
    func runRestore() async throws -> ExitStatus {
        let excludes = try PatternOptions("exclude", values, context.environment)
        let includes = try PatternOptions("include", values, context.environment)
        let (name, target) = try restoreArguments(excludes, includes)
        let wantsAttribute = try attributeFilter()
        let filter = try snapshotFilter()
        return try await withRepository(readLock) { repository in
            let snapshotName = SnapshotName(name)
            let snapshot: Snapshot
            do { snapshot = try await repository.findSnapshot(snapshotName, filter: filter) } catch let failure
                as RepositoryFailure
                where failure.code == .notFound || failure.code == .ambiguous
            {
                throw CommandFailure.fatal("failed to find snapshot: \(causeText(failure))")
            }
            try await loadIndex(repository)
            let tree = try await findDirectory(snapshotName.subfolder, in: snapshot, repository)
            var request = RestoreRequest(tree: tree, target: target)
            request.excludes = excludes.lists
            request.includes = includes.lists
            request.overwrite = values.text("overwrite").flatMap { OverwriteMode(rawValue: $0.display) } ?? .always
            request.delete = values.isOn("delete")
            request.sparse = values.isOn("sparse")
            request.isDryRun = values.isOn("dry-run")
            request.ownershipByName = values.isOn("ownership-by-name")
            request.wantsAttribute = wantsAttribute
            printer.normal("restoring \(describe(snapshot, printer)) to \(printer.name(target))")
            try await perform(request, repository)
            return .success
        }
    }

    private func restoreArguments(
        _ excludes: PatternOptions,
        _ includes: PatternOptions
    ) throws -> (name: ByteString, target: ByteString) {
        guard let name = words.first else { throw CommandFailure.fatal("no snapshot ID specified") }
        guard words.count == 1 else {
            throw CommandFailure.fatal("more than one snapshot ID specified: \(words.map(quotedForDisplay).goList)")
        }
        guard let target = values.text("target"), !target.isEmpty else {
            throw CommandFailure.fatal("please specify a directory to restore to (--target)")
        }
        if !excludes.isEmpty, !includes.isEmpty {
            throw CommandFailure.fatal("exclude and include patterns are mutually exclusive")
        }
        if values.isOn("dry-run"), values.isOn("verify") {
            throw CommandFailure.fatal("--dry-run and --verify are mutually exclusive")
        }
        if values.isOn("delete"), SourcePath.clean(target) == "/", excludes.isEmpty, includes.isEmpty {
            throw CommandFailure.fatal("'--target / --delete' must be combined with an include or exclude filter")
        }
        return (name, target)
    }

    /// Which extended attributes are wanted, by `--exclude-xattr` or `--include-xattr`.
    private func attributeFilter() throws -> @Sendable (ByteString) -> Bool {
        let (excluded, included) = (values.texts("exclude-xattr"), values.texts("include-xattr"))
        if !excluded.isEmpty, !included.isEmpty {
            throw CommandFailure.fatal("exclude and include xattr patterns are mutually exclusive")
        }
        try checkPatterns(excluded, "--exclude-xattr")
        try checkPatterns(included, "--include-xattr")
        if !excluded.isEmpty {
            let list = PatternList(excluded)
            return { !list.matches($0) }
        }
        guard !included.isEmpty else { return { _ in true } }
        let list = PatternList(included)
        return { list.matches($0) }
    }

    private func perform(_ request: RestoreRequest, _ repository: Repository) async throws {
        let counters = RestoreCounters()
        let reporter = RestoreReporter(session: self, counters: counters)
        let result = try await withTicks(every: progressInterval, time: context.time) {
            reporter.tick()
        } _: {
            try await restore(request, from: repository, observer: reporter, counters: counters)
        }
        reporter.finish()
        try checkFailures(reporter)
        guard values.isOn("verify") else { return }
        try await verify(result, request, reporter, repository)
    }

    private func verify(
        _ result: RestoreResult,
        _ request: RestoreRequest,
        _ reporter: RestoreReporter,
        _ repository: Repository
    ) async throws {
        let target = printer.name(request.target)
        printer.normal("verifying files in \(target)")
        let started = context.time.monotonicNanoseconds()
        let isCounted = context.screen.facts.outputIsTerminal
        let counter = isCounted ? ProgressCounter("files verified", session: self) : nil
        var done: UInt64 = 0
        let count = try await verifyRestored(result.files, below: request.target, in: repository, observer: reporter) {
            done += 1
            counter?.set(done, of: UInt64(result.files.count))
        }
        counter?.finish()
        try checkFailures(reporter)
        let took = GoDuration(nanoseconds: Int64(clamping: context.time.monotonicNanoseconds() - started))
        printer.normal(
            "finished verifying \(count) files in \(target) (took \(took.roundedToMilliseconds.description))"
        )
    }

    private func checkFailures(_ reporter: RestoreReporter) throws(CommandFailure) {
        guard reporter.failureCount > 0 else { return }
        throw .fatal(
            "There were \(reporter.failureCount) errors\n  state: everything that is not named above was restored\n  next:  remove the cause and run the same command again; what is right already is not written twice"
        )
    }
}
