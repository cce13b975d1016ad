import Foundation
import Testing

import Bytes
import Console
import HostSystem
import LabCommands
import Outcome
import Protection
import Sealing
import Strategy

/// A lab in a folder of its own with a small source; light keys.
///
/// Removed afterwards.
private final class SmallLab {
    let root = FileManager.default.temporaryDirectory.path + "/holdfast-lab-\(UUID().uuidString)"
    var source: String { root + "/source" }
    var folder: String { root + "/lab" }
    let output = MemorySink()

    init() throws {
        try FileManager.default.createDirectory(atPath: source + "/folder", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for index in 0..<20 {
            try Data(repeating: UInt8(index), count: index * 1000).write(
                to: URL(fileURLWithPath: source + "/folder/file-\(index)")
            )
        }
        try FileManager.default.createSymbolicLink(atPath: source + "/link", withDestinationPath: "folder")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func declare(_ change: (String) -> String = { $0 }) throws {
        let text = DeclarationTemplate(paths: [source], exclude: ["*.cache"], unreadable: [], userName: "root").text
        try Data(change(text).utf8).write(to: URL(fileURLWithPath: folder + "/holdfast.yaml"))
        for medium in ["os-ssd", "usb-ssd", "cloud"] {
            try FileManager.default.createDirectory(
                atPath: folder + "/media/" + medium,
                withIntermediateDirectories: true
            )
        }
    }

    func run(_ standInPrograms: [ByteString] = []) async throws -> QuickstartReport {
        var environment = try LabEnvironment.current()
        environment.keyCost = ScryptParameters(n: 1024, r: 1, p: 1)
        environment.workingDirectory = root
        let screen = Screen(facts: TerminalFacts(), output: output, error: output)
        var quickstart = Quickstart(
            folder: folder,
            environment: environment,
            printer: Printer(screen: screen, verbosity: .normal, isJSON: false)
        )
        quickstart.standInPrograms = standInPrograms
        return try await quickstart.run()
    }

    /// Something called `minio` that serves a folder as minio does; nil where the server for it is not here.
    func minio() throws -> ByteString? {
        var shared = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 { shared.deleteLastPathComponent() }
        let server = shared.path + "/shared/acceptance/s3server"
        guard FileManager.default.isReadableFile(atPath: server) else { return nil }
        let script = """
            #!/bin/sh
            [ "$1" = --version ] && exit 0
            port=${4#127.0.0.1:}
            S3_ACCESS=$MINIO_ROOT_USER S3_SECRET=$MINIO_ROOT_PASSWORD exec python3 '\(server)' "$port" "$5"
            """
        let path = root + "/minio"
        try Data(script.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return ByteString(path)
    }
}

@Suite struct QuickstartTests {
    @Test
    func `the first run backs up to three media, verifies, restores from the stand-in and finds everything equal`()
        async throws
    {
        let lab = try SmallLab()
        try lab.declare()
        let report = try await lab.run()
        let copies = try #require(report.status?.workloads.first?.copies)
        #expect(copies.map(\.medium.name) == ["os-ssd", "usb-ssd", "cloud"])
        #expect(copies.map(\.count) == [1, 1, 1])
        #expect(copies.allSatisfy { $0.readBack != nil })
        #expect(report.restoredFrom == "offsite")
        #expect(report.restoredFromKind == "stand-in")
        #expect(report.comparison.files == 21)
        #expect(report.comparison.equal == 21)
        #expect(report.exitStatus == .success)
    }

    @Test func `the recovery kit opens all of it with nothing else, and brings one file back`() async throws {
        let lab = try SmallLab()
        try lab.declare()
        var report = try await lab.run()
        #expect(report.kitRepositories == 3 && report.kitOpened == 3 && report.kitTroubles.isEmpty)
        #expect(report.kitFileFrom == "offsite" && report.kitFileIsEqual)
        #expect(report.kitFile.display.hasPrefix(lab.source + "/folder/file-"))
        let name = (report.kitFile.display as NSString).lastPathComponent
        #expect(
            FileManager.default.contents(atPath: lab.folder + "/restored/with-the-kit/" + name)
                == FileManager.default.contents(atPath: report.kitFile.display)
        )
        let mode = try FileManager.default.attributesOfItem(atPath: report.kitPath)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let serial = report.kitSerial
        report = try await lab.run()
        #expect(report.kitSerial == serial && report.exitStatus == .success)
        // The password of one is another now.
        try Data("other\n".utf8).write(to: URL(fileURLWithPath: report.kitPath))
        await #expect(throws: (any Error).self) { try await lab.run() }
    }

    @Test func `a server that speaks S3 plays the cloud where one is installed, and is said to be a stand-in`()
        async throws
    {
        let lab = try SmallLab()
        guard let minio = try lab.minio() else {
            print("SKIP quickstart over S3: ../shared/acceptance/s3server is not here")
            return
        }
        // A checkout, so that the source is what is protected.
        try FileManager.default.createDirectory(atPath: lab.root + "/.git", withIntermediateDirectories: true)
        for day in 1...2 {
            let report = try await lab.run([minio])
            #expect(report.exitStatus == .success, "\(lab.output.text)")
            #expect(report.standIn?.program == "minio")
            #expect(report.restoredFrom == "offsite" && report.restoredFromKind == "stand-in")
            #expect(report.restoredPath.hasPrefix("s3:http://127.0.0.1:"))
            #expect(report.kitOpened == 3 && report.kitFileFrom == "offsite" && report.kitFileIsEqual)
            #expect(report.status?.workloads.first?.copies.map(\.count) == [day, day, day])
            let port = try #require(report.standIn?.port)
            // It ends with the run.
            for _ in 0..<200 where LoopbackPort.isListening(port) { try await Task.sleep(for: .milliseconds(50)) }
            #expect(!LoopbackPort.isListening(port))
        }
        #expect(lab.output.text.contains("Started minio as a stand-in for the cloud, on http://127.0.0.1:"))
    }

    @Test func `a second run adds a snapshot and what changed meanwhile`() async throws {
        let lab = try SmallLab()
        try lab.declare()
        _ = try await lab.run()
        try Data("new".utf8).write(to: URL(fileURLWithPath: lab.source + "/new"))
        let report = try await lab.run()
        #expect(report.status?.workloads.first?.copies.map(\.count) == [2, 2, 2])
        #expect(report.comparison.equal == 22)
        #expect(report.exitStatus == .success)
    }

    @Test func `an edit of the declaration counts from the next run`() async throws {
        let lab = try SmallLab()
        try lab.declare()
        _ = try await lab.run()
        try lab.declare { $0.replacing("*.cache", with: "file-1*") }
        let report = try await lab.run()
        #expect(report.comparison.files == 21 - 11)
    }

    @Test func `B-09 a medium that is gone is refused, nothing is made in its place, and the others have their copies`()
        async throws
    {
        let lab = try SmallLab()
        try lab.declare()
        _ = try await lab.run()
        try FileManager.default.removeItem(atPath: lab.folder + "/media/usb-ssd")
        let report = try await lab.run()
        #expect(report.exitStatus == .refusedByGuard)
        #expect(report.status?.workloads.first?.copies.map(\.count) == [2, 1, 2])
        #expect(!FileManager.default.fileExists(atPath: lab.folder + "/media/usb-ssd"))
    }

    @Test func `B-09 an empty folder where a repository was is not taken for a new medium`() async throws {
        let lab = try SmallLab()
        try lab.declare()
        _ = try await lab.run()
        let medium = lab.folder + "/media/usb-ssd"
        try FileManager.default.removeItem(atPath: medium + "/host-usb")
        let report = try await lab.run()
        #expect(report.exitStatus == .refusedByGuard)
        #expect(lab.output.text.contains("E-MEDIUM"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: medium).isEmpty)
    }

    @Test func `M-10 a broken declaration is refused with its line before anything is made`() async throws {
        let lab = try SmallLab()
        try lab.declare { $0.replacing("kind: removable", with: "kind: removeable") }
        await #expect {
            _ = try await lab.run()
        } throws: { error in
            let failure = error as? any ReportableFailure
            return failure?.codeName == "E-DECLARATION" && failure?.what.contains("did you mean \"removable\"?") == true
        }
        #expect(!FileManager.default.fileExists(atPath: lab.folder + "/secrets"))
    }

    @Test func `S-06 passwords and the declaration are for their owner alone`() async throws {
        let lab = try SmallLab()
        try lab.declare()
        _ = try await lab.run()
        let names = try FileManager.default.contentsOfDirectory(atPath: lab.folder + "/secrets")
        #expect(names.sorted() == ["host-os.password", "host-usb.password", "offsite.password"])
        for name in names {
            let status = try status(at: ByteString(lab.folder + "/secrets/" + name))
            #expect(status.permissions == 0o600)
        }
        let passwords = try names.map { try String(contentsOfFile: lab.folder + "/secrets/" + $0, encoding: .utf8) }
        #expect(Set(passwords).count == 3)
        #expect(passwords.allSatisfy { !lab.output.text.contains($0.dropLast()) })
    }
}

@Suite struct LabEntryTests {
    @Test func `a usage error ends in 1 and help in 0`() async {
        #expect(await runLab(arguments: ["quickstart", "--no-such-option"]) == 1)
        #expect(await runLab(arguments: ["no-such-verb"]) == 1)
        #expect(await runLab(arguments: ["--help"]) == 0)
        #expect(await runLab(arguments: ["quickstart", "--help"]) == 0)
        #expect(await runLab(arguments: ["--version"]) == 0)
    }
}
