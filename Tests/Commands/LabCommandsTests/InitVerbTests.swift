import Console
import Foundation
import Testing

import Bytes
import HostSystem
import LabCommands

/// Runs of `init` in a folder of their own, and of what comes after it.
@Suite struct InitVerbTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "init-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(atPath: path + "/source", withIntermediateDirectories: true)
            try "content".write(toFile: path + "/source/file", atomically: false, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var file: String { path + "/holdfast.yaml" }

        func run(_ arguments: [String]) async -> (status: Int32, output: String, errors: String) {
            let (output, errors) = (MemorySink(), MemorySink())
            let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
            let status = await runLab(arguments: arguments + ["--config", file], screen: screen)
            return (status, output.text, errors.text)
        }

        func initialize(_ more: String...) async -> (status: Int32, output: String, errors: String) {
            await run(
                [
                    "init", "--internal", path + "/media", "--second", "-", "--protect", path + "/source", "--state",
                    path + "/state",
                ] + more
            )
        }

        func names(_ folder: String = "") -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
        }
    }

    @Test func `what lives in the folders to protect is undecided, with the command that would stop or dump it`()
        async throws
    {
        let folder = try Folder()
        let data = folder.path + "/source/vault/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        for (name, text) in [("db.sqlite3", "SQLite format 3\0"), ("rsa_key.pem", "key")] {
            try text.write(toFile: "\(data)/\(name)", atomically: false, encoding: .utf8)
        }
        try "services: {}".write(toFile: folder.path + "/source/vault/compose.yaml", atomically: false, encoding: .utf8)
        let made = await folder.initialize("--yes")
        #expect(made.status == 0, "\(made.errors)")
        let lines = try String(contentsOfFile: folder.file, encoding: .utf8).split(separator: "\n").map(String.init)
        let vault = try #require(lines.firstIndex { $0.contains("source/vault/data: Vaultwarden's data") })
        let project = try #require(lines.firstIndex { $0.contains("source/vault: Compose project") })
        #expect(vault < project)
        #expect(lines[vault...].contains { $0.contains("before: [sqlite3,") })
        #expect(lines[project...].contains { $0.contains("before: [docker, compose,") && $0.contains("stop") })
        #expect(lines.contains { $0.contains("these lie in the paths above") })
        let coverage = await folder.run(["coverage"])
        #expect(coverage.output.contains("source/vault/data (Vaultwarden's data): by host"), "\(coverage.output)")
        #expect(coverage.output.contains("/source (named in the declaration): by host"))
    }

    @Test func `what init writes is right, is for its owner alone, and runs`() async throws {
        let folder = try Folder()
        let made = await folder.initialize("--yes")
        #expect(made.status == 0, "\(made.errors)")
        #expect(try status(at: ByteString(folder.file)).permissions == 0o600)
        let text = try String(contentsOfFile: folder.file, encoding: .utf8)
        #expect(text.contains("# undecided: no copy leaves the house yet."))
        #expect(await folder.run(["config", "check"]).status == 0)
        #expect(folder.names("media") == ["host-os"])
        let run = await folder.run(["run"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("read-back from host-os"))
        let status = await folder.run(["status", "--json"])
        #expect(status.status == 0, "\(status.output)")
        #expect(status.output.contains("\"message_type\":\"summary\"") && status.output.contains("\"breached\":false"))
        #expect(await folder.run(["plan"]).output.contains("Nothing is due now."))
    }

    @Test func `a file that is there is never overwritten`() async throws {
        let folder = try Folder()
        try "mine".write(toFile: folder.file, atomically: false, encoding: .utf8)
        let refused = await folder.initialize("--yes")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("is there already"))
        #expect(try String(contentsOfFile: folder.file, encoding: .utf8) == "mine")
        #expect(folder.names() == ["holdfast.yaml", "source"])
    }

    @Test func `without a terminal and without --yes nothing is asked, and nothing is made`() async throws {
        guard !Terminal.isTerminal(.standardInput) else { return }
        let folder = try Folder()
        let refused = await folder.initialize()
        #expect(refused.status == 1)
        #expect(refused.errors.contains("--yes"))
        #expect(folder.names() == ["source"])
    }

    @Test func `a folder that is not there is refused before anything is made`() async throws {
        let folder = try Folder()
        let refused = await folder.initialize("--yes", "--protect", folder.path + "/nope")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("/nope") && refused.errors.contains("is not there"))
        #expect(folder.names() == ["source"])
    }

    @Test func `run refuses a name that is none, doctor names what is bad, with a remedy`() async throws {
        let folder = try Folder()
        #expect(await folder.initialize("--yes").status == 0)
        let unknown = await folder.run(["run", "hots"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("name one of: host"))
        #expect(await folder.run(["doctor"]).status == 0)
        try FileManager.default.removeItem(atPath: folder.path + "/secrets/host-os.password")
        let ill = await folder.run(["doctor"])
        #expect(ill.status == 1)
        #expect(ill.output.contains("BAD       host-os"))
        #expect(ill.output.contains("next: bring the password back"))
    }
}
