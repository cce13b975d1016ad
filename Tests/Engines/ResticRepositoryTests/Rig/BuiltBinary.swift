import Foundation
import Spawning

/// The built binary, spawned as an operator or a scheduler does.
struct BuiltBinary {
    /// Beside the test bundle, where the build puts it; nil when only the tests were built.
    static let path: String? = {
        let bundle = URL(filePath: CommandLine.arguments.first ?? "")
        let candidates = [
            bundle.deletingLastPathComponent().path + "/holdfast",
            FileManager.default.currentDirectoryPath + "/.build/release/holdfast",
            FileManager.default.currentDirectoryPath + "/.build/debug/holdfast",
        ]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    static var isBuilt: Bool { path != nil }

    struct Run {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs restic's command line; `wrapper` comes before the binary, and nil is no cache.
    static func restic(
        _ arguments: [String],
        repository: String,
        wrapper: [String] = [],
        cache: String? = nil
    ) throws -> Run {
        guard let path else { throw CocoaError(.fileNoSuchFile) }
        let caching = cache.map { ["--cache-dir", $0] } ?? ["--no-cache"]
        let words = wrapper + [path, "restic", "-r", repository] + caching + arguments
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.environment = ["RESTIC_PASSWORD": SmallRepository.password, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"]
        let folder = TestFolder()
        for name in ["out", "err"] { try folder.write(name, []) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.path + "/out"))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: folder.path + "/err"))
        try process.start()
        process.waitUntilExit()
        return Run(
            status: process.terminationStatus,
            output: String(decoding: folder.read("out") ?? [], as: UTF8.self),
            errors: String(decoding: folder.read("err") ?? [], as: UTF8.self)
        )
    }
}
