import Bytes
import Console
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import ResticCommand
import ResticRepository
import Sealing
import Testing

/// A repository with one small source in a directory of its own, and the command line over it.
final class Bench: Sendable {
    static let password = "correct horse canary"
    let directory: String
    let pool: WorkerPool

    var repository: String { directory + "/repo" }
    var source: String { directory + "/source" }

    init() async throws {
        directory = NSTemporaryDirectory() + "holdfast-command-\(UUID().uuidString)"
        pool = try WorkerPool(width: 4)
        try FileManager.default.createDirectory(atPath: directory + "/source/sub", withIntermediateDirectories: true)
        try Data("hello".utf8).write(to: URL(fileURLWithPath: directory + "/source/a.txt"))
        try Data(repeating: 7, count: 3000).write(to: URL(fileURLWithPath: directory + "/source/sub/b.bin"))
        // Cheap key derivation, which stock restic accepts as well.
        _ = try await Repository.create(
            store: LocalStorage(ByteString(directory + "/repo")),
            password: Secret(Self.password.utf8),
            scrypt: ScryptParameters(n: 1024, r: 8, p: 1),
            environment: RepositoryEnvironment(
                time: SystemTime(),
                entropy: SystemEntropy(),
                pool: pool,
                hostName: "bench",
                userName: "tester",
                userID: 0,
                groupID: 0,
                processID: currentProcessID(),
                isAlive: isProcessAlive
            )
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Runs one command line and answers status, standard output and standard error.
    func run(
        _ arguments: String...,
        environment more: [ByteString: ByteString] = [:]
    ) async -> (status: Int32, output: String, error: String) {
        await run(arguments, environment: more)
    }

    /// The same with the arguments in a list.
    func run(
        _ arguments: [String],
        environment more: [ByteString: ByteString] = [:]
    ) async -> (status: Int32, output: String, error: String) {
        let (output, error) = (MemorySink(), MemorySink())
        var variables: [ByteString: ByteString] = [
            "RESTIC_PASSWORD": ByteString(Self.password), "RESTIC_REPOSITORY": ByteString(repository),
            "RESTIC_CACHE_DIR": ByteString(directory + "/cache"), "TZ": "UTC", "PATH": "/usr/bin:/bin",
        ]
        variables.merge(more) { $1 }
        let context = CommandContext(
            programName: "restic",
            environment: Environment(variables),
            screen: Screen(facts: TerminalFacts(), output: output, error: error),
            pool: pool
        )
        let bytes = arguments.map { ByteString($0) }
        let status = await Task(executorPreference: pool) { await runRestic(arguments: bytes, context: context) }.value
        return (status, output.text, error.text)
    }
}

/// Objects of JSON lines by their type.
private func objects(_ text: String, type: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").compactMap { line in
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    }.filter { $0["message_type"] as? String == type }
}

@Suite struct RunTests {
    @Test func `a backup is listed, restored equal and found sound`() async throws {
        let bench = try await Bench()
        let saved = await bench.run("backup", bench.source, "--tag", "a,b", "--host", "web")
        #expect(saved.status == 0, "\(saved.error)")
        #expect(saved.output.contains("Files:           2 new,     0 changed,     0 unmodified"))

        let listed = await bench.run("snapshots")
        #expect(listed.output.contains("web         a,b         \(bench.source)"))
        #expect(listed.output.hasSuffix("Timestamps shown in UTC\n1 snapshots\n"))

        let files = await bench.run("ls", "latest:\(bench.source)")
        #expect(files.output.split(separator: "\n").dropFirst() == ["/a.txt", "/sub", "/sub/b.bin"])

        let target = bench.directory + "/target"
        let restored = await bench.run("restore", "latest:\(bench.source)", "--target", target, "--verify")
        #expect(restored.status == 0, "\(restored.error)")
        #expect(restored.output.contains("Summary: Restored 3 files/dirs (2.935 KiB)"))
        #expect(try String(contentsOfFile: target + "/a.txt", encoding: .utf8) == "hello")

        let checked = await bench.run("check", "--read-data")
        #expect(checked.status == 0)
        #expect(checked.output.hasSuffix("no errors were found\n"))
    }

    @Test func `JSON runs print objects and nothing else`() async throws {
        let bench = try await Bench()
        let saved = await bench.run("backup", bench.source, "--json", "-vv")
        let summary = try #require(try objects(saved.output, type: "summary").first)
        #expect(summary["files_new"] as? Int == 2)
        #expect(summary["snapshot_id"] as? String != nil)
        #expect(try objects(saved.output, type: "verbose_status").count >= 4)
        let dry = await bench.run("backup", bench.source, "--json", "--dry-run")
        #expect(try objects(dry.output, type: "summary").first?["dry_run"] as? Bool == true)
        let check = await bench.run("check", "--json")
        #expect(
            check.output
                == #"{"message_type":"summary","num_errors":0,"broken_packs":null,"suggest_repair_index":false,"suggest_prune":false}"#
                + "\n"
        )
        let empty = await bench.run("snapshots", "--json", "--host", "nobody")
        #expect(empty.output == "[]\n")
    }

    @Test func `quiet runs print nothing`() async throws {
        let bench = try await Bench()
        let saved = await bench.run("-q", "backup", bench.source)
        #expect(saved.status == 0 && saved.output.isEmpty && saved.error.isEmpty)
    }

    @Test func `H-15 a wrong password ends with 12 and says what to do`() async throws {
        let bench = try await Bench()
        let run = await bench.run("snapshots", environment: ["RESTIC_PASSWORD": "wrong"])
        #expect(run.status == 12)
        #expect(run.error.hasPrefix("Fatal: wrong password or no key found\n"))
        #expect(run.error.contains("error[E-PASSWORD]"))
        #expect(run.error.contains("  state: ") && run.error.contains("  next:  "))
        let json = await bench.run("snapshots", "--json", environment: ["RESTIC_PASSWORD": "wrong"])
        let object = try #require(try objects(json.error, type: "exit_error").first)
        #expect(object["code"] as? Int == 12)
    }

    @Test func `no repository ends with 10 and names the place`() async throws {
        let bench = try await Bench()
        let run = await bench.run("-r", "/nonexistent/place", "snapshots")
        #expect(run.status == 10)
        #expect(run.error.contains("repository does not exist") && run.error.contains("/nonexistent/place"))
        #expect(run.error.contains("  next:  "))
    }

    @Test func `G-01 a missing source is named and ends with 3, the rest is saved`() async throws {
        let bench = try await Bench()
        let run = await bench.run("backup", bench.source, "/nonexistent")
        #expect(run.status == 3)
        #expect(
            run.error == "/nonexistent does not exist, skipping\nWarning: at least one source file could not be read\n"
        )
        #expect(await bench.run("snapshots", "-c").output.hasSuffix("1 snapshots\n"))
    }

    @Test func `G-14 a dump command that fails makes no snapshot`() async throws {
        let bench = try await Bench()
        let run = await bench.run(
            "backup",
            "--stdin-from-command",
            "--",
            "sh",
            "-c",
            "echo half; echo oops >&2; exit 3"
        )
        #expect(run.status == 1)
        #expect(run.error.contains("subprocess sh: oops"))
        #expect(
            run.error.contains(
                "Fatal: unable to save snapshot: failed to save /stdin: Fatal: command failed: exit status 3"
            )
        )
        let silent = await bench.run("backup", "--stdin-from-command", "--", "true")
        #expect(silent.status == 1)
        #expect(await bench.run("snapshots", "--json").output == "[]\n")
    }

    @Test func `S-02 commands see our environment but not our password`() async throws {
        let bench = try await Bench()
        let run = await bench.run(
            "backup",
            "--stdin-from-command",
            "--",
            "sh",
            "-c",
            "env",
            environment: ["MYSQL_PWD": "theirs"]
        )
        #expect(run.status == 0, "\(run.error)")
        let target = bench.directory + "/env"
        _ = await bench.run("restore", "latest", "--target", target)
        let seen = try String(contentsOfFile: target + "/stdin", encoding: .utf8)
        #expect(seen.contains("MYSQL_PWD=theirs"))
        #expect(!seen.contains(Bench.password))
    }

    @Test func `S-03 the password is in no output of any command`() async throws {
        let bench = try await Bench()
        _ = await bench.run("backup", bench.source)
        let lines: [[String]] = [
            ["backup", bench.source, "-vv"], ["snapshots", "-vv", "--json"], ["check", "-vv"], ["cat", "config"],
            ["ls", "latest", "-l"], ["restore", "latest", "--target", bench.directory + "/t", "-vv"], ["init"],
            ["unlock"],
        ]
        for line in lines {
            let run = await bench.run(
                line[0],
                line.count > 1 ? line[1] : "-v",
                line.count > 2 ? line[2] : "-v",
                line.count > 3 ? line[3] : "-v"
            )
            #expect(!run.output.contains("canary") && !run.error.contains("canary"), "\(line)")
        }
    }

    @Test func `D-01 a damaged pack is found, its files are named, and the status is 1`() async throws {
        let bench = try await Bench()
        _ = await bench.run("backup", bench.source)
        let packs = try FileManager.default.subpathsOfDirectory(atPath: bench.repository + "/data").filter {
            $0.utf8.count == 67
        }
        for pack in packs {
            let path = bench.repository + "/data/" + pack
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[20] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        let run = await bench.run("check", "--read-data")
        #expect(run.status == 1)
        #expect(run.error.contains("restic repair packs "))
        #expect(run.error.hasSuffix("Fatal: repository contains errors\n"))
        let json = await bench.run("check", "--read-data", "--json")
        let summary = try #require(try objects(json.output, type: "summary").first)
        #expect((summary["broken_packs"] as? [String])?.count == packs.count)
    }

    @Test func `progress in JSON comes when it is asked for, and never unasked`() async throws {
        let bench = try await Bench()
        _ = await bench.run("backup", bench.source)
        for verb in [["check", "--read-data"], ["prune"], ["forget", "--keep-last", "1"]] {
            let silent = await bench.run(verb + ["--json"], environment: ["RESTIC_PROGRESS_FPS": "60"])
            #expect(!silent.output.contains("\"status\""), "\(verb)")
            let told = await bench.run(verb + ["--json"], environment: ["HOLDFAST_JSON_PROGRESS": "1"])
            #expect(told.status == 0)
            let lines = told.output.split(separator: "\n")
            let objects = try lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
            let states = objects.compactMap { $0 as? [String: Any] }.filter {
                $0["message_type"] as? String == "status"
            }
            #expect(verb[0] == "forget" || states.last?["percent_done"] as? Double == 1, "\(told.output)")
        }
    }

    @Test(arguments: ["mount", "self-update"])
    func `a command of a later version is refused by name`(verb: String) async throws {
        let bench = try await Bench()
        let run = await bench.run(verb, "--dry-run")
        #expect(run.status == 1)
        #expect(run.error.contains("the command \"\(verb)\" is not supported yet"))
        let help = await bench.run(verb, "--help")
        #expect(help.status == 0 && help.output.contains("This command is not supported yet"))
        #expect(verb != "mount" || help.output.contains("--allow-other"))
    }

    @Test func `help names every command and ends in two examples`() async throws {
        let bench = try await Bench()
        let run = await bench.run("--help")
        #expect(run.status == 0)
        for verb in Verb.allCases where verb.group != .hidden { #expect(run.output.contains("  \(verb.rawValue) ")) }
        for verb in Verb.allCases where verb.isSupported && verb != .help {
            let help = await bench.run(verb.rawValue, "--help")
            #expect(help.status == 0)
            let tail = help.output.split(separator: "\n").suffix(3)
            #expect(tail.first == "Examples:", "\(verb)")
            for flag in verb.flags where !flag.isHidden { #expect(help.output.contains("--\(flag.name)")) }
        }
    }

    @Test func `R-10 a kernel that computes wrongly ends the command before anything is touched`() async throws {
        let bench = try await Bench()
        let error = MemorySink()
        var context = CommandContext(
            programName: "restic",
            environment: Environment(["RESTIC_PASSWORD": ByteString(Bench.password)]),
            screen: Screen(facts: TerminalFacts(), output: MemorySink(), error: error),
            pool: bench.pool
        )
        context.selfTest = {
            var test = SealingSelfTest()
            test.hash = { sha256($0 + [0]) }
            try test.run()
        }
        let broken = context
        let arguments: [ByteString] = ["-r", ByteString(bench.directory + "/new"), "init"]
        let status = await Task(executorPreference: bench.pool) {
            await runRestic(arguments: arguments, context: broken)
        }.value
        #expect(status == 1)
        #expect(error.text.contains("self-test of SHA-256 failed"))
        #expect(!FileManager.default.fileExists(atPath: bench.directory + "/new"))
    }

    @Test func `a listing that nobody reads ends early`() async throws {
        struct Gone: ByteSink {
            func write(_ bytes: [UInt8]) -> Bool { false }
        }
        let bench = try await Bench()
        _ = await bench.run("backup", bench.source)
        let context = CommandContext(
            programName: "restic",
            environment: Environment(["RESTIC_PASSWORD": ByteString(Bench.password)]),
            screen: Screen(facts: TerminalFacts(), output: Gone(), error: MemorySink()),
            pool: bench.pool
        )
        let arguments: [ByteString] = ["-r", ByteString(bench.repository), "--no-cache", "ls", "latest"]
        let status = await Task(executorPreference: bench.pool) {
            await runRestic(arguments: arguments, context: context)
        }.value
        #expect(status == 1)
    }

    @Test func `the program is restic when its name is restic`() {
        #expect(isRestic("/usr/local/bin/restic"))
        #expect(isRestic("restic"))
        #expect(!isRestic("/restic/holdfast"))
    }
}
