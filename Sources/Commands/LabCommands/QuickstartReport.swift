package import Bytes
package import Console
package import Outcome

/// What one run of a lab found out, in facts; the status screen and the JSON lines are made of it.
package struct QuickstartReport: Sendable {
    /// One repository on one medium.
    package struct Copy: Sendable {
        package var medium: String
        package var kind: String
        package var repository: String
        /// Path of the repository.
        package var path: String
        package var passwordFile: String?
        package var snapshots: Int
        package var snapshotID: String
        /// Moment of the newest snapshot.
        package var newest: Timestamp
        /// Bytes of all objects in the store.
        package var storedBytes: UInt64
        /// Bytes that this run added.
        package var addedBytes: UInt64
        /// Seconds that the backup took.
        package var backupSeconds: Double
        /// Seconds that reading all data took.
        package var verifySeconds: Double
        /// Sources that could not be read, or not completely: path and reason.
        package var unreadable: [String]
        /// Number of the device that the folder is on; the same number is the same disk, or partition.
        package var device: UInt64

        package init(
            medium: String,
            kind: String,
            repository: String,
            path: String,
            passwordFile: String?,
            snapshots: Int,
            snapshotID: String,
            newest: Timestamp,
            storedBytes: UInt64,
            addedBytes: UInt64,
            backupSeconds: Double,
            verifySeconds: Double,
            unreadable: [String],
            device: UInt64
        ) {
            self.medium = medium
            self.kind = kind
            self.repository = repository
            self.path = path
            self.passwordFile = passwordFile
            self.snapshots = snapshots
            self.snapshotID = snapshotID
            self.newest = newest
            self.storedBytes = storedBytes
            self.addedBytes = addedBytes
            self.backupSeconds = backupSeconds
            self.verifySeconds = verifySeconds
            self.unreadable = unreadable
            self.device = device
        }
    }

    package var labPath: String
    package var paths: [String]
    package var copies: [Copy] = []
    package var restoredFrom: String = ""
    package var restoredFromKind: String = ""
    package var restoredPath: String = ""
    package var restoreSeconds: Double = 0
    package var restoredFiles: UInt64 = 0
    package var restoredBytes: UInt64 = 0
    package var comparison = TreeComparison()

    package init(labPath: String, paths: [String]) {
        self.labPath = labPath
        self.paths = paths
    }

    /// Copies on media that count as off-site; a stand-in never does.
    package var offsiteCopies: Int { copies.count { $0.kind == "offsite" } }

    /// Different devices below the copies: an upper bound for the number of disks.
    package var devices: Int { Set(copies.map(\.device)).count }
}

extension QuickstartReport {
    /// 0 when everything was saved, clean and equal.
    package var exitStatus: ExitStatus {
        if !comparison.differing.isEmpty { return .drillFailed }
        return copies.contains { !$0.unreadable.isEmpty } ? .incomplete : .success
    }

    /// One object for each copy, then one summary.
    package func jsonLines(now: Timestamp) -> [Text] {
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
