import Foundation
import Outcome
import SecretStore
import Strategy
import Testing
import TestSupport

/// The vault read over HTTP: what is in the fixtures is found, and everything else is refused in words that help.
@Suite(.onPool) struct VaultReadingTests {
    @Test(arguments: ["right", "argon", "expired"])
    func `every field of the fixtures is read`(mode: String) async throws {
        let rig = RigAccount(mode)
        let secrets = try rig.secrets()
        let expected: [(SecretReference.VaultField, String)] = [
            (.datastore, "S3cret-ü"),
            (.init(.named("pbs/datastore-main"), field: "password"), "S3cret-ü"),
            (.init(.named("pbs/datastore-main"), field: "username"), "backup@pbs!ci"),
            (.init(.named("pbs/datastore-main"), field: "uri"), "https://pbs.example.test:8007"),
            (.init(.named("pbs/datastore-main"), field: "notes"), "rotate yearly"),
            (.init(.named("pbs/datastore-main"), field: "encryption-key"), "{\"kdf\":null}"),
            (.init(.named("repo/offsite")), "passphrase: tango uniform\nsecond line"),
            (.init(.named("repo/offsite"), field: "repo-password"), "hunter2"),
            (.init(.named("shared/nas")), "new-pass"),
            (.init(.id("29fd213a-c64d-4313-98e8-e5281eedec20"), field: "username"), "svc"),
        ]
        for (place, value) in expected {
            let found = try await rig.read(place, secrets)
            #expect(found.secret.revealed == value)
            #expect(found.source == .vault)
            #expect(found.findings.isEmpty)
        }
        let state = try await VaultRig.state(rig.address)
        #expect(state["logins"] as? Int == 1, "one login for all of them")
        #expect((state["refreshes"] as? Int ?? 0) >= (mode == "expired" ? 1 : 0))
    }

    @Test func `an API key logs in, and the password decrypts`() async throws {
        var rig = RigAccount("apikey")
        rig.hasAPIKey = true
        #expect(try await rig.read(.datastore, rig.secrets()).secret.revealed == "S3cret-ü")
    }

    @Test func `a token that the server says has ended is renewed once`() async throws {
        let rig = RigAccount("once")
        #expect(try await rig.read(.datastore, rig.secrets()).secret.revealed == "S3cret-ü")
        #expect(try await VaultRig.state(rig.address)["refreshes"] as? Int == 1)
        let closed = RigAccount("unauthorised")
        let failed = await failure { _ = try await closed.read(.datastore, closed.secrets()) }
        #expect(failed?.code == .vaultRefused)
        #expect(failed?.what == "refuses it (HTTP 401)")
    }

    @Test(
        arguments: [
            (.init(.named("none")), "the vault has no item of that name; 1 did not open, and one of those may have it"),
            (
                .init(.named("old/thing")),
                "the vault has no item of that name; 1 did not open, and one of those may have it"
            ),
            (.init(.id("7ebee335-0f01-44e4-ac75-b672f86552e1")), "the item was changed, or sealed under another key"),
            (.init(.id("00000000-0f01-44e4-ac75-b672f86552e1")), "the vault has no item of that id"),
            (.init(.named("pbs/datastore-main"), field: "none"), "the item has no field \"none\""),
            (.init(.named("repo/offsite"), field: "password"), "the item has no field \"password\""),
        ] as [(SecretReference.VaultField, String)]
    )
    func `what the vault does not have is named by its reference`(place: SecretReference.VaultField, what: String)
        async throws
    {
        let rig = RigAccount("right")
        let failed = await failure { _ = try await rig.read(place, rig.secrets()) }
        #expect(failed?.code == .vaultItem)
        #expect(failed?.object == SecretReference.vault(place).text)
        #expect(failed?.what == what)
        #expect(failed?.next.isEmpty == false)
    }

    @Test func `a name that two items have is refused with their ids, and an id decides`() async throws {
        let rig = RigAccount("twice")
        let secrets = try rig.secrets()
        let failed = await failure { _ = try await rig.read(.datastore, secrets) }
        #expect(
            failed?.what
                == "2 items have that name: 00000000-0000-0000-0000-000000000007, 38d65def-bbb1-4935-89e9-25e1faba63b3"
        )
        let one = SecretReference.VaultField(.id("38d65def-bbb1-4935-89e9-25e1faba63b3"))
        #expect(try await rig.read(one, secrets).secret.revealed == "S3cret-ü")
    }

    @Test func `a password that the collection hides is not read around it`() async throws {
        let rig = RigAccount("hidden")
        let secrets = try rig.secrets()
        for field in [nil, "password", "encryption-key"] {
            let place = SecretReference.VaultField(.named("pbs/datastore-main"), field: field)
            let failed = await failure { _ = try await rig.read(place, secrets) }
            #expect(failed?.what == "the collection hides its passwords from this account")
        }
        let open = SecretReference.VaultField(.named("pbs/datastore-main"), field: "fingerprint")
        #expect(try await rig.read(open, secrets).secret.revealed == "AA:BB")
    }

    @Test func `an item whose texts were changed is refused, not guessed`() async throws {
        let rig = RigAccount("badmac")
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets()) }
        #expect(failed?.code == .vaultItem)
        #expect(failed?.what.contains("; 4 did not open") == true)
    }

    @Test func `an address that is not this vault's is refused before anything is asked`() {
        for address in [
            "http://vault.example", "ftp://vault.example", "https://", "https://user:pw@vault.example", "vault.example",
            "https://vault.example/?x", "https://vault .example", "http://127.0.0.1.example",
        ] {
            #expect(throws: SecretFailure.self) {
                try VaultAccount(address: address, email: "a@b", password: .environment("X"))
            }
        }
        #expect(throws: SecretFailure.self) {
            try VaultAccount(address: "https://v.example", email: "a@b", password: .vault(.datastore))
        }
        #expect(throws: SecretFailure.self) {
            try SealedCache(path: "/x/y", key: .vault(.datastore), resolver: SecretResolver())
        }
    }
}
