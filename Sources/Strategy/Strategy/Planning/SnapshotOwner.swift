package import Bytes

/// The tags by which snapshots of ours say what they are; stock restic shows and filters them.
package enum SnapshotTag {
    /// Sources could not be read: it holds what could.
    package static let incomplete: ByteString = "incomplete"
    /// What this program knows of the lab, left in each repository.
    package static let record: ByteString = "holdfast-record"

    private static let safetyPrefix = Array("safety:".utf8)
    private static let workloadPrefix = Array("workload:".utf8)
    private static let labPrefix = Array("lab:".utf8)

    /// The tag of a workload's snapshots.
    package static func workload(_ name: String) -> ByteString { ByteString(workloadPrefix + Array(name.utf8)) }

    /// The tag of what was in a workload's place before something was restored over it.
    package static func safety(_ name: String) -> ByteString { ByteString(safetyPrefix + Array(name.utf8)) }

    /// The workload in whose place something was restored, by the tag of a safety copy; nil for other tags.
    package static func safety(in tag: ByteString) -> String? {
        guard tag.bytes.starts(with: safetyPrefix) else { return nil }
        return String(decoding: tag.bytes.dropFirst(safetyPrefix.count), as: UTF8.self)
    }

    /// The tag of everything that a lab stores.
    package static func lab(_ name: String) -> ByteString { ByteString(labPrefix + Array(name.utf8)) }

    /// The workload that a tag names; nil for other tags.
    package static func workload(in tag: ByteString) -> String? {
        guard tag.bytes.starts(with: workloadPrefix) else { return nil }
        return String(decoding: tag.bytes.dropFirst(workloadPrefix.count), as: UTF8.self)
    }
}

/// Whose a snapshot is, as a lab on one host sees it.
///
/// 1. Ours is what carries the tags of a workload and of this lab, and was made on this host. Another host, or another lab, may use the
///    same repository and the same names: what it made is neither counted nor removed here (P-04).
/// 2. What was saved before a restore is a copy of nothing that is due, and nobody's.
/// 3. A snapshot of this host without such tags, and with the very paths of a workload, counts as a copy, and no rule removes it.
package struct SnapshotOwner: Sendable, Hashable {
    package var workload: String
    /// We made it: retention may remove it.
    package var isOurs: Bool
    /// All paths that the workload has now are in it.
    package var coversPaths: Bool

    /// Nil: it is none of this lab's workloads.
    package init?(tags: [ByteString], paths: [ByteString], isThisHost: Bool, in lab: Lab) {
        let isSafety = tags.contains { SnapshotTag.safety(in: $0) != nil }
        guard isThisHost, !isSafety, !tags.contains(SnapshotTag.record) else { return nil }
        let held = Set(paths)
        let names = tags.compactMap(SnapshotTag.workload)
        if let name = names.first {
            guard names.count == 1, tags.contains(SnapshotTag.lab(lab.name)) else { return nil }
            workload = name
            isOurs = true
            let declared = lab.workloads.first { $0.name == name }?.host.paths ?? []
            coversPaths = declared.allSatisfy { held.contains(ByteString($0)) }
            return
        }
        let twin = lab.workloads.first { Set($0.host.paths.map { ByteString($0) }) == held }
        guard let twin, !held.isEmpty else { return nil }
        workload = twin.name
        isOurs = false
        coversPaths = true
    }
}
