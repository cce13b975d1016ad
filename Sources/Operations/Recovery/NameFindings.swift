package import Bytes
import Outcome
import ResticFormat
import ResticRepository

/// A name looked for in all that a lab keeps.
package struct NameQuery: Sendable {
    /// In restic's pattern language: a name at any depth, or a path.
    package var patterns: [ByteString]
    package var ignoresCase = false
    /// Only in these workloads; empty: in all.
    package var workloads: [String] = []

    package init(_ patterns: [ByteString]) { self.patterns = patterns }
}

/// A snapshot that holds something.
package struct HoldingSnapshot: Sendable, Hashable {
    package var id: SnapshotID
    package var time: ZonedTime
    package var kind: CopyKind
}

/// One version of a file, and where it can be had.
package struct FoundVersion: Sendable, Hashable {
    package var workload: String
    package var path: ByteString
    package var type: String
    package var size: UInt64
    package var modified: ZonedTime
    /// The newest and the oldest snapshot that hold this version.
    package var newest: HoldingSnapshot
    package var oldest: HoldingSnapshot
    /// Repositories that hold it, the nearest first.
    package var stores: [String]
}

/// What a search found.
package struct NameFindings: Sendable {
    /// By workload and path, each path's newest version first.
    package var versions: [FoundVersion] = []
    /// Snapshots that were searched, copies of each other counted once.
    package var snapshots = 0
    /// Repositories, snapshots and folders that could not be looked at, and why.
    package var problems: [String] = []
    /// What was left out on purpose.
    package var notes: [String] = []
}

/// What was found so far.
struct GatheredNames {
    /// What makes a version.
    struct Key: Hashable {
        var workload: String
        var path: ByteString
        var content: Content
    }

    struct Content: Hashable {
        var type: NodeType
        var size: UInt64
        var modified: Timestamp
        var blobs: [BlobID]
        var linkTarget: ByteString
    }

    /// A snapshot of a workload.
    struct Place: Hashable {
        var workload: String
        var identity: CopyIdentity
    }

    var findings = NameFindings()
    private var versions: [Key: FoundVersion] = [:]
    /// What was found in each snapshot that was searched.
    var searched: [Place: [Key]] = [:]

    static func key(_ node: Node, _ path: ByteString, of workload: String) -> Key {
        let isFile = node.type == .file
        let content = Content(
            type: node.type,
            size: node.size,
            // A folder changes its time with each entry, and stays the same folder.
            modified: node.type == .directory ? Timestamp(seconds: 0) : node.mtime.moment,
            blobs: isFile ? node.content ?? [] : [],
            linkTarget: node.linkTarget
        )
        return Key(workload: workload, path: path, content: content)
    }

    mutating func note(_ node: Node, _ key: Key, _ snapshot: HoldingSnapshot, _ store: String) {
        guard var version = versions[key] else {
            versions[key] = FoundVersion(
                workload: key.workload,
                path: key.path,
                type: node.type.name.display,
                size: node.size,
                modified: node.mtime,
                newest: snapshot,
                oldest: snapshot,
                stores: [store]
            )
            return
        }
        if version.newest.time.moment < snapshot.time.moment {
            version.newest = snapshot
            version.modified = node.mtime
        }
        if snapshot.time.moment < version.oldest.time.moment { version.oldest = snapshot }
        if !version.stores.contains(store) { version.stores.append(store) }
        versions[key] = version
    }

    /// The snapshot's copy in another repository holds the same.
    mutating func add(_ store: String, to key: Key) {
        guard versions[key]?.stores.contains(store) == false else { return }
        versions[key]?.stores.append(store)
    }

    func sorted() -> NameFindings {
        var findings = findings
        findings.versions = versions.values.sorted { left, right in
            if left.workload != right.workload { return left.workload < right.workload }
            if left.path != right.path { return left.path < right.path }
            return right.newest.time.moment < left.newest.time.moment
        }
        return findings
    }
}
