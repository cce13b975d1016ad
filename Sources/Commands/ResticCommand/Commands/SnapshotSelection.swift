import Bytes
import Console
import HostSystem
import ResticFormat
import ResticRepository

extension Session {
    /// The filter of `--host`, `--tag` and `--path`; `RESTIC_HOST` stands in where no host was given.
    func snapshotFilter() throws -> SnapshotFilter {
        var hosts = values.texts("host")
        if !values.isSet("host"), let host = context.environment.value("RESTIC_HOST") { hosts = [host] }
        if hosts == [""] { hosts = [] }
        var filter = SnapshotFilter(
            hosts: hosts,
            paths: values.texts("path"),
            tags: values.texts("tag").map { $0.split(0x2c).map(\.trimmed) }
        )
        if !filter.paths.isEmpty { filter.makePathsAbsolute(workingDirectory: try currentDirectory()) }
        return filter
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
