import Foundation
import Spawning

/// The released restic beside which our check is held; found below `$PEERS/bin`.
struct StockRestic {
    static let path: String? = {
        guard let peers = ProcessInfo.processInfo.environment["PEERS"] else { return nil }
        let path = "\(peers)/bin/restic-0.19.1"
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    static var isInstalled: Bool { path != nil }

    struct Run {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs it on a repository with the password of `SmallRepository`, without cache, for five minutes at most.
    static func run(
        _ arguments: [String],
        repository: String,
        noCache: Bool = true,
        environment: [String: String] = [:],
        directory: String? = nil
    ) throws -> Run {
        guard let path else { throw CocoaError(.fileNoSuchFile) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/timeout")
        process.arguments = ["300", path, "-r", repository] + (noCache ? ["--no-cache"] : []) + arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["RESTIC_PASSWORD": SmallRepository.password]) { $1 }
            .merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.start()
        let errorText = Reader(errors)
        let outputText = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Run(status: process.terminationStatus, output: outputText, errors: errorText.text)
    }

    /// Drains a pipe beside the caller, so that the child never waits for it.
    private final class Reader: @unchecked Sendable {
        private var data = Data()
        private let done = DispatchSemaphore(value: 0)

        init(_ pipe: Pipe) {
            DispatchQueue.global().async { [self] in
                data = pipe.fileHandleForReading.readDataToEndOfFile()
                done.signal()
            }
        }

        var text: String {
            done.wait()
            return String(decoding: data, as: UTF8.self)
        }
    }
}
