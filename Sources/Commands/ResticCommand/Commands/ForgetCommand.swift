import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository
import Strategy

extension Session {
    /// `forget [SNAPSHOT…]`: removes the snapshots named, or those that no rule keeps.
    func runForget() async throws -> ExitStatus {
        let policy = try keepPolicy()
        let pruning = try pruneRequest()
        let isDryRun = values.isOn("dry-run")
        guard isDryRun || !options.noLock else {
            throw CommandFailure.fatal(
                "--no-lock is only applicable in combination with --dry-run for forget command"
            )
        }
        let filter = try forgetFilter()
        let isUnlocked = isDryRun && options.noLock
        return try await withRepository(isUnlocked ? .none : .exclusive, isDryRun: isUnlocked) { repository in
            let found = try await namedSnapshots(filter, repository)
            warnIfNothingMatches(filter, found)
            try await heedSurprises(repository, beforePruning: values.isOn("prune") && !isDryRun)
            var groups: [ForgetGroup] = []
            if words.isEmpty { groups = try divide(found, policy, filter, repository) }
            let removed = words.isEmpty ? groups.flatMap(\.verdict.removed) : found
            let ids = Set(removed.map(\.id)).sorted()
            let failed = try await forget(ids, isDryRun: isDryRun, repository)
            if options.isJSON, !groups.isEmpty { printer.result(Text(bytes: array(groups.map(\.json)))) }
            guard failed == 0 else {
                throw CommandFailure(
                    "failed to remove one or more snapshots\n  state: \(failed) of \(ids.count) are still there; the others are gone\n  next:  see above what kept them, then run the same command again",
                    status: .incomplete
                )
            }
            guard values.isOn("prune"), !ids.isEmpty else { return .success }
            try await pruneAfterForget(pruning, repository, removed: ids, isDryRun: isDryRun)
            return .success
        }
    }

    // MARK: what is asked for

    /// What `--keep-…` say.
    func keepPolicy() throws(CommandFailure) -> KeepPolicy {
        var policy = KeepPolicy()
        for period in KeepPolicy.Period.allCases {
            if let value = values.text("keep-\(period.rawValue)") { policy.counts[period] = try parseKeepCount(value) }
        }
        if let value = values.text("keep-within") { policy.within = try keepDuration(value) }
        for period in KeepPolicy.Period.allCases where period != .last {
            guard let value = values.text("keep-within-\(period.rawValue)") else { continue }
            let duration = try keepDuration(value)
            policy.withinPeriods[period] = duration == .zero ? nil : duration
        }
        policy.tags = values.texts("keep-tag").map { $0.split(0x2c).map(\.trimmed) }
        return policy
    }

    private func keepDuration(_ value: ByteString) throws(CommandFailure) -> KeepDuration {
        let duration = try parseKeepDuration(value)
        guard !duration.isNegative else {
            throw CommandFailure.fatal("durations containing negative values are not allowed for --keep-within*")
        }
        return duration
    }

    private func forgetFilter() throws -> SnapshotFilter {
        let isOldName = values.isSet("hostname")
        guard !isOldName || !values.isSet("host") else {
            throw CommandFailure.fatal(
                "--host and --hostname name the same filter\n  state: nothing was removed\n  next:  give every host with --host"
            )
        }
        return try snapshotFilter(
            hostFlag: isOldName ? "hostname" : "host",
            isPathLiteral: !words.contains(ByteString(SnapshotName.latest))
        )
    }

    /// restic is silent about a filter that matches nothing; a typing error would stay one for ever (P-01).
    private func warnIfNothingMatches(_ filter: SnapshotFilter, _ found: [Snapshot]) {
        guard words.isEmpty, found.isEmpty, !filter.isEmpty else { return }
        printer.error("warning: no snapshot matches the filter \(filter.summary); nothing is removed")
    }

    // MARK: what goes and what stays

    /// Divides the snapshots group by group, and shows each; removes nothing.
    private func divide(
        _ snapshots: [Snapshot],
        _ policy: KeepPolicy,
        _ filter: SnapshotFilter,
        _ repository: Repository
    ) throws -> [ForgetGroup] {
        if policy.isEmpty { try allowRemovingAll(filter) }
        printer.normal("Applying Policy: \(policy.text)")
        let grouping = values.text("group-by").flatMap { SnapshotGrouping($0.display) } ?? .standard
        let environment = repository.environment
        let now = environment.time.now()
        return try snapshots.grouped(by: grouping).map { group in
            try Task.checkCancellation()
            if let header = groupHeader(group.key, printer) { printer.verbose(header) }
            warnOfFuture(group.snapshots, now)
            let verdict = policy.divide(group.snapshots, now: now) { environment.time.localOffsetSeconds(at: $0) }
            guard policy.isEmpty || !verdict.kept.isEmpty else {
                throw CommandFailure("refusing to delete last snapshot of snapshot group \"\(group.key.text)\"")
            }
            show(verdict)
            return ForgetGroup(key: group.key, verdict: verdict)
        }
    }

    /// restic is silent about snapshots that a wrong clock dated ahead; counts take them for the newest (F-02).
    private func warnOfFuture(_ snapshots: [Snapshot], _ now: Timestamp) {
        let limit = Timestamp(seconds: now.seconds + Self.clockErrorSeconds, nanoseconds: now.nanoseconds)
        for snapshot in snapshots where limit < snapshot.document.time.moment {
            let time = String(decoding: RFC3339.format(snapshot.document.time), as: UTF8.self)
            printer.error(
                "warning: snapshot \(snapshot.id.short) is dated ahead, \(time): rules that count take it for the newest, and keep an older one less; check this clock, and that of host \(printer.name(snapshot.document.hostname))"
            )
        }
    }

    /// Two hosts' clocks may be that far apart.
    private static let clockErrorSeconds: Int64 = 3600

    /// Without any rule everything goes; that takes a filter, and a word for it (P-01).
    private func allowRemovingAll(_ filter: SnapshotFilter) throws(CommandFailure) {
        guard values.isOn("unsafe-allow-remove-all") else {
            throw .fatal("no policy was specified, no snapshots will be removed")
        }
        guard !filter.isEmpty else {
            throw .fatal("--unsafe-allow-remove-all is not allowed unless a snapshot filter option is specified")
        }
    }

    private func show(_ verdict: KeepVerdict<Snapshot>) {
        guard !options.isJSON, printer.verbosity >= .normal else { return }
        let isCompact = values.isOn("compact")
        let reasons = Dictionary(verdict.kept.map { ($0.snapshot.id, $0.reasons) }) { first, _ in first }
        let parts: [(Text, [Snapshot], [SnapshotID: [String]])] = [
            ("keep", verdict.kept.map(\.snapshot), reasons), ("remove", verdict.removed, [:]),
        ]
        for (word, snapshots, reasons) in parts where !snapshots.isEmpty {
            printer.result("\(word) \(snapshots.count) snapshots:")
            let table = snapshotTable(snapshots.sortedByTime(), reasons: reasons, isCompact: isCompact, self)
            for line in table { printer.result(line) }
            printer.result("")
        }
    }

    // MARK: removing

    /// Removes the snapshots, or says which would be; answers how many could not be removed.
    private func forget(_ ids: [SnapshotID], isDryRun: Bool, _ repository: Repository) async throws -> Int {
        try Task.checkCancellation()
        guard !ids.isEmpty else { return 0 }
        guard !isDryRun else {
            let names = ids.map(\.short).joined(separator: " ")
            printer.normal("Would have removed the following snapshots:\n{\(names)}\n\n")
            return 0
        }
        let counter = ProgressCounter("files deleted", session: self)
        var (done, failed) = (0, 0)
        counter.set(0, of: UInt64(ids.count))
        defer { counter.finish() }
        try await repository.removeSnapshots(ids) { id, error in
            if let error {
                failed += 1
                printer.error("unable to remove snapshot/\(id.hex) from the repository: \(causeText(error))")
            } else {
                done += 1
                printer.detailed("removed snapshot/\(id.hex)")
            }
            counter.set(UInt64(done), of: UInt64(ids.count))
        }
        return failed
    }

    // MARK: pruning afterwards

    /// `--prune`: what follows when snapshots were removed, or would be in a dry run.
    private func pruneAfterForget(
        _ request: PruneRequest,
        _ repository: Repository,
        removed: [SnapshotID],
        isDryRun: Bool
    ) async throws {
        printer.normal(
            isDryRun
                ? "\(removed.count) snapshots would be removed, running prune dry run"
                : "\(removed.count) snapshots have been removed, running prune"
        )
        var request = request
        request.isDryRun = isDryRun
        request.ignoredSnapshots = Set(removed)
        try await prune(request, repository)
    }
}

/// What `forget --json` says of one group.
private struct ForgetGroup {
    var key: SnapshotGroupKey
    var verdict: KeepVerdict<Snapshot>

    var json: [UInt8] {
        var line = JSONLine()
        line.add("tags", key.tags)
        line.add("host", key.hostname)
        line.add("paths", key.paths)
        line.add("keep", json: Self.list(verdict.kept.map { snapshotJSON($0.snapshot).object }))
        line.add("remove", json: Self.list(verdict.removed.map { snapshotJSON($0).object }))
        line.add("reasons", json: Self.list(verdict.kept.map(Self.reason)))
        return line.object
    }

    private static func reason(_ kept: KeepVerdict<Snapshot>.Kept) -> [UInt8] {
        var line = JSONLine()
        line.add("snapshot", json: snapshotJSON(kept.snapshot).object)
        line.add("matches", kept.reasons.map { ByteString($0) })
        return line.object
    }

    /// An array, or `null` when there is nothing in it.
    private static func list(_ elements: [[UInt8]]) -> [UInt8] {
        elements.isEmpty ? Array("null".utf8) : array(elements)
    }
}
