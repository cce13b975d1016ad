import Bytes
import Foundation
import HostSystem
import Outcome
import SecretStore
import Strategy
import Testing
import TestSupport

/// Files, variables, commands and credentials: what they give, and what is said when they give nothing.
@Suite(.onPool) struct SecretResolverTests {
    private let scratch = Scratch()
    private let time = StillTime(4711)

    private func resolver(_ variables: [String: String] = [:], commandNanoseconds: UInt64? = nil) -> SecretResolver {
        SecretResolver(
            time: time,
            variable: { variables[$0].map { ByteString($0) } },
            commandNanoseconds: commandNanoseconds ?? SecretLimits.commandNanoseconds
        )
    }

    private func command(_ words: String...) -> SecretReference { .command(.init(words: words)) }

    @Test(arguments: ["hunter2", "hunter2\n", "hunter2\r\nmore", "hunter2\n\nmore\n"])
    func `the first line of a file is the secret`(content: String) async throws {
        let found = try await resolver().resolve(.file(scratch.write("a", content)))
        #expect(found.secret.revealed == "hunter2")
        #expect(found.source == .file)
        #expect(found.moment == Timestamp(seconds: 4711))
        #expect(found.findings.isEmpty)
        #expect(found.ageSeconds == nil)
    }

    @Test func `a file that others can read is told and used`() async throws {
        let found = try await resolver().resolve(.file(scratch.write("a", "x", mode: 0o644)))
        #expect(found.findings.map(\.code) == ["secret-readable"])
        #expect(found.findings.first?.what == "can be read by others: mode 644")
    }

    @Test func `a file that does not exist is absent for who asks, and a failure for who needs it`() async throws {
        let reference = SecretReference.file(scratch.path + "/none")
        #expect(try await resolver().resolveIfPresent(reference) == nil)
        let failed = await failure { _ = try await resolver().resolve(reference) }
        #expect(failed?.code == .unreadable)
        #expect(failed?.object == reference.text)
        #expect(failed?.next.isEmpty == false)
    }

    @Test func `an empty line, a folder, a pipe and a huge file are refused`() async throws {
        let empty = scratch.write("empty", "\nhunter2")
        let huge = scratch.write("huge", String(repeating: "x", count: SecretLimits.secretBytes + 1))
        let pipe = scratch.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        let expected = [
            (empty, "its first line is empty"), (scratch.path, "is not a regular file"),
            (pipe, "is not a regular file"),
            (huge, "has more than 64 KiB, which is no secret"),
        ]
        for (path, what) in expected {
            let failed = await failure { _ = try await resolver().resolve(.file(path)) }
            #expect(failed?.what == what)
            #expect(failed?.object == "file:\(path)")
            #expect(!words(failed).contains("hunter2"))
        }
    }

    @Test func `a variable gives its value, and an unset or empty one is a failure`() async throws {
        let variables = ["A": "hun\nter2", "EMPTY": ""]
        #expect(try await resolver(variables).resolve(.environment("A")).secret.revealed == "hun\nter2")
        for name in ["EMPTY", "NONE"] {
            let failed = await failure { _ = try await resolver(variables).resolve(.environment(name)) }
            #expect(failed?.what == "the variable is not set")
        }
    }

    @Test func `a credential is a file of systemd's folder`() async throws {
        scratch.write("repo", "hunter2\n", mode: 0o440)
        let variables = ["CREDENTIALS_DIRECTORY": scratch.path]
        let found = try await resolver(variables).resolve(.credential("repo"))
        #expect(found.secret.revealed == "hunter2")
        #expect(found.source == .credential)
        #expect(found.findings.isEmpty)
        let missing = await failure { _ = try await resolver(variables).resolve(.credential("none")) }
        #expect(missing?.next == "add LoadCredentialEncrypted=none to the service")
        let noService = await failure { _ = try await resolver().resolve(.credential("repo")) }
        #expect(noService?.what.contains("CREDENTIALS_DIRECTORY is not set") == true)
    }

    @Test func `a vault reference without a vault says so`() async throws {
        let failed = await failure { _ = try await resolver().resolve(.vault(.init(.named("x")))) }
        #expect(failed?.what == "no vault is known here")
    }

    @Test func `the first line that a command writes is the secret`() async throws {
        let found = try await resolver().resolve(command("printf", "hunter2\nnotes\n"))
        #expect(found.secret.revealed == "hunter2")
        #expect(found.source == .command)
    }

    @Test func `a command sees none of our variables that may hold a secret`() async throws {
        setenv("HOLDFAST_TEST_CANARY", "hunter2", 1)
        let failed = await failure {
            _ = try await resolver().resolve(command("sh", "-c", "printf %s \"$HOLDFAST_TEST_CANARY\""))
        }
        #expect(failed?.what == "its first line is empty")
    }

    @Test func `a command that fails is named with its status and what it says`() async throws {
        let failed = await failure {
            _ = try await resolver().resolve(command("sh", "-c", "echo vault is locked >&2; echo more >&2; exit 3"))
        }
        #expect(failed?.what == "the command ended with exit status 3; it said: vault is locked")
        let absent = await failure { _ = try await resolver().resolve(command("holdfast-no-such-program")) }
        #expect(absent?.what.hasPrefix("the command cannot be started: No such file or directory") == true)
    }

    @Test func `S-03 a command that complains with the secret is not quoted`() async throws {
        let failed = await failure {
            _ = try await resolver().resolve(command("sh", "-c", "echo hunter2; echo cannot use hunter2 >&2; exit 1"))
        }
        #expect(failed?.what == "the command ended with exit status 1")
        let long = await failure {
            _ = try await resolver().resolve(command("sh", "-c", "printf 'x%.0s' $(seq 9999) >&2; exit 1"))
        }
        #expect((long?.what.count ?? 0) < 240)
    }

    @Test func `Q-06 a command that hangs is killed with all that it started`() async throws {
        let mark = scratch.path + "/alive"
        let failed = await failure {
            _ = try await resolver(commandNanoseconds: 300_000_000).resolve(
                command("sh", "-c", "(sleep 1; touch \(mark)) & sleep 60")
            )
        }
        #expect(failed?.what == "the command ended with killed after its time limit")
        try await Task.sleep(for: .milliseconds(1200))
        #expect(!FileManager.default.fileExists(atPath: mark))
    }

    @Test func `a command that never ends writing is refused`() async throws {
        let failed = await failure {
            _ = try await resolver().resolve(command("head", "-c", "200000", "/dev/zero"))
        }
        #expect(failed?.what == "the command writes more than 64 KiB, which is no secret")
    }

    @Test func `a check tells of each reference what it gives or why not, and keeps a tag alone`() async throws {
        let references: [SecretReference] = [
            .file(scratch.write("a", "hunter2\n")), .environment("B"), .environment("NONE"), .environment("SAME"),
        ]
        let resolver = resolver(["B": "hunter3", "SAME": "hunter2"])
        let checks = try await resolver.check(references, tagKey: Secret("key of this machine".utf8))
        #expect(checks.map(\.reference) == references)
        let found = checks.map { try? $0.result.get() }
        #expect(found.map { $0?.source } == [.file, .environment, nil, .environment])
        #expect(found.map { $0?.byteCount } == [7, 7, nil, 7])
        #expect(found[0]?.tag == found[3]?.tag)
        #expect(found[0]?.tag != found[1]?.tag)
        #expect(found[0]?.tag.count == 8)
        #expect(!"\(checks)".contains("hunter"))
        let otherwise = try await resolver.check([references[0]], tagKey: Secret("another key".utf8))
        #expect(try otherwise[0].result.get().tag != found[0]?.tag)
    }
}
