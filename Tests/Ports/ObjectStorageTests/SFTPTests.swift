import Bytes
import Foundation
import ObjectStorage
import Outcome
import TestSupport
import Testing

/// Folders that are reached by SFTP: through OpenSSH's server alone, and through its client and daemon.
enum SFTPBench {
    /// The server of OpenSSH, which speaks over its standard streams; nil where it is not installed.
    static let server = ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static func settings(_ folder: String, _ command: [String]) throws -> SFTPSettings {
        SFTPSettings(try SFTPLocation(parsing: "rig:\(folder)"), command: command.map { ByteString($0) })
    }

    static func store(_ folder: String, _ command: [String]) -> any ObjectStorage {
        do { return RemoteStorage(SFTPStorage(try settings(folder, command)), policy: S3Bench.policy) } catch {
            preconditionFailure("\(error)")
        }
    }
}

@Suite(.onPool, .enabled(if: SFTPBench.server != nil, "needs openssh-sftp-server")) struct SFTPTests {
    private let scratch = Scratch()
    private let bytes = Block((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })

    private func store(_ command: [String]? = nil) throws -> any ObjectStorage {
        SFTPBench.store(scratch.path + "/repo", try command ?? [#require(SFTPBench.server)])
    }

    private func prepared() async throws -> any ObjectStorage {
        let store = try store()
        try await store.prepare()
        try await store.put(.config, block("config"))
        return store
    }

    @Test(arguments: [
        ("//me@host:2222/rel/path", "sftp://me@host:2222/rel/path"), ("//host//abs//path/", "sftp:host:/abs/path"),
        ("me@host:rel", "sftp:me@host:rel"), ("host:/abs/../x", "sftp:host:/x"),
        ("me@corp@host:a", "sftp:me@corp@host:a"),
        ("//[::1]:22/a", "sftp://::1:22/a"),
    ]) func `locations are read as restic writes them`(_ text: String, _ shown: String) throws {
        #expect(try SFTPLocation(parsing: text).text == shown)
    }

    @Test(arguments: ["host", "//host", "//host/", ":path", "host:", "host:~/x", "//me:pw@host/a", "//host:x/a"])
    func `what is no location is refused`(_ text: String) {
        #expect(throws: SFTPLocation.Trouble.self) { try SFTPLocation(parsing: text) }
    }

    @Test func `ssh gets what restic gives it`() throws {
        let settings = SFTPSettings(try SFTPLocation(parsing: "//me@host:2222/a"), arguments: ["-i", "key"])
        let words = settings.command.map(\.display)
        #expect(words == ["ssh", "-p", "2222", "-l", "me", "-i", "key", "-s", "--", "host", "sftp"])
    }

    @Test func `L1 objects lie as in a local repository, read-only, and nothing else is left`() async throws {
        let store = try await prepared()
        try await store.put(name(.pack, 1), bytes)
        try await store.put(name(.snapshot, 1), block("snapshot"))
        #expect(scratch.files() == [name(.pack, 1).path, name(.snapshot, 1).path, "config"].sorted())
        #expect(try scratch.permissions("repo/\(name(.pack, 1).path)") & 0o777 == 0o400)
        let local = scratch.store()
        #expect(try await local.get(name(.pack, 1)).bytes == bytes.bytes)
    }

    @Test func `E-17 a half written object of a run that was killed is no object`() async throws {
        let store = try await prepared()
        let stray = "\(scratch.path)/repo/\(name(.pack, 1).path)-restic-temp-00"
        try Data("half".utf8).write(to: URL(fileURLWithPath: stray))
        let listing = try await store.listing(.pack)
        #expect(listing.entries.isEmpty)
        #expect(listing.foreignCount == 1)
    }

    @Test func `E-17 a conversation that breaks is begun anew`() async throws {
        let store = try await prepared()
        // Ends after its greeting and one answer, each time until the file is gone.
        let mark = scratch.path + "/break"
        try Data().write(to: URL(fileURLWithPath: mark))
        let server = try #require(SFTPBench.server)
        let breaking = SFTPBench.store(
            scratch.path + "/repo",
            ["/bin/sh", "-c", "if [ -e '\(mark)' ]; then rm '\(mark)'; head -c 9 | \(server); else exec \(server); fi"]
        )
        #expect(try await breaking.exists())
        try await breaking.put(name(.pack, 1), bytes)
        #expect(try await store.get(name(.pack, 1)).bytes == bytes.bytes)
    }

    @Test(arguments: [
        ("echo Host key verification failed. >&2", StorageCode.untrusted, "host key"),
        ("echo 'me@host: Permission denied (publickey).' >&2", .auth, "let us in"),
        ("echo 'subsystem request failed on channel 0' >&2", .unsupported, "no SFTP"),
        (
            "printf 'ssh: connect to host x port 22: Connection refused\\r\\n' >&2", .unreachable,
            "(ssh: connect to host x port 22: Connection refused)"
        ),
        ("echo Welcome to this machine; exec sleep 600", .answer, "not SFTP"),
    ]) func `E-17 why ssh ended is told by what it means`(_ script: String, _ code: StorageCode, _ words: String)
        async throws
    {
        let settings = try SFTPBench.settings("/nowhere", ["/bin/sh", "-c", "\(script); exit 255"])
        let store = SFTPStorage(settings)
        let failure = await failure { _ = try await store.exists() }
        #expect(failure?.code == code, "\(String(describing: failure))")
        #expect(failure?.what.contains(words) == true, "\(String(describing: failure))")
        #expect(failure?.next.isEmpty == false)
        #expect(failure?.cause.map { "\($0)".contains("(status:") || "\($0)".contains("lastWords") } == false)
    }

    @Test func `a program that is not there is named`() async throws {
        let store = SFTPStorage(try SFTPBench.settings("/nowhere", ["/nowhere/ssh"]))
        let failure = await failure { _ = try await store.exists() }
        #expect(failure?.code == .unsupported)
        #expect(failure?.what.contains("/nowhere/ssh") == true)
    }

    @Test func `E-11 a server that says nothing is given up, and cancelling is heard`() async throws {
        var settings = try SFTPBench.settings("/nowhere", ["/bin/sleep", "600"])
        settings.silenceSeconds = 2
        let silent = SFTPStorage(settings)
        #expect(await code { _ = try await silent.exists() } == .timeout)
        settings.silenceSeconds = 600
        let patient = SFTPStorage(settings)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await patient.exists() }
            await Task.yield()
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }

    @Test func `C-01 a full disk is told as one`() async throws {
        guard scratch.mountMemory("size=2m", for: "C-01") else { return }
        let store = SFTPBench.store(scratch.path + "/mnt/repo", [try #require(SFTPBench.server)])
        try await store.prepare()
        let failure = await failure { try await store.put(name(.pack, 1), bytes) }
        #expect(failure?.code == .noSpace, "\(String(describing: failure))")
        #expect(scratch.files(below: "mnt/repo").isEmpty)
    }
}
