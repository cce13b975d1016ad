import Bytes
import Foundation
import HostSystem
import Outcome
import SecretStore
import Strategy
import Testing
import TestSupport

/// A vault that is down, slow, wrong or hostile: which reference failed is told, in time, and never a value.
@Suite(.onPool) struct VaultRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var mode: String
        var code: SecretCode
        var what: String
        var testDescription: String { mode }
    }

    @Test(arguments: [
        Case(
            mode: "weak",
            code: .vaultAnswer,
            what: "asks for PBKDF2 with 5000 iterations, where from 100000 to 2000000"
        ),
        Case(mode: "dear", code: .vaultAnswer, what: "asks for PBKDF2 with 90000000 iterations, where"),
        Case(mode: "factor", code: .vaultRefused, what: "asks for a second factor, which nobody gives at night"),
        Case(mode: "broken", code: .vaultUnreachable, what: "is out of order (HTTP 500)"),
        Case(mode: "often", code: .vaultUnreachable, what: "says that it was asked too often (HTTP 429)"),
        Case(mode: "huge", code: .vaultAbsent, what: "answers with more than 1 MiB"),
        Case(mode: "redirect", code: .vaultAbsent, what: "answers with a redirect (HTTP 302), which is not followed"),
        Case(mode: "html", code: .vaultAbsent, what: "does not answer as a vault does"),
        Case(mode: "nonsense", code: .vaultAbsent, what: "does not answer as a vault does"),
        Case(mode: "down", code: .vaultUnreachable, what: "does not answer: it closed the connection"),
        Case(mode: "slow", code: .vaultUnreachable, what: "does not answer within 1 s"),
        Case(mode: "drip", code: .vaultUnreachable, what: "does not answer within 1 s"),
        Case(mode: "badkey", code: .vaultRefused, what: "does not open the key of backup@example.test"),
        Case(mode: "echo", code: .vaultRefused, what: "is refused as password of backup@example.test"),
    ])
    func `Q-06 a vault that does not help is told in time, and shows nothing of ours`(_ entry: Case) async throws {
        let rig = RigAccount(entry.mode)
        let clock = ContinuousClock()
        let start = clock.now
        let seconds = ["slow", "drip"].contains(entry.mode) ? 1 : 200
        let secrets = try rig.secrets(answerSeconds: seconds)
        let failed = await failure { _ = try await rig.read(.datastore, secrets) }
        #expect(failed?.code == entry.code)
        #expect(failed?.what.hasPrefix(entry.what) == true, "\(words(failed))")
        #expect(failed?.next.isEmpty == false)
        #expect(failed?.state.isEmpty == false)
        // The client cancels on the threads that all tests share: under their load the bound is when the server would answer, not a second.
        #expect(clock.now - start < .seconds(300))
        expectNoSecret(failed)
    }

    @Test func `a wrong password is told by its reference, once, and never again tried`() async throws {
        var rig = RigAccount("right")
        rig.password = "canary-wrong-password"
        let secrets = try rig.secrets()
        for _ in 0..<3 {
            let failed = await failure { _ = try await rig.read(.datastore, secrets) }
            #expect(failed?.code == .vaultRefused)
            #expect(failed?.retry == .never)
            #expect(failed?.object == rig.passwordReference.text)
            #expect(
                failed?.what
                    == "is refused as password of backup@example.test; it says: Username or password is incorrect. Try again"
            )
            #expect(!words(failed).contains("canary"))
        }
        #expect(try await VaultRig.state(rig.address)["refused"] as? Int == 1)
    }

    @Test func `a password that was corrected is tried at once, and the same wrong one never again`() async throws {
        var rig = RigAccount("right")
        rig.password = "canary-wrong-password"
        let secrets = try rig.secrets()
        for _ in 0..<2 {
            let failed = await failure { _ = try await rig.read(.datastore, secrets) }
            #expect(failed?.code == .vaultRefused)
            #expect(failed?.next.contains("a corrected one is tried at once") == true)
        }
        rig.scratch.write("master", "canary-another-wrong-one\n")
        for _ in 0..<2 {
            let failed = await failure { _ = try await rig.read(.datastore, secrets) }
            #expect(failed?.code == .vaultRefused)
        }
        #expect(try await VaultRig.state(rig.address)["refused"] as? Int == 2)
        rig.scratch.write("master", VaultRig.password + "\n")
        #expect(try await rig.read(.datastore, secrets).secret.revealed == "S3cret-ü")
        #expect(try await VaultRig.state(rig.address)["refused"] as? Int == 2)
    }

    @Test func `a wrong API key is told by its references`() async throws {
        var rig = RigAccount("right")
        rig.hasAPIKey = true
        rig.clientSecret = "canary-wrong"
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(failed?.code == .vaultRefused)
        #expect(failed?.object == "file:\(rig.scratch.path)/id with file:\(rig.scratch.path)/client")
        #expect(!words(failed).contains("canary"))
    }

    @Test func `an API key with a wrong password is told by the password's reference`() async throws {
        var rig = RigAccount("apikey")
        rig.hasAPIKey = true
        rig.password = "canary-wrong-password"
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(failed?.code == .vaultRefused)
        #expect(failed?.object == rig.passwordReference.text)
        #expect(failed?.what == "does not open the key of backup@example.test in vault \(rig.address)")
    }

    @Test func `nobody at the address, and a password that is not there`() async throws {
        var rig = RigAccount("right")
        rig.address = "http://127.0.0.1:1"
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(failed?.code == .vaultUnreachable)
        #expect(failed?.retry == .later)
        #expect(failed?.object == "vault http://127.0.0.1:1")
        let account = try VaultAccount(address: rig.address, email: "a@b", password: .file("/none"))
        let secrets = VaultSecrets(account, mode: .vaultFirst, cache: nil)
        let absent = await failure { _ = try await rig.read(.datastore, secrets) }
        #expect(absent?.object == "file:/none")
    }

    @Test func `a password that a person types is taken, and told as such when it is wrong or nobody is there`()
        async throws
    {
        var rig = RigAccount("right")
        rig.hasPasswordFile = false
        let nobody = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(nobody?.what == "is not declared, and nobody is there to type it")
        rig.typed = VaultRig.password
        #expect(try await rig.read(.datastore, rig.secrets()).secret.revealed == "S3cret-ü")
        rig.typed = "canary-wrong"
        let wrong = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(wrong?.object == "master password of backup@example.test")
        #expect(!words(wrong).contains("canary"))
    }

    @Test func `Q-06 a cancelled question ends at once`() async throws {
        let rig = RigAccount("slow")
        let secrets = try rig.secrets(answerSeconds: 900)
        let clock = ContinuousClock()
        try await withThrowingTaskGroup(of: ResolvedSecret.self) { group in
            group.addTask { try await rig.read(.datastore, secrets) }
            try await Task.sleep(for: .milliseconds(300))
            let start = clock.now
            group.cancelAll()
            let end = await group.nextResult()
            guard case .failure(let error)? = end, error is CancellationError else {
                Issue.record("ended with \(String(describing: end))")
                return
            }
            // A tenth of a second alone; see above.
            #expect(clock.now - start < .seconds(300))
        }
    }

    @Test func `many who ask at once share one login`() async throws {
        let rig = RigAccount("right")
        let secrets = try rig.secrets()
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try await rig.read(.datastore, secrets).secret.revealed } }
            for try await found in group { #expect(found == "S3cret-ü") }
        }
        #expect(try await VaultRig.state(rig.address)["logins"] as? Int == 1)
    }

    @Test func `TLS is verified: a foreign certificate is refused, and that of our own authority taken`() async throws {
        let scratch = Scratch()
        let made = try await run(
            Command(
                [
                    "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=rig",
                    "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", "\(scratch.path)/key.pem", "-out",
                    "\(scratch.path)/chain.pem",
                ].map { ByteString($0) }
            )
        )
        try #require(made.ending.isSuccess)
        let server = VaultRig(certificate: ("\(scratch.path)/chain.pem", "\(scratch.path)/key.pem"))
        var rig = RigAccount("right")
        rig.address = server.address("right", scheme: "https")
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(failed?.code == .vaultAnswer, "\(words(failed))")
        #expect(failed?.what == "shows a certificate that is not trusted, or none")
        rig.certificates = "\(scratch.path)/chain.pem"
        #expect(try await rig.read(.datastore, rig.secrets()).secret.revealed == "S3cret-ü")
        rig.address = server.address("right")
        let plain = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(plain?.code == .vaultUnreachable, "\(words(plain))")
        rig.address = VaultRig.plain.address("right", scheme: "https")
        let noTLS = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(noTLS?.what == "shows a certificate that is not trusted, or none", "\(words(noTLS))")
        rig.certificates = "/none.pem"
        let noFile = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(noFile != nil)
    }

    private func expectNoSecret(_ failed: SecretFailure?) {
        let said = words(failed)
        for canary in [
            VaultRig.password, "horse", VaultRig.clientSecret, "0SNQIQ", "S3cret", "canary", "token-", "refresh-",
            "hunter2",
        ] {
            #expect(!said.contains(canary), "\(said)")
        }
    }
}
