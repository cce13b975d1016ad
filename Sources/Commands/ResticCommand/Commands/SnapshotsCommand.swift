import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `snapshots`: a table for people, one array for programs.
    func runSnapshots() async throws -> ExitStatus {
        let filter = try snapshotFilter()
        var latest = Int(clamping: values.integer("latest") ?? 0)
        if values.isOn("last"), latest == 0 { latest = 1 }
        let grouping = values.text("group-by").flatMap { SnapshotGrouping($0.display) } ?? SnapshotGrouping()
        let found = try await withRepository(readLock, readsSnapshots: true) { try await namedSnapshots(filter, $0) }
        let groups = found.grouped(by: grouping).map { group in
            var group = group
            if latest > 0 { group.snapshots = newest(latest, of: group.snapshots, isGrouped: grouping.isGrouping) }
            group.snapshots = group.snapshots.sortedByTime()
            return group
        }
        if options.isJSON {
            printer.result(Text(bytes: snapshotsJSON(groups, isGrouped: grouping.isGrouping)))
            return .success
        }
        for group in groups {
            if grouping.isGrouping, let header = groupHeader(group.key, printer) { printer.listed(header) }
            for line in snapshotTable(group.snapshots, isCompact: values.isOn("compact"), self) { printer.listed(line) }
        }
        return .success
    }

    /// The newest `count` of each host and set of paths, or of the group as a whole.
    private func newest(_ count: Int, of snapshots: [Snapshot], isGrouped: Bool) -> [Snapshot] {
        var seen: [SnapshotGroupKey: Int] = [:]
        return snapshots.sortedByTime().reversed().filter { snapshot in
            let key = SnapshotGroupKey(of: snapshot.document, by: isGrouped ? SnapshotGrouping() : .standard)
            seen[key, default: 0] += 1
            return seen[key, default: 0] <= count
        }
    }
}

/// `snapshots for (host [vm], paths [/src]):`, nil when the key is empty.
func groupHeader(_ key: SnapshotGroupKey, _ printer: Printer) -> Text? {
    func list(_ items: [ByteString]) -> Text {
        "[\(items.map { Text(bytes: printer.name($0).bytes) }.joined(", "))]"
    }
    var parts: [Text] = []
    if !key.hostname.isEmpty { parts.append("host [\(printer.name(key.hostname))]") }
    if let tags = key.tags { parts.append("tags \(list(tags))") }
    if let paths = key.paths { parts.append("paths \(list(paths))") }
    return parts.isEmpty ? nil : "snapshots for (\(parts.joined(", "))):"
}

/// The table, in the order given; with `reasons`, a column of why each is kept, but in the compact form.
func snapshotTable(
    _ snapshots: [Snapshot],
    reasons: [SnapshotID: [String]] = [:],
    isCompact: Bool,
    _ session: Session
) -> [Text] {
    let hasSize = snapshots.contains { $0.document.summary != nil }
    let hasReasons = !reasons.isEmpty && !isCompact
    var columns: [Text] = ["ID", "Time"] + (isCompact ? ["Host", "Tags  "] : ["Host      ", "Tags      "])
    if hasReasons { columns.append("Reasons") }
    if !isCompact { columns.append("Paths") }
    if hasSize { columns.append("Size") }
    var table = Table(columns)
    table.isSpaced = !isCompact && snapshots.contains { $0.document.paths.count > 1 }
    func shown(_ name: ByteString) -> Text { Text(bytes: session.printer.name(name).bytes) }
    for snapshot in snapshots {
        let document = snapshot.document
        let tags = document.tags.map(shown)
        var cells: [[Text]] = [
            [Text(snapshot.id.short)], [Text(localText(document.time.moment))], [shown(document.hostname)],
        ]
        cells.append(isCompact ? tags : [tags.joined(",")])
        if hasReasons { cells.append((reasons[snapshot.id] ?? []).map { Text($0) }) }
        if !isCompact { cells.append(document.paths.map(shown)) }
        if hasSize { cells.append([document.summary.map { Text(formatBytes($0.totalBytesProcessed)) } ?? ""]) }
        table.add(cells)
    }
    table.addFooter("Timestamps shown in \(zoneTitle(session.context.environment))")
    table.addFooter("\(snapshots.count) snapshots")
    return table.lines()
}

/// One array of snapshots, or of groups of them.
private func snapshotsJSON(_ groups: [SnapshotGroup], isGrouped: Bool) -> [UInt8] {
    guard isGrouped else { return array(groups.flatMap(\.snapshots).map { snapshotJSON($0).object }) }
    return array(
        groups.map { group in
            var key = JSONLine()
            key.add("hostname", group.key.hostname)
            key.add("paths", group.key.paths)
            key.add("tags", group.key.tags)
            var line = JSONLine()
            line.add("group_key", json: key.object)
            line.add("snapshots", json: array(group.snapshots.map { snapshotJSON($0).object }))
            return line.object
        }
    )
}

/// A JSON array of elements that are JSON already.
func array(_ elements: [[UInt8]]) -> [UInt8] {
    [0x5b] + elements.joined(separator: [0x2c]) + [0x5d]
}

/// The snapshot's own fields, then its name in full and short.
func snapshotJSON(_ snapshot: Snapshot) -> JSONLine {
    var line = JSONLine()
    line.addFields(of: snapshot.document.encode())
    line.add("id", snapshot.id.hex)
    line.add("short_id", snapshot.id.short)
    return line
}
