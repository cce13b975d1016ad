package import Bytes
package import ResticFormat

/// What snapshots are grouped by.
package struct SnapshotGrouping: Sendable, Hashable {
    package var byHost: Bool
    package var byPaths: Bool
    package var byTags: Bool

    package init(byHost: Bool = false, byPaths: Bool = false, byTags: Bool = false) {
        self.byHost = byHost
        self.byPaths = byPaths
        self.byTags = byTags
    }

    /// Host and paths: what restic groups by unless told otherwise.
    package static let standard = SnapshotGrouping(byHost: true, byPaths: true)

    /// Reads `host,paths,tags`, singular or plural, in any order; the empty text groups nothing.
    ///
    /// Nil when a word is unknown.
    package init?(_ text: String) {
        self.init()
        for word in text.split(separator: ",") {
            switch word {
            case "host", "hosts": byHost = true
            case "path", "paths": byPaths = true
            case "tag", "tags": byTags = true
            default: return nil
            }
        }
    }

    package var isGrouping: Bool { byHost || byPaths || byTags }

    /// `host,paths`.
    package var text: String {
        [byHost ? "host" : nil, byPaths ? "paths" : nil, byTags ? "tags" : nil].compactMap(\.self).joined(
            separator: ","
        )
    }
}

/// What the snapshots of one group have in common; parts that are not grouped by are empty or nil, as in restic's JSON.
package struct SnapshotGroupKey: Sendable, Hashable, Comparable {
    package var hostname: ByteString
    /// Sorted; nil when not grouped by paths.
    package var paths: [ByteString]?
    /// Sorted; nil when not grouped by tags or the snapshots have none.
    package var tags: [ByteString]?

    package static func < (left: Self, right: Self) -> Bool {
        if left.hostname != right.hostname { return left.hostname < right.hostname }
        if left.paths != right.paths { return (left.paths ?? []).lexicographicallyPrecedes(right.paths ?? []) }
        return (left.tags ?? []).lexicographicallyPrecedes(right.tags ?? [])
    }

    /// `host web, path [/etc /srv], tags [a b]`: the parts that are there.
    package var text: String {
        func list(_ items: [ByteString]) -> String { "[" + items.map(\.display).joined(separator: " ") + "]" }
        var parts: [String] = []
        if !hostname.bytes.isEmpty { parts.append("host \(hostname.display)") }
        if let paths, !paths.isEmpty { parts.append("path \(list(paths))") }
        if let tags, !tags.isEmpty { parts.append("tags \(list(tags))") }
        return parts.joined(separator: ", ")
    }

    /// The key of one snapshot.
    package init(of document: SnapshotDocument, by grouping: SnapshotGrouping) {
        hostname = grouping.byHost ? document.hostname : ""
        paths = grouping.byPaths ? document.paths.sorted() : nil
        tags = grouping.byTags && !document.tags.isEmpty ? document.tags.sorted() : nil
    }
}

/// Snapshots that belong together.
package struct SnapshotGroup: Sendable {
    package var key: SnapshotGroupKey
    package var snapshots: [Snapshot]
}

extension [Snapshot] {
    /// Groups in the order of their keys; inside a group the order stays.
    ///
    /// As in restic, the paths of each snapshot (and its tags, when grouped by them) come out sorted.
    package func grouped(by grouping: SnapshotGrouping) -> [SnapshotGroup] {
        var groups: [SnapshotGroupKey: [Snapshot]] = [:]
        for var snapshot in self {
            let key = SnapshotGroupKey(of: snapshot.document, by: grouping)
            snapshot.document.paths.sort()
            if grouping.byTags { snapshot.document.tags.sort() }
            groups[key, default: []].append(snapshot)
        }
        return groups.keys.sorted().map { SnapshotGroup(key: $0, snapshots: groups[$0] ?? []) }
    }
}
