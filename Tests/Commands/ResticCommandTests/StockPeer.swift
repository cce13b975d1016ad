import Foundation
import Spawning

/// The released restic beside which these commands are held; found below `$PEERS/bin`.
struct StockPeer {
    static let path: String? = {
        guard let peers = ProcessInfo.processInfo.environment["PEERS"] else { return nil }
        let path = "\(peers)/bin/restic-0.19.1"
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    static var isInstalled: Bool { path != nil }

    /// Runs it on the bench's repository, without cache; answers status, standard output as bytes, and standard error.
    static func run(
        _ arguments: [String],
        _ bench: Bench,
        zone: String = "UTC"
    ) throws -> (status: Int32, output: Data, error: String) {
        try start(["-r", bench.repository, "--no-cache"] + arguments, bench, zone: zone)
    }

    /// Runs a command that is about the cache.
    static func cache(_ arguments: [String], _ bench: Bench) throws -> String {
        String(decoding: try start(arguments, bench).output, as: UTF8.self)
    }

    private static func start(
        _ arguments: [String],
        _ bench: Bench,
        zone: String = "UTC"
    ) throws -> (status: Int32, output: Data, error: String) {
        guard let path else { throw CocoaError(.fileNoSuchFile) }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ["RESTIC_PASSWORD": Bench.password, "TZ": zone, "HOME": bench.directory]
        let errorPath = bench.directory + "/stock-error"
        _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errorPath))
        try process.start()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data, try String(contentsOfFile: errorPath, encoding: .utf8))
    }
}

extension Bench {
    /// Adds what archives find awkward: long and odd names, links, a pipe, times with fractions and before 1970.
    func addAwkwardFiles() throws {
        let manager = FileManager.default
        func write(_ name: String, _ count: Int = 1, seconds: Double? = nil) throws {
            let url = URL(filePath: source + "/" + name)
            try manager.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(repeating: UInt8(truncatingIfNeeded: count), count: count).write(to: url)
            if let seconds {
                try manager.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: seconds)],
                    ofItemAtPath: url.path
                )
            }
        }
        try write(String(repeating: "L", count: 100))
        try write(String(repeating: "L", count: 101), 513)
        try write(String(repeating: "d", count: 90) + "/" + String(repeating: "f", count: 99))
        try write(String(repeating: "d", count: 90) + "/" + String(repeating: "g", count: 120))
        try write("ünïcödé~\\")
        try write("empty", 0)
        try write("half", 512, seconds: 1_500_000_000.5)
        try write("old", seconds: -5)
        try write("zeros", 5 << 20)
        try manager.createSymbolicLink(atPath: source + "/link", withDestinationPath: "a.txt")
        try manager.createSymbolicLink(
            atPath: source + "/longlink",
            withDestinationPath: String(repeating: "t", count: 150)
        )
        _ = mkfifo(source + "/pipe", 0o644)
        _ = mkfifo(source + "/sub/pipe", 0o644)
    }

    /// Holds one command line against stock restic: same status, same output.
    func outputsDiffer(_ arguments: [String]) async throws -> String? {
        let ours = await run(arguments)
        let stock = try StockPeer.run(arguments, self)
        let expected = String(decoding: stock.output, as: UTF8.self)
        if ours.status == stock.status, ours.output == expected { return nil }
        return
            "\(arguments): \(ours.status), not \(stock.status)\n\(ours.output)\(ours.error)\nbut stock\n\(expected)\(stock.error)"
    }
}
