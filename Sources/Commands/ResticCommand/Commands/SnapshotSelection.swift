import Bytes
import Console
import HostSystem
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// The filter of `--host`, `--tag` and `--path`; `RESTIC_HOST` stands in where no host was given.
    ///
    /// With `isPathLiteral` a path has to be written as the snapshot has it, as restic wants it of commands that remove.
    func snapshotFilter(hostFlag: String = "host", isPathLiteral: Bool = false) throws -> SnapshotFilter {
        var hosts = values.texts(hostFlag)
        if !values.isSet(hostFlag), let host = context.environment.value("RESTIC_HOST") { hosts = [host] }
        if hosts == [""] { hosts = [] }
        var filter = SnapshotFilter(
            hosts: hosts,
            paths: values.texts("path"),
            tags: values.texts("tag").map { $0.split(0x2c).map(\.trimmed) }
        )
        guard !filter.paths.isEmpty, !isPathLiteral else { return filter }
        filter.makePathsAbsolute(workingDirectory: try currentDirectory())
        return filter
    }

    /// The snapshots that the command line names, or all that pass the filter; what is not found or not readable is named and left out.
    func namedSnapshots(
        _ filter: SnapshotFilter,
        _ repository: Repository,
        names: [ByteString]? = nil
    ) async throws -> [Snapshot] {
        try await repository.selectSnapshots(names ?? words, filter: filter) { name, error in
            let isUnmatched =
                SnapshotName(ByteString(name)).isLatest && (error as? RepositoryFailure)?.code == .notFound
            let unmatched = CommandFailure("no snapshot matched given filter (\(filter.summary))")
            try reportIgnored(name, isUnmatched ? unmatched : error)
        }
    }

    /// Says which snapshot is left out, and why; the others are shown.
    func reportIgnored(_ name: String, _ error: any Error) throws {
        if error is CancellationError { throw error }
        printer.error("Ignoring \(quoted(ByteString(name))): \(causeText(error))")
    }
}

/// `snapshot 31f3c6d3 of [/src] at 2026-11-21 04:54:20.5 +0000 UTC by root@vm`.
func describe(_ snapshot: Snapshot, _ printer: Printer) -> Text {
    let document = snapshot.document
    let paths = document.paths.map { printer.name($0) }.goList
    return
        "snapshot \(snapshot.id.short) of \(paths) at \(goText(document.time)) by \(printer.name(document.username))@\(printer.name(document.hostname))"
}
