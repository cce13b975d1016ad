package import Bytes

/// The tags by which snapshots of ours say what they are; stock restic shows and filters them.
package enum SnapshotTag {
    /// Sources could not be read: it holds what could.
    package static let incomplete: ByteString = "incomplete"
    /// What this program knows of the lab, left in each repository.
    package static let record: ByteString = "holdfast-record"

    private static let prefix = Array("workload:".utf8)

    /// The tag of a workload's snapshots.
    package static func workload(_ name: String) -> ByteString { ByteString(prefix + Array(name.utf8)) }

    /// The workload that a tag names; nil for other tags.
    package static func workload(in tag: ByteString) -> String? {
        tag.bytes.starts(with: prefix) ? String(decoding: tag.bytes.dropFirst(prefix.count), as: UTF8.self) : nil
    }
}

extension Lab {
    /// The workload that a snapshot belongs to: the one that its tag names, or, where it has none, the one with the same paths.
    ///
    /// `isOurs` tells which: a snapshot of other hands counts as a copy, and no rule of ours removes it.
    package func owner(tags: [ByteString], paths: [ByteString], isThisHost: Bool) -> (name: String, isOurs: Bool)? {
        for tag in tags {
            if let name = SnapshotTag.workload(in: tag) { return (name, true) }
        }
        guard isThisHost, !tags.contains(SnapshotTag.record), !paths.isEmpty else { return nil }
        let wanted = Set(paths)
        let owner = workloads.first { Set($0.host.paths.map { ByteString($0) }) == wanted }
        return owner.map { ($0.name, false) }
    }
}
