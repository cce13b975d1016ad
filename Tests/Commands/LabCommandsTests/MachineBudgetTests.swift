import Foundation
import Spawning
import Testing

/// The budget of the machine, seen by a command that the built program runs.
@Suite(.enabled(if: BuiltProgram.path != nil, "the program was not built")) struct MachineBudgetTests {
    /// What a command before the backup saw, and how the run ended.
    private func run(_ budget: String) throws -> (status: Int32, seen: [String]) {
        let folder = NSTemporaryDirectory() + "budget-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["media", "source"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for number in 0..<50 {
            try "file \(number)".write(toFile: "\(folder)/source/\(number)", atomically: false, encoding: .utf8)
        }
        // Field 19 of the parent's stat is its nice value; the command's own class of disk use is inherited from the thread that ran it.
        let look = "cut -d' ' -f19 /proc/$PPID/stat > seen; cut -d' ' -f19 /proc/$$/stat >> seen; ionice >> seen"
        let text = """
            lab: home
            state: state
            \(budget)
            media: { disk: { path: media } }
            repositories: { first: { medium: disk, password: "file:first" }, second: { medium: disk, password: "file:second" } }
            protect:
              - host: { paths: [source] }
                to: [first, second]
                before: [sh, -c, "cd \(folder) && { \(look); }"]
            """
        try text.write(toFile: "\(folder)/holdfast.yaml", atomically: false, encoding: .utf8)
        let status = try BuiltProgram.run([
            "run", "--all", "--verify", "--quiet", "--config", "\(folder)/holdfast.yaml",
        ])
        let seen = (try? String(contentsOfFile: "\(folder)/seen", encoding: .utf8)) ?? ""
        return (status, seen.split(separator: "\n").map(String.init))
    }

    @Test func `threads, priority and disk use are those of the budget, for the process and what it runs`() throws {
        let ran = try run("budget: { threads: 2, nice: 7, io: idle }")
        #expect(ran.status == 0)
        #expect(ran.seen == ["7", "7", "idle"])
    }

    @Test func `a run with one thread ends, too`() throws {
        let ran = try run("budget: { threads: 1 }")
        #expect(ran.status == 0)
        #expect(ran.seen.count == 3)
    }

    @Test func `without a budget the process is as it was started`() throws {
        let ran = try run("budget: { io: normal }")
        let own = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8).split(separator: " ")[18]
        #expect(ran.seen.prefix(2) == [String(own), String(own)])
        #expect(ran.seen.last != "idle")
    }
}

/// The built binary, beside the test bundle.
private enum BuiltProgram {
    static let path: String? = {
        let bundle = URL(filePath: CommandLine.arguments.first ?? "").deletingLastPathComponent().path
        let folder = FileManager.default.currentDirectoryPath + "/.build"
        let candidates = ["\(bundle)/holdfast", "\(folder)/release/holdfast", "\(folder)/debug/holdfast"]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// Runs it to its end, its words dropped.
    static func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: path ?? "")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
