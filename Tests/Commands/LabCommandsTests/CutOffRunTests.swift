import Foundation
import Spawning
import Testing

/// Runs of the built binary that are killed; each lab in a folder of its own.
@Suite(.serialized, .enabled(if: RotationBench.binary != nil, "needs the built binary"))
struct CutOffRunTests {
    private final class Bench {
        let root = NSTemporaryDirectory() + "cut-off-\(UUID().uuidString)"

        init() throws {
            for folder in ["media/a", "media/b", "source"] {
                try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
            }
            try Data(count: 4 << 20).write(to: URL(filePath: "\(root)/source/file"))
            try """
            lab: home
            time-zone: UTC
            state: state
            media: { a: { path: media/a }, b: { path: media/b } }
            repositories:
              near: { medium: a, password: "file:near.password" }
              far: { medium: b, password: "file:far.password" }
            protect:
              - host: { paths: [source] }
                to: [near, far]
                before: [touch, \(root)/app-stopped]
                after: [rm, \(root)/app-stopped]
                backup: { schedule: "02:00" }
            """.write(toFile: root + "/holdfast.yaml", atomically: false, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(name)") }

        /// Runs it to its end, or until `isOver` holds, when it is killed.
        func holdfast(_ arguments: String..., killedWhen isOver: () -> Bool = { false }) throws -> (Int32, String) {
            let process = Process()
            process.executableURL = URL(filePath: try #require(RotationBench.binary))
            process.arguments = arguments + ["--config", root + "/holdfast.yaml"]
            process.environment = ["PATH": "/usr/bin:/bin", "HOME": root]
            let log = root + "/log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            let handle = try FileHandle(forWritingTo: URL(filePath: log))
            process.standardOutput = handle
            process.standardError = handle
            try process.start()
            while process.isRunning {
                if isOver() { kill(process.processIdentifier, SIGKILL) }
                usleep(500)
            }
            process.waitUntilExit()
            return (process.terminationStatus, try String(contentsOfFile: log, encoding: .utf8))
        }
    }

    @Test func `M-05 an app that a killed run left stopped is told, and started by the next run though nothing is due`()
        throws
    {
        let bench = try Bench()
        #expect(try bench.holdfast("run").0 == 0)
        #expect(!bench.exists("app-stopped"))
        _ = try bench.holdfast("run", "--all", killedWhen: { bench.exists("app-stopped") })
        try #require(bench.exists("app-stopped"), "it was faster than the kill")
        let told = try bench.holdfast("status").1
        #expect(told.contains("host may be stopped since") && told.contains("its run was cut off"), "\(told)")
        let (code, output) = try bench.holdfast("run")
        #expect(code == 0)
        #expect(output.contains("left undone: rm, owed by a run that was cut off"), "\(output)")
        #expect(output.contains("Nothing is due."))
        #expect(!bench.exists("app-stopped"))
        #expect(try !bench.holdfast("status").1.contains("may be stopped"))
        #expect(try !bench.holdfast("run").1.contains("left undone"))
    }

    @Test func `M-05 a replacement that was killed is under way until it was done again, whatever runs meanwhile`()
        throws
    {
        let bench = try Bench()
        for _ in 0..<3 { #expect(try bench.holdfast("run", "--all").0 == 0) }
        try FileManager.default.removeItem(atPath: bench.root + "/media/b/far")
        _ = try bench.holdfast("media", "replace", "b", killedWhen: { bench.exists("media/b/far/config") })
        let advice = "holdfast media replace b"
        #expect(try bench.holdfast("status").1.contains(advice))
        let (code, output) = try bench.holdfast("run", "host")
        #expect(code == 0, "\(output)")
        #expect(try bench.holdfast("status").1.contains(advice))
        #expect(try bench.holdfast("media", "replace", "b").0 == 0)
        let status = try bench.holdfast("status").1
        #expect(!status.contains(advice), "\(status)")
        let copies = try FileManager.default.contentsOfDirectory(atPath: bench.root + "/media/b/far/snapshots")
        let others = try FileManager.default.contentsOfDirectory(atPath: bench.root + "/media/a/near/snapshots")
        // Of the host alone: each run left a record in both, and three of those went with the disk.
        #expect(copies.count == others.count - 3)
    }
}
