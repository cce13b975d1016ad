import Bytes
import Compression
import Console
import Outcome
import ResticFormat
import ResticRepository
import Synchronization

extension Session {
    /// `prune`: frees what no snapshot needs.
    func runPrune() async throws -> ExitStatus {
        var request = try pruneRequest()
        request.isDryRun = values.isOn("dry-run")
        let recoveryID = values.text("unsafe-recover-no-free-space") ?? ""
        if request.repackUncompressed, options.compression == .off {
            throw CommandFailure.fatal("disabled compression and `--repack-uncompressed` are mutually exclusive")
        }
        guard request.isDryRun || !options.noLock else {
            throw CommandFailure.fatal("--no-lock is only applicable in combination with --dry-run for prune command")
        }
        return try await withRepository(options.noLock ? .none : .exclusive, goesOnWithoutRoom: !recoveryID.isEmpty) {
            repository in
            if !recoveryID.isEmpty {
                let id = repository.config.id.hex
                guard recoveryID.display == id else {
                    throw CommandFailure.fatal("must pass id '\(id)' to --unsafe-recover-no-free-space")
                }
                request.recoversWithoutSpace = true
            }
            try await prune(request, repository)
            return .success
        }
    }

    /// Prunes a repository that is locked already.
    func prune(_ request: PruneRequest, _ repository: Repository) async throws {
        if repository.cache == nil, !options.isJSON {
            printer.result("warning: running prune without a cache, this may be very slow!")
        }
        try await loadIndex(repository)
        let reporter = PruneReporter(self)
        let plan: PrunePlan
        do { plan = try await repository.planPrune(request, observer: reporter) } catch let failure
            as RepositoryFailure
        {
            // It may be why.
            try await heedSurprises(repository)
            throw pruneRefusal(failure)
        }
        try await heedSurprises(repository, beforePruning: !request.isDryRun)
        if request.isDryRun { printer.normal("\nWould have made the following changes:") }
        if options.isJSON { printer.result(pruneJSON(plan.statistics)) } else { show(plan.statistics) }
        if request.isDryRun { showPlanned(plan) }
        try await repository.execute(plan, observer: reporter)
    }

    /// A refusal in restic's words: the reason as a message, and the error in short.
    private func pruneRefusal(_ failure: RepositoryFailure) -> any Error {
        switch failure.cause as? PruneRefusal {
        case .indexIncomplete(let blobs):
            printer.error(
                "{\(blobs.joined(separator: " "))} not found in the index\n\nIntegrity check failed: Data seems to be missing.\nWill not start prune to prevent (additional) data loss!\n"
            )
            return CommandFailure.fatal("index is not complete\n  state: \(failure.state)\n  next:  \(failure.next)")
        case .packsMissing(let packs):
            printer.error(
                "The index references \(packs.count) needed pack files which are missing from the repository:"
            )
            for pack in packs { printer.error("  \(pack.hex)") }
            return CommandFailure.fatal(
                "packs from index missing in repo\n  state: \(failure.state)\n  next:  \(failure.next)"
            )
        case .sizeMismatch(let pack, let expected, let found):
            printer.error(
                "pack \(pack.short): calculated size \(expected) does not match real size \(found)\nRun 'restic repair index'"
            )
            return CommandFailure.fatal(
                "pack size does not match calculated size from index\n  state: \(failure.state)\n  next:  \(failure.next)"
            )
        case nil where failure.code == .invalidRequest:
            return CommandFailure("\(failure.what)\n  state: \(failure.state)\n  next:  \(failure.next)")
        case .newSnapshots, nil:
            return failure
        }
    }

    // MARK: what is asked for

    /// The options that `prune` and `forget --prune` share.
    func pruneRequest() throws -> PruneRequest {
        var request = PruneRequest()
        if let text = values.text("max-repack-size"), !text.isEmpty {
            request.maxRepackBytes = UInt64(clamping: try parseSize(text))
        }
        request.maxUnused = try unusedLimit(values.text("max-unused") ?? "5%")
        if let text = values.text("repack-smaller-than"), !text.isEmpty {
            let size: Int64
            do { size = try parseSize(text) } catch {
                throw CommandFailure.fatal(
                    "invalid number of bytes \(quoted(text)) for --repack-smaller-than: \(error.message)"
                )
            }
            guard size > 0 else { throw CommandFailure.fatal("--repack-smaller-than must be larger than zero") }
            request.smallPackBytes = UInt64(size)
        }
        request.repackCacheableOnly = values.isOn("repack-cacheable-only")
        request.repackUncompressed = values.isOn("repack-uncompressed")
        return request
    }

    private func unusedLimit(_ text: ByteString) throws(CommandFailure) -> PruneRequest.UnusedLimit {
        let word = text.trimmed
        guard !word.isEmpty else { throw .fatal("invalid value for --max-unused: \(quoted(text))") }
        if word == "unlimited" { return .unlimited }
        guard word.bytes.last == UInt8(ascii: "%") else {
            do { return .bytes(UInt64(clamping: try parseSize(word))) } catch {
                throw .fatal("invalid number of bytes \(quoted(text)) for --max-unused: \(error.message)")
            }
        }
        let number = ByteString(Array(word.bytes.dropLast()))
        guard let percent = parseGoFloat(number), !percent.isNaN else {
            throw .fatal(
                "invalid percentage \(quoted(text)) passed for --max-unused: strconv.ParseFloat: parsing \(quoted(number)): invalid syntax"
            )
        }
        guard percent >= 0 else { throw .fatal("percentage for --max-unused must be positive") }
        guard percent < 100 else { throw .fatal("percentage for --max-unused must be below 100%") }
        return .percent(percent)
    }

    // MARK: what is said

    private func show(_ statistics: PruneStatistics) {
        let (blobs, sizes, packs) = (statistics.blobs, statistics.sizes, statistics.packs)
        func row(_ title: String, _ count: Int, _ size: UInt64) -> Text {
            "\(padRight(title, 13)) \(padLeft(count, 10)) blobs / \(formatBytes(size))"
        }
        printer.verbose("\n\(row("used:", blobs.used, sizes.used))")
        if blobs.duplicate > 0 { printer.verbose(row("duplicates:", blobs.duplicate, sizes.duplicate)) }
        printer.verbose(row("unused:", blobs.unused, sizes.unused))
        if sizes.unreferenced > 0 {
            printer.verbose("unreferenced:                    \(formatBytes(sizes.unreferenced))")
        }
        printer.verbose(row("total:", blobs.total, sizes.total))
        let unusedPart = formatPercent(sizes.duplicate + sizes.unused, of: sizes.total)
        printer.verbose("unused size: \(unusedPart) of total size")
        printer.normal("\n\(row("to repack:", blobs.repacked, sizes.repacked))")
        printer.normal(row("this removes:", blobs.removedByRepacking, sizes.removedByRepacking))
        printer.normal(row("to delete:", blobs.removed, sizes.removed + sizes.unreferenced))
        printer.normal(row("total prune:", blobs.removedInAll, sizes.removedInAll))
        if sizes.uncompressed > 0 {
            printer.normal("not yet compressed:              \(formatBytes(sizes.uncompressed))")
        }
        printer.normal(row("remaining:", blobs.remaining, sizes.remaining))
        let part = formatPercent(sizes.remainingUnused, of: sizes.remaining)
        printer.normal("unused size after prune: \(formatBytes(sizes.remainingUnused)) (\(part) of remaining size)")
        printer.normal("")
        printer.verbose("totally used packs: \(padLeft(packs.used, 10))")
        printer.verbose("partly used packs:  \(padLeft(packs.partlyUsed, 10))")
        printer.verbose("unused packs:       \(padLeft(packs.unused, 10))\n\n")
        printer.verbose("to keep:      \(padLeft(packs.kept, 10)) packs")
        printer.verbose("to repack:    \(padLeft(packs.repacked, 10)) packs")
        printer.verbose("to delete:    \(padLeft(packs.removed, 10)) packs")
        if packs.unreferenced > 0 {
            printer.verbose("to delete:    \(padLeft(packs.unreferenced, 10)) unreferenced packs\n\n")
        }
    }

    private func showPlanned(_ plan: PrunePlan) {
        func set(_ packs: [PackID]) -> String { "{\(packs.sorted().map(\.short).joined(separator: " "))}" }
        printer.verbose(
            "Repeated prune dry-runs can report slightly different amounts of data to keep or repack. This is expected behavior.\n\n"
        )
        if !plan.unreferenced.isEmpty {
            printer.verbose("Would have removed the following unreferenced packs:\n\(set(plan.unreferenced))\n\n")
        }
        printer.verbose("Would have repacked and removed the following packs:\n\(set(plan.repacked))\n\n")
        printer.verbose("Would have removed the following no longer used packs:\n\(set(plan.removed))\n\n")
    }

    private func pruneJSON(_ statistics: PruneStatistics) -> Text {
        let (blobs, sizes, packs) = (statistics.blobs, statistics.sizes, statistics.packs)
        var counts = JSONLine()
        counts.add("used", blobs.used)
        counts.add("duplicate", blobs.duplicate)
        counts.add("unused", blobs.unused)
        counts.add("total", blobs.total)
        counts.add("repack", blobs.repacked)
        counts.add("repack_remove", blobs.removedByRepacking)
        counts.add("remove", blobs.removed)
        counts.add("remove_total", blobs.removedInAll)
        counts.add("remaining", blobs.remaining)
        var bytes = JSONLine()
        bytes.add("used", sizes.used)
        bytes.add("duplicate", sizes.duplicate)
        bytes.add("unused", sizes.unused)
        bytes.add("unreferenced", sizes.unreferenced)
        bytes.add("uncompressed", sizes.uncompressed)
        bytes.add("total", sizes.total)
        bytes.add("repack", sizes.repacked)
        bytes.add("repack_remove", sizes.removedByRepacking)
        bytes.add("remove", sizes.removed)
        bytes.add("remove_total", sizes.removedInAll)
        bytes.add("remaining", sizes.remaining)
        bytes.add("remaining_unused", sizes.remainingUnused)
        var files = JSONLine()
        files.add("used", packs.used)
        files.add("unused", packs.unused)
        files.add("partly_used", packs.partlyUsed)
        files.add("unreferenced", packs.unreferenced)
        files.add("total", packs.total)
        files.add("keep", packs.kept)
        files.add("repack", packs.repacked)
        files.add("remove", packs.removed)
        files.add("remove_total", packs.removedInAll)
        var line = JSONLine(messageType: "summary")
        line.add("blobs", json: counts.object)
        line.add("bytes", json: bytes.object)
        line.add("packfiles", json: files.object)
        return line.text
    }
}

/// Tells how a prune goes, in restic's words.
private final class PruneReporter: PruneObserver {
    private let session: Session
    private let counter = Mutex<(counter: ProgressCounter?, what: String)>((nil, ""))

    init(_ session: Session) { self.session = session }

    private var printer: Printer { session.printer }

    func began(_ stage: PruneStage) {
        let (sentence, counted) = Self.words(stage)
        if let sentence { printer.normal(Text(sentence)) }
        counter.withLock { $0 = (nil, counted ?? "") }
    }

    private static func words(_ stage: PruneStage) -> (sentence: String?, counted: String?) {
        switch stage {
        case .loadingSnapshots: ("loading all snapshots...", nil)
        case .findingUsed(let count): ("finding data that is still in use for \(count) snapshots", "snapshots")
        case .searchingPacks: ("searching used packs...", nil)
        case .collecting: ("collecting packs for deletion and repacking", "packs processed")
        case .deletingUnreferenced: ("deleting unreferenced packs", "files deleted")
        case .repacking: ("repacking packs", "packs repacked")
        case .rebuildingIndex: ("rebuilding index", "indexes processed")
        case .deletingOldIndexes: (nil, "old indexes deleted")
        case .deletingAllIndexes: ("deleting index files", "files deleted")
        case .removingPacks(let count): ("removing \(count) old packs", "files deleted")
        case .savingIndex: (nil, nil)
        case .done: ("done", nil)
        }
    }

    func progressed(_ done: Int, of total: Int) {
        let shown = counter.withLock { current -> ProgressCounter? in
            guard !current.what.isEmpty else { return nil }
            if current.counter == nil { current.counter = ProgressCounter(current.what, session: session) }
            return current.counter
        }
        shown?.set(UInt64(done), of: UInt64(total))
    }

    func finishedCounting() {
        let shown = counter.withLock { current in
            let shown = current.what.isEmpty ? nil : current.counter ?? ProgressCounter(current.what, session: session)
            current = (nil, "")
            return shown
        }
        shown?.finish()
    }

    func unreferenced(_ pack: PackID) {
        printer.verbose("will remove pack \(pack.short) as it is unused and not indexed")
    }

    func forgetsMissing(_ packs: [PackID]) {
        printer.error("Missing but unneeded pack files are referenced in the index, will be repaired\n")
        for pack in packs { printer.error("will forget missing pack file \(pack.hex)") }
    }

    func removed(_ pack: PackID, _ error: (any Error)?) { removed("data/\(pack.hex)", error) }

    func removed(_ index: IndexID, _ error: (any Error)?) { removed("index/\(index.hex)", error) }

    private func removed(_ name: String, _ error: (any Error)?) {
        if let error {
            printer.error("unable to remove \(name) from the repository: \(causeText(error))")
        } else {
            printer.detailed("removed \(name)")
        }
    }
}
