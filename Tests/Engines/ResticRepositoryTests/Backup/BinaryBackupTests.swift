import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Testing

import ResticRepository

@Suite(.enabled(if: BuiltBinary.isBuilt)) struct BinaryBackupTests {
    /// A repository on disk with a cheap key, open to everybody.
    private static func repository(_ bench: BackupBench) async throws -> TestFolder {
        let folder = TestFolder()
        let store = MemoryStorage()
        try await bench.create(store)
        try folder.write(store)
        return folder
    }

    @Test func `G-01 files that an ordinary user may not read end with 3; the rest is saved and the next run too`()
        async throws
    {
        let bench = BackupBench()
        let repository = try await Self.repository(bench)
        var wrapper: [String] = []
        if getuid() == 0 {
            guard FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") else {
                return print("SKIP G-01 setpriv is not here")
            }
            wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let binary = try #require(BuiltBinary.path)
            let mayRun = try BuiltBinary.restic(["version"], repository: repository.path, wrapper: wrapper)
            guard mayRun.status == 0 else { return print("SKIP G-01 user 65534 cannot run \(binary)") }
        }
        try bench.source.write("open", Array("for all".utf8))
        try bench.source.write("secret", Array("for nobody".utf8))
        try bench.source.write("closed/inner", Array("behind a door".utf8))
        chmod(bench.source.path + "/secret", 0)
        chmod(bench.source.path + "/closed", 0)
        defer { chmod(bench.source.path + "/closed", 0o755) }
        if getuid() == 0 {
            for path in [repository.path, bench.source.path] {
                let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
                for name in all + [""] { chown(path + "/" + name, 65_534, 65_534) }
            }
        }
        for _ in 1...2 {
            let run = try BuiltBinary.restic(
                ["backup", bench.source.path],
                repository: repository.path,
                wrapper: wrapper
            )
            #expect(run.status == 3, "\(run.errors)")
            #expect(run.errors.contains("secret") && run.errors.contains("closed"), "\(run.errors)")
            #expect(run.errors.contains("at least one source file could not be read"))
            let listed = try BuiltBinary.restic(["ls", "latest"], repository: repository.path, wrapper: wrapper)
            #expect(listed.output.contains("/open\n") && !listed.output.contains("/secret"))
        }
        let check = try BuiltBinary.restic(["check", "--read-data"], repository: repository.path, wrapper: wrapper)
        #expect(check.status == 0, "\(check.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: repository.path + "/locks").isEmpty)
    }

    @Test func `G-07 twenty thousand files in one folder are saved in bounded memory`() async throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/time") else {
            return print("SKIP G-07 /usr/bin/time is not here")
        }
        let bench = BackupBench()
        let repository = try await Self.repository(bench)
        let base = bench.source.path
        for number in 0..<20_000 {
            let file = open("\(base)/file-\(number)", O_CREAT | O_WRONLY, 0o644)
            _ = write(file, "\(number)", 5)
            close(file)
        }
        var memory: [Int] = []
        for round in 1...2 {
            let report = TestFolder()
            let run = try BuiltBinary.restic(
                ["backup", base],
                repository: repository.path,
                wrapper: ["time", "-f", "%M", "-o", report.path + "/memory"]
            )
            #expect(run.status == 0, "\(run.errors)")
            let text = String(decoding: report.read("memory") ?? [], as: UTF8.self)
            let kibibytes = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? .max
            #expect(kibibytes < 256 << 10, "round \(round)")
            memory.append(kibibytes >> 10)
            #expect(run.output.contains(round == 1 ? "20000 new" : "20000 unmodified"), "\(run.output)")
        }
        print("G-07 20,000 files: \(memory) MiB")
    }

    @Test func `A-04 a binary that is interrupted gives its lock back, makes no snapshot and ends with 130`()
        async throws
    {
        let bench = BackupBench()
        let repository = try await Self.repository(bench)
        for signal in ["INT", "TERM"] {
            let run = try BuiltBinary.restic(
                ["backup", "--stdin-from-command", "--", "sh", "-c", "echo half; sleep 30"],
                repository: repository.path,
                wrapper: [
                    "timeout", "--preserve-status", "--foreground", "--signal=\(signal)", "--kill-after=5", "0.8",
                ]
            )
            #expect(run.status == 130, "\(signal): \(run.status) \(run.errors)")
            for kind in ["locks", "snapshots"] {
                let left = try FileManager.default.contentsOfDirectory(atPath: "\(repository.path)/\(kind)")
                #expect(left.isEmpty, "\(signal) left \(kind)")
            }
        }
    }
}
