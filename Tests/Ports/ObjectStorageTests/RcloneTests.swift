import Bytes
import Foundation
import ObjectStorage
import Outcome
import TestSupport
import Testing

/// Repositories that the real rclone reaches: folders of this machine.
enum RcloneBench {
    /// Of the peers, or the system's; nil where there is none.
    static let program: String? = {
        let manager = FileManager.default
        let peers = ProcessInfo.processInfo.environment["PEERS"].map { $0 + "/bin" } ?? "/nowhere"
        let names = (try? manager.contentsOfDirectory(atPath: peers)) ?? []
        let found = names.filter { $0.hasPrefix("rclone-") }.sorted().map { "\(peers)/\($0)" }
        return (found + ["/usr/bin/rclone", "/usr/local/bin/rclone"]).first { manager.isExecutableFile(atPath: $0) }
    }()

    static func settings(_ remote: String, _ program: String? = program) -> RcloneSettings {
        var settings = RcloneSettings(ByteString(remote))
        settings.program = ByteString(program ?? "rclone")
        // No file of ours, and none of whoever runs the tests.
        settings.arguments += ["--config", "/dev/null"]
        return settings
    }

    static func store(_ folder: String) -> any ObjectStorage {
        RemoteStorage(RESTStorage(settings(folder)), policy: S3Bench.policy)
    }
}

@Suite(.onPool) struct RcloneTests {
    private let scratch = Scratch()

    private func failure(_ settings: RcloneSettings) async -> StorageFailure? {
        do {
            _ = try await RemoteStorage(RESTStorage(settings), policy: S3Bench.policy).exists()
            return nil
        } catch {
            return error as? StorageFailure
        }
    }

    /// A shell in the place of rclone, whose own arguments are in `$@`.
    private func script(_ text: String) -> RcloneSettings {
        var settings = RcloneBench.settings("nowhere:a", "/bin/sh")
        settings.arguments = ["-c", ByteString(text), "rclone"] + settings.arguments
        return settings
    }

    @Test func `a program that is not there is named`() async {
        let failure = await failure(RcloneBench.settings("remote:a", "/nowhere/rclone"))
        #expect(failure?.code == .unsupported)
        #expect(failure?.next.contains("install rclone") == true)
    }

    @Test func `what rclone says before it ends is told`() async {
        let failure = await failure(script("echo \"CRITICAL: didn't find section in config file\" >&2; exit 1"))
        #expect(failure?.code == .unsupported)
        #expect(failure?.what.contains("didn't find section in config file") == true, "\(String(describing: failure))")
        #expect(failure?.object.contains("rclone:nowhere:a") == true)
    }

    @Test func `E-11 one that says nothing is given up, and cancelling is heard`() async {
        var settings = script("exec sleep 600")
        settings.startSeconds = 1
        #expect(await failure(settings)?.what.contains("has not answered within 1 s") == true)
        settings.startSeconds = 600
        let patient = RESTStorage(settings)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await patient.exists() }
            await Task.yield()
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }

    @Test func `what does not speak HTTP is not talked with`() async {
        #expect(await failure(script("echo Welcome; exec cat"))?.code == .unsupported)
    }

    @Test(.enabled(if: RcloneBench.program != nil, "needs rclone"))
    func `E-17 an rclone that ends is started again`() async throws {
        let real = try #require(RcloneBench.program)
        let mark = scratch.path + "/mark"
        // The first one is killed once the mark is there.
        let end = "(until [ -e '\(mark)' ]; do sleep 0.05; done; kill -9 $$) </dev/null >/dev/null 2>&1 &"
        var settings = script("[ -e '\(mark)' ] || \(end)\nexec '\(real)' \"$@\"")
        settings.remote = ByteString(scratch.path + "/repo")
        let store = RemoteStorage(RESTStorage(settings), policy: S3Bench.policy)
        try await store.prepare()
        try await store.put(.config, block("config"))
        try Data().write(to: URL(fileURLWithPath: mark))
        for number in UInt64(0)..<200 { try await store.put(name(.pack, number), block("pack \(number)")) }
        #expect(try await store.listing(.pack).entries.count == 200)
    }

    @Test(.enabled(if: RcloneBench.program != nil, "needs rclone"))
    func `many large objects come and go at a time`() async throws {
        let store = RcloneBench.store(scratch.path + "/repo")
        try await store.prepare()
        let bytes = Block((0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in UInt64(0)..<8 {
                group.addTask {
                    try await store.put(name(.pack, number), bytes)
                    let back = try await store.get(name(.pack, number), range: 1_000_000..<4_999_999)
                    #expect(back.bytes == Array(bytes.bytes[1_000_000..<4_999_999]))
                }
            }
            try await group.waitForAll()
        }
    }
}
