import Bytes
import Console
import HostSystem
import Outcome
import ResticRepository

extension Session {
    /// `check`: looks for damage; any makes the exit status 1.
    func runCheck() async throws -> ExitStatus {
        let amount = try readDataAmount()
        let result: CheckResult
        do {
            result = try await performCheck(amount)
        } catch {
            if options.isJSON { printer.result(summaryJSON(nil)) }
            throw error
        }
        if options.isJSON { printer.result(summaryJSON(result)) }
        guard !result.hasErrors else { throw CommandFailure.fatal("repository contains errors") }
        printer.normal("no errors were found")
        return .success
    }

    private func performCheck(_ amount: ReadDataAmount) async throws -> CheckResult {
        let temporary = try temporaryCache()
        defer {
            do throws(Errno) { try temporary?.remove() } catch {
                printer.error("error removing temporary cache directory: \(goMessage(error))")
            }
        }
        var session = self
        if !options.noCache { session.options.recordDirectory = options.cacheDirectory ?? defaultCacheDirectory }
        if let temporary { session.options.cacheDirectory = temporary.path }
        if temporary == nil, !values.isOn("with-cache") { session.options.noCache = true }
        if !options.noLock { printer.normal("create exclusive lock for repository") }
        let request = CheckRequest(
            readData: amount,
            filter: try snapshotFilter(),
            snapshots: words
        )
        let reporter = CheckReporter(self)
        let result = try await session.withRepository(options.noLock ? .none : .exclusive) { repository in
            try await ResticRepository.check(request, in: repository, observer: reporter)
        }
        reporter.finish()
        report(result, reporter)
        return result
    }

    /// Checks a repository that is open, without an index, for another command; any damage ends that command.
    func requireSound(_ repository: Repository) async throws {
        let reporter = CheckReporter(self)
        let result = try await ResticRepository.check(CheckRequest(), in: repository, observer: reporter)
        reporter.finish()
        report(result, reporter)
        guard !result.hasErrors else { throw CommandFailure.fatal("repository contains errors") }
        printer.normal("no errors were found")
    }

    /// A cache for this check alone; nil when the usual one is wanted, none is, or none can be made.
    private func temporaryCache() throws -> TemporaryCacheDirectory? {
        if values.isOn("with-cache") || options.noCache { return nil }
        let base = options.cacheDirectory ?? context.environment.value("TMPDIR") ?? "/tmp"
        do {
            let directory = try TemporaryCacheDirectory(base: base, entropy: context.entropy)
            printer.normal("using temporary cache in \(printer.name(directory.path))")
            return directory
        } catch {
            printer.error(
                "unable to create temporary directory for cache during check, disabling cache: \(goMessage(error))"
            )
            return nil
        }
    }

    // MARK: the verdict

    private func report(_ result: CheckResult, _ reporter: CheckReporter) {
        let guide = "https://restic.readthedocs.io/en/stable/077_troubleshooting.html"
        if result.isIndexDamaged {
            return reporter.say(
                "\nThe repository index is damaged and must be repaired. You must run `restic repair index' to correct this.\n\n"
            )
        }
        reportAffected(result, reporter)
        let advice =
            "These damaged files must be removed to repair the repository. This can be done using the following commands. Please read the troubleshooting guide at \(guide) first.\n\n"
        if !result.brokenPacks.isEmpty {
            let names = result.brokenPacks.map(\.hex).joined(separator: " ")
            reporter.say("\nThe repository contains damaged pack files. \(advice)")
            reporter.say("restic repair packs \(names)\nrestic repair snapshots --forget\n\n")
        }
        if result.hasErrors, result.brokenPacks.isEmpty {
            reporter.say(
                "\nThe repository is damaged and must be repaired. Please follow the troubleshooting guide at \(guide) .\n\n"
            )
        }
    }

    private static let affectedPathsShown = 20

    /// Which files are lost: what the operator wants to know first.
    ///
    /// restic has no such lines, so JSON mode does without.
    private func reportAffected(_ result: CheckResult, _ reporter: CheckReporter) {
        guard !options.isJSON else { return }
        for id in result.brokenSnapshots {
            reporter.say("snapshot \(id.short) cannot be read; its data stays in the repository until the next prune")
        }
        for snapshot in result.affected {
            reporter.say("snapshot \(snapshot.id.short): \(snapshot.pathCount) files or directories are affected:")
            for path in snapshot.paths.prefix(Self.affectedPathsShown) {
                reporter.say("  \(quotedForDisplay(path).display)")
            }
            let more = snapshot.pathCount - min(snapshot.paths.count, Self.affectedPathsShown)
            if more > 0 { reporter.say("  and \(more) more") }
        }
        if !result.isAffectedComplete { reporter.say("there is too much damage to name every file that is affected") }
    }

    /// The last line; nil stands for a check that could not look.
    private func summaryJSON(_ result: CheckResult?) -> Text {
        let broken = result?.brokenPacks ?? []
        var line = JSONLine(messageType: "summary")
        line.add("num_errors", result?.errorCount ?? 1)
        line.add("broken_packs", broken.isEmpty ? nil : broken.map { ByteString($0.hex) })
        line.add("suggest_repair_index", result?.suggestRepairIndex ?? false)
        line.add("suggest_prune", result?.suggestPrune ?? false)
        return line.text
    }

    // MARK: --read-data and --read-data-subset

    private func readDataAmount() throws -> ReadDataAmount {
        let subset = values.text("read-data-subset") ?? ""
        if values.isOn("read-data"), !subset.isEmpty {
            throw CommandFailure.fatal("check flags --read-data and --read-data-subset cannot be used together")
        }
        if values.isOn("read-data") { return .all }
        if subset.isEmpty { return .none }
        let amount = try parseSubset(subset)
        if let problem = amount.problem { throw CommandFailure.fatal(Text(problem)) }
        return amount
    }

    private func parseSubset(_ text: ByteString) throws(CommandFailure) -> ReadDataAmount {
        let invalid = CommandFailure.fatal("check flag --read-data-subset has invalid value, please see documentation")
        let parts = text.split(0x2f)
        if let numbers = try? parts.map({ try parseGoUInt($0, base: 10) }) {
            guard numbers.count == 2 else { throw invalid }
            return .subset(group: Int(clamping: numbers[0]), of: Int(clamping: numbers[1]))
        }
        if text.bytes.last == 0x25 {
            guard let percent = parseGoFloat(ByteString(Array(text.bytes.dropLast()))) else { throw invalid }
            return .percentage(percent)
        }
        do { return .size(bytes: UInt64(max(0, try parseSize(text)))) } catch { throw invalid }
    }
}
