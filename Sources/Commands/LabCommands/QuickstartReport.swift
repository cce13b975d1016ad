import Bytes
import Console
import Outcome

/// What one run of a lab found out, in facts; the status screen and the JSON lines are made of it.
struct QuickstartReport: Sendable {
    struct Copy: Sendable {
        var medium: String
        var kind: String
        var repository: String
        /// Path of the repository.
        var path: String
        var passwordFile: String?
        var snapshots: Int
        var snapshotID: String
        /// Moment of the newest snapshot.
        var newest: Timestamp
        /// Bytes of all objects in the store.
        var storedBytes: UInt64
        /// Bytes that this run added.
        var addedBytes: UInt64
        /// Seconds that the backup took.
        var backupSeconds: Double
        /// Seconds that reading all data took.
        var verifySeconds: Double
        /// Sources that could not be read, or not completely: path and reason.
        var unreadable: [String]
        /// Number of the device that the folder is on; the same number is the same disk, or partition.
        var device: UInt64
    }

    var labPath: String
    var paths: [String]
    var copies: [Copy] = []
    var restoredFrom: String = ""
    var restoredFromKind: String = ""
    var restoredPath: String = ""
    var restoreSeconds: Double = 0
    var restoredFiles: UInt64 = 0
    var restoredBytes: UInt64 = 0
    var comparison = TreeComparison()

    /// Copies on media that count as off-site; a stand-in never does.
    var offsiteCopies: Int { copies.count { $0.kind == "offsite" } }

    /// Different devices below the copies: an upper bound for the number of disks.
    var devices: Int { Set(copies.map(\.device)).count }
}

extension QuickstartReport {
    /// 0 when everything was saved, clean and equal.
    var exitStatus: ExitStatus {
        if !comparison.differing.isEmpty { return .drillFailed }
        return copies.contains { !$0.unreadable.isEmpty } ? .incomplete : .success
    }

    /// One object for each copy, then one summary.
    func jsonLines(now: Timestamp) -> [Text] {
        var lines = copies.map { copy in
            var line = JSONLine(messageType: "copy")
            line.add("medium", copy.medium)
            line.add("kind", copy.kind)
            line.add("repository", copy.repository)
            line.add("path", copy.path)
            line.add("snapshots", copy.snapshots)
            line.add("snapshot_id", copy.snapshotID)
            line.add("age_seconds", max(0, now.seconds(since: copy.newest)))
            line.add("stored_bytes", copy.storedBytes)
            line.add("added_bytes", copy.addedBytes)
            line.add("backup_seconds", copy.backupSeconds)
            line.add("verify_seconds", copy.verifySeconds)
            line.add("unreadable", copy.unreadable.map { ByteString($0) })
            return line.text
        }
        var line = JSONLine(messageType: "summary")
        line.add("lab", labPath)
        line.add("paths", paths.map { ByteString($0) })
        line.add("copies", copies.count)
        line.add("offsite_copies", offsiteCopies)
        line.add("restored_from", restoredFrom)
        line.add("restored_from_kind", restoredFromKind)
        line.add("restored_files", restoredFiles)
        line.add("restored_bytes", restoredBytes)
        line.add("restore_seconds", restoreSeconds)
        line.add("files_compared", comparison.files)
        line.add("files_equal", comparison.equal)
        line.add("changed_since", comparison.changedSince)
        line.add("differing", comparison.differing.map(\.path))
        line.add("exit_status", exitStatus.rawValue)
        lines.append(line.text)
        return lines
    }
}
