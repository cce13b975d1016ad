import Foundation
import Spawning

/// A lab in a folder of its own, driven through the built binary, judged by stock restic.
///
/// Two repositories on two media share one password file, as far as `declaration` says so.
final class RotationBench {
    static let oldPassword = "canary-old-password"

    /// Beside the test bundle, where the build puts it; nil when only the tests were built.
    static let binary: String? = {
        let bundle = URL(filePath: CommandLine.arguments.first ?? "")
        let here = FileManager.default.currentDirectoryPath
        return [bundle.deletingLastPathComponent().path + "/holdfast", here + "/.build/release/holdfast"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// The released restic beside which we are held; found below `$PEERS/bin`.
    static let stock: String? = {
        guard let peers = ProcessInfo.processInfo.environment["PEERS"] else { return nil }
        let path = "\(peers)/bin/restic-0.19.1"
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    static var canJudge: Bool { binary != nil && stock != nil }
    static let hasStrace = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")

    struct Ended {
        var status: Int32
        var output: String
        var errors: String
        var all: String { output + errors }
    }

    let folder = NSTemporaryDirectory() + "rotation-\(UUID().uuidString)"
    let repositories = ["media/a/near", "media/b/far"]

    /// `reference` is what both repositories name, `more` goes below; the repositories are made by stock restic.
    init(reference: String = "file:secrets/shared", password: String = oldPassword, more: String = "") throws {
        for name in ["media/a", "media/b", "source", "secrets", "home"] { try makeFolder(name) }
        try write("source/file", "content")
        try write("secrets/shared", "\(password)\n")
        try write(
            "holdfast.yaml",
            """
            lab: home
            state: state
            media:
              a: { kind: internal, path: media/a }
              b: { kind: removable, path: media/b }
            repositories:
              near: { medium: a, password: "\(reference)" }  # here
              far:
                medium: b
                password: '\(reference)' # there
            protect:
              - host: { paths: [source] }
                to: [near, far]
            \(more)
            """
        )
        try write("first", password)
        for repository in repositories {
            guard try stock(repository, "first", "init").status == 0,
                try stock(repository, "first", "backup", folder + "/source").status == 0
            else { throw CocoaError(.executableLoad) }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    // MARK: running

    /// Runs the binary, `wrapper` before it; `killedAfter` seconds it is killed.
    func run(
        _ arguments: [String],
        wrapper: [String] = [],
        environment: [String: String] = [:],
        input: String = "",
        killedAfter seconds: Double? = nil
    ) throws -> Ended {
        guard let binary = Self.binary else { throw CocoaError(.fileNoSuchFile) }
        let words = wrapper + [binary] + arguments + ["--config", folder + "/holdfast.yaml"]
        return try start(words, environment, input: input, killedAfter: seconds)
    }

    /// Runs stock restic with the password in that file of the bench.
    func stock(_ repository: String, _ passwordFile: String, _ arguments: String...) throws -> Ended {
        guard let stock = Self.stock else { throw CocoaError(.fileNoSuchFile) }
        let file = passwordFile.hasPrefix("/") ? passwordFile : "\(folder)/\(passwordFile)"
        return try start(
            [stock, "-r", "\(folder)/\(repository)", "--no-cache", "--no-lock", "--password-file", file] + arguments,
            [:]
        )
    }

    /// Whether stock restic opens the repository with the password in that file.
    func opens(_ repository: String, _ passwordFile: String) throws -> Bool {
        try stock(repository, passwordFile, "cat", "config").status == 0
    }

    private func start(
        _ words: [String],
        _ environment: [String: String],
        input: String = "",
        killedAfter seconds: Double? = nil
    ) throws -> Ended {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder + "/home"]
            .merging(environment) { $1 }
        process.currentDirectoryURL = URL(filePath: folder)
        let log = NSTemporaryDirectory() + "rotation-log-\(UUID().uuidString)"
        defer { for name in ["out", "err", "in"] { try? FileManager.default.removeItem(atPath: log + name) } }
        for (name, text) in [("out", ""), ("err", ""), ("in", input)] {
            try text.write(toFile: log + name, atomically: false, encoding: .utf8)
        }
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: log + "in"))
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: log + "out"))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: log + "err"))
        try process.start()
        if let seconds {
            let end = Date().addingTimeInterval(seconds)
            while process.isRunning, Date() < end { usleep(2_000) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        process.waitUntilExit()
        return Ended(
            status: process.terminationStatus,
            output: try String(contentsOfFile: log + "out", encoding: .utf8).replacing(folder, with: "LAB"),
            errors: try String(contentsOfFile: log + "err", encoding: .utf8).replacing(folder, with: "LAB")
        )
    }

    // MARK: files

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String) throws {
        let isMade = FileManager.default.createFile(
            atPath: "\(folder)/\(name)",
            contents: Data(text.utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard isMade else { throw CocoaError(.fileWriteUnknown) }
    }

    func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: "\(folder)/\(name)", toPath: "\(folder)/\(other)")
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }

    func names(_ name: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? []).sorted()
    }

    /// Names of the password files that rotation has made.
    var stored: [String] { names("secrets").filter { $0.hasPrefix("shared.2") && !$0.contains("-tmp-") } }

    /// Does to the declaration what the rotation printed: each `-` line becomes the `+` line below it.
    func follow(_ output: String) throws {
        var text = try text("holdfast.yaml")
        var before: Substring?
        for line in output.replacing("LAB", with: folder).split(separator: "\n") {
            if line.hasPrefix("  - ") { before = line.dropFirst(4) }
            guard line.hasPrefix("  + "), let old = before else { continue }
            text = text.replacing(old, with: line.dropFirst(4))
            before = nil
        }
        try write("holdfast.yaml", text)
    }

    /// All files below the folder, but those that are meant to hold passwords.
    func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        return all.filter { !$0.hasPrefix("secrets/") && $0 != "first" }
    }

    /// Where the canary shows: as it is, in Base64 at any of the three offsets, in hexadecimal digits.
    func finds(_ canary: String, in text: Data) -> Bool {
        var forms = [Data(canary.utf8), Data(canary.utf8.map { String(format: "%02x", $0) }.joined().utf8)]
        for pad in 0..<3 {
            let whole = Data(repeating: 0x20, count: pad) + Data(canary.utf8)
            forms.append(Data(whole.base64EncodedString().dropFirst(4).dropLast(4).utf8))
        }
        return forms.contains { text.range(of: $0) != nil }
    }
}
