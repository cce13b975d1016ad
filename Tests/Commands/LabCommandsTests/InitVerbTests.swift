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

        func write(_ name: String, _ text: String, mode: Int) throws {
            let file = path + "/" + name
            let above = URL(fileURLWithPath: file).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: above, withIntermediateDirectories: true)
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
            #expect(FileManager.default.createFile(atPath: file, contents: Data(text.utf8), attributes: attributes))
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

    @Test
    func `a database server in a container is dumped there or stopped with its project, and the entries are right`()
        async throws
    {
        let folder = try Folder()
        try folder.write("source/app/compose.yaml", "services: {}", mode: 0o644)
        for (file, text) in [
            ("source/app/pg/PG_VERSION", "15"), ("source/app/pg/base/1", "x"), ("source/wiki/_data/ibdata1", "x"),
            ("source/news/PG_VERSION", "15"), ("source/news/base/1", "x"),
            ("source/notes/notes.db", "SQLite format 3\0"),
        ] { try folder.write(file, text, mode: 0o644) }
        #expect(await folder.initialize("--yes").status == 0)
        let text = try String(contentsOfFile: folder.file, encoding: .utf8)
        #expect(text.contains("source/app: protect that one, which stops and starts it"), "\(text)")
        #expect(text.contains("[sh, -c, \"docker exec CONTAINER mariadb-dump --all-databases"))
        #expect(text.contains("> '/var/backups/wiki.sql'\"]"))
        #expect(text.contains("[sh, -c, \"docker exec CONTAINER pg_dumpall -U postgres > '/var/backups/news.sql'\"]"))
        #expect(!text.contains("runuser") || text.contains("# /var/lib/postgresql: PostgreSQL"))

        // As the operator takes the marks of the comments away.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let entries = lines.filter { $0.hasPrefix("  #   ") && !$0.contains("server runs in") }
        let end = try #require(lines.firstIndex { $0.hasPrefix("  # undecided: these lie") })
        let declared = lines[..<end] + entries.map { "  " + $0.dropFirst(6) }
        try folder.write("holdfast.yaml", declared.joined(separator: "\n") + "\n", mode: 0o600)
        let check = await folder.run(["config", "check"])
        #expect(check.status == 0, "\(check.errors)")
        #expect(entries.count { $0.contains("- name: ") } >= 4)
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

    @Test func `a password that is there is used and said, and refused when it is empty or others can read it`()
        async throws
    {
        for (mode, text, what) in [
            (0o644, "canary\n", "can be read by others: mode 644"), (0o600, "", "its first line is empty"),
            (0o600, "\nx", "its first line is empty"),
        ] {
            let folder = try Folder()
            try folder.write("secrets/host-os.password", text, mode: mode)
            let refused = await folder.initialize("--yes")
            #expect(refused.status == 1)
            #expect(
                refused.errors.contains(what) && refused.errors.contains("secrets/host-os.password"),
                "\(refused.errors)"
            )
            #expect(refused.errors.contains("state: nothing was changed") && !refused.errors.contains("canary"))
            #expect(folder.names() == ["secrets", "source"])
        }
        let folder = try Folder()
        try folder.write("secrets/host-os.password", "canary\n", mode: 0o600)
        let made = await folder.initialize("--yes")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.output.contains("Uses the password that is there: \(folder.path)/secrets/host-os.password\n"))
        #expect(await folder.run(["run"]).status == 0)
        let fresh = try Folder()
        #expect(await !fresh.initialize("--yes").output.contains("Uses the password"))
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
