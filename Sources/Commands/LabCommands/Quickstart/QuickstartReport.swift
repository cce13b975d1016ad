package import Bytes
package import Console
package import Outcome
package import Protection
package import Strategy

/// What one run of a lab found out, in facts; the screen and the JSON lines are made of it.
package struct QuickstartReport: Sendable {
    package var labPath: String
    package var paths: [String]
    package var run: RunReport
    /// Nil when the look at the stores did not take place.
    package var status: LabStatus?
    /// What was found on this machine, and what the declaration says of it; nil when nobody looked.
    package var coverage: Coverage?
    /// Where the password of each repository lies.
    package var secretFiles: [(repository: String, file: String)] = []
    /// Name of the repository that was restored from; empty when none could be.
    package var restoredFrom: String = ""
    package var restoredFromKind: String = ""
    /// Path of that repository.
    package var restoredPath: String = ""
    package var restoreSeconds: Double = 0
    package var restoredFiles: UInt64 = 0
    package var restoredBytes: UInt64 = 0
    package var comparison = TreeComparison()
    /// The server that played the cloud; nil when a folder did, or somebody else ran it.
    package var standIn: StandIn?
    /// The recovery kit, and what it opened with nothing else.
    package var kitPath: String = ""
    package var kitSerial: String = ""
    package var kitRepositories = 0
    package var kitOpened = 0
    /// Why it did not open the others.
    package var kitTroubles: [String] = []
    /// The file that it brought back, from where, and whether it is the one that is here.
    package var kitFile: ByteString = ""
    package var kitFileFrom: String = ""
    package var kitFileIsEqual = false

    /// A server that ran while quickstart did.
    package struct StandIn: Sendable, Hashable {
        package var program: String
        package var port: Int

        package init(program: String, port: Int) {
            self.program = program
            self.port = port
        }
    }

    package init(labPath: String, paths: [String], run: RunReport) {
        self.labPath = labPath
        self.paths = paths
        self.run = run
    }
}

extension QuickstartReport {
    /// 0 when everything was saved, clean and equal.
    package var exitStatus: ExitStatus {
        guard comparison.differing.isEmpty else { return .drillFailed }
        guard run.exitStatus == .success else { return run.exitStatus }
        return kitOpened == kitRepositories ? .success : .kitFailed
    }

    /// One object for what was restored and compared; those of the run and of the stores come before.
    package var jsonLine: Text {
        var line = JSONLine(messageType: "quickstart")
        line.add("lab", labPath)
        line.add("paths", paths.map { ByteString($0) })
        line.add("restored_from", restoredFrom)
        line.add("restored_from_kind", restoredFromKind)
        line.add("restored_files", restoredFiles)
        line.add("restored_bytes", restoredBytes)
        line.add("restore_seconds", restoreSeconds)
        line.add("files_compared", comparison.files)
        line.add("files_equal", comparison.equal)
        line.add("changed_since", comparison.changedSince)
        line.add("differing", comparison.differing.map(\.path))
        line.add("stand_in", standIn?.program ?? "")
        line.add("kit", kitPath)
        line.add("kit_serial", kitSerial)
        line.add("kit_repositories", kitRepositories)
        line.add("kit_opened", kitOpened)
        line.add("kit_file", kitFile)
        line.add("kit_file_from", kitFileFrom)
        line.add("kit_file_equal", kitFileIsEqual)
        if let coverage { line.add("undecided", coverage.undecided.count) }
        line.add("exit_status", exitStatus.rawValue)
        return line.text
    }
}
