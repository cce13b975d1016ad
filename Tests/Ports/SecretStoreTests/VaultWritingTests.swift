import Bytes
import Foundation
import Outcome
import SecretStore
import Strategy
import Testing
import TestSupport

/// What is written to the vault: added, read back, and done once however often it is asked for.
@Suite(.onPool) struct VaultWritingTests {
    private let new = NewVaultItem(
        name: NewVaultItem.datedName("restic-offsite", at: Timestamp(seconds: 1_790_000_000)),
        password: Secret("canary-new-password".utf8),
        notes: "opens repository offsite",
        operation: "rotate-offsite-1"
    )

    @Test func `an item is added with its day, proven, and found by whoever reads the vault afresh`() async throws {
        let rig = RigAccount("right")
        #expect(new.name == "restic-offsite 2026-09-21")
        let reference = try await rig.secrets(cached: true).add(new)
        guard case .vault(let place) = reference, case .id = place.item else {
            Issue.record("no reference by id")
            return
        }
        #expect(try await rig.read(place, rig.secrets()).secret.revealed == "canary-new-password")
        let named = SecretReference.VaultField(.named(new.name), field: "notes")
        #expect(try await rig.read(named, rig.secrets()).secret.revealed == "opens repository offsite")
        #expect(
            try await rig.read(place, rig.secrets(.cacheOnly, cached: true)).secret.revealed == "canary-new-password"
        )
        #expect(try await rig.read(.datastore, rig.secrets()).secret.revealed == "S3cret-ü")
    }

    @Test func `done again it adds nothing and names the same item`() async throws {
        let rig = RigAccount("right")
        let first = try await rig.secrets().add(new)
        let second = try await rig.secrets().add(new)
        #expect(first == second)
        #expect(try await VaultRig.state(rig.address)["writes"] as? Int == 1)
    }

    @Test func `an answer that is lost is looked for, not asked for again`() async throws {
        let rig = RigAccount("lost")
        let reference = try await rig.secrets().add(new)
        #expect(try await VaultRig.state(rig.address)["writes"] as? Int == 1)
        guard case .vault(let place) = reference else { return }
        #expect(try await rig.read(place, rig.secrets()).secret.revealed == "canary-new-password")
    }

    @Test func `a new password whose answer is lost is looked for as well`() async throws {
        let rig = RigAccount("lost")
        try await rig.secrets().replacePassword(of: .datastore, with: new.password)
        #expect(try await rig.read(.datastore, rig.secrets()).secret.revealed == "canary-new-password")
        #expect(try await VaultRig.state(rig.address)["writes"] as? Int == 1)
    }

    @Test func `a vault that goes down while it is written to is told with what is not known`() async throws {
        let rig = RigAccount("gone")
        let added = await failure { _ = try await rig.secrets().add(new) }
        #expect(added?.code == .vaultUnreachable)
        #expect(added?.state == "the item may be there; the old secret is still the one that counts")
        let login = RigAccount("gone")
        let replaced = await failure { try await login.secrets().replacePassword(of: .datastore, with: new.password) }
        #expect(replaced?.state == "the item has either password; its history keeps the old one")
        try await VaultRig.state(rig.address, mode: "right")
        _ = try await rig.secrets().add(new)
        #expect(try await VaultRig.state(rig.address)["writes"] as? Int == 1)
    }

    @Test func `a vault that says yes and stores nothing is found out`() async throws {
        let rig = RigAccount("forgetful")
        let failed = await failure { _ = try await rig.secrets().add(new) }
        #expect(failed?.what == "the vault took the item and does not have it")
        #expect(!words(failed).contains("canary"))
        let login = await failure { try await rig.secrets().replacePassword(of: .datastore, with: new.password) }
        #expect(login?.what == "holds another password than was written")
        #expect(!words(login).contains("canary"))
    }

    @Test func `a name that is taken is refused, and nothing is overwritten`() async throws {
        let rig = RigAccount("right")
        var taken = new
        taken.name = "pbs/datastore-main"
        let failed = await failure { _ = try await rig.secrets().add(taken) }
        #expect(failed?.what == "an item of that name is there already")
        #expect(try await VaultRig.state(rig.address)["writes"] as? Int == 0)
    }

    @Test func `a new password stands in front of the old one, and everything else of the item stays`() async throws {
        let rig = RigAccount("right")
        let place = SecretReference.VaultField(.named("shared/nas"))
        try await rig.secrets().replacePassword(of: place, with: new.password)
        try await rig.secrets().replacePassword(of: .datastore, with: new.password)
        #expect(try await VaultRig.state(rig.address)["dropped"] as? Int == 0)
        let secrets = try rig.secrets()
        #expect(try await rig.read(place, secrets).secret.revealed == "canary-new-password")
        #expect(try await rig.read(.datastore, secrets).secret.revealed == "canary-new-password")
        let kept = SecretReference.VaultField(.named("pbs/datastore-main"), field: "encryption-key")
        #expect(try await rig.read(kept, secrets).secret.revealed == "{\"kdf\":null}")
        let notes = SecretReference.VaultField(.named("pbs/datastore-main"), field: "notes")
        #expect(try await rig.read(notes, secrets).secret.revealed == "rotate yearly")
        let note = await failure {
            try await secrets.replacePassword(of: .init(.named("repo/offsite")), with: new.password)
        }
        #expect(note?.what == "is not the password of a login")
    }
}
