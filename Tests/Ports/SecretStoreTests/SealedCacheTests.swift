import Bytes
import Foundation
import HostSystem
import Outcome
import SecretStore
import Strategy
import Testing
import TestSupport

/// The sealed copy: used when the vault is down, with its age; refused when it is damaged; never in clear on the disk.
@Suite(.onPool) struct SealedCacheTests {
    private func bytes(_ rig: RigAccount) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: rig.cachePath)) }

    @Test func `a vault that went down gives the last sealed copy, with its age, in amber`() async throws {
        let rig = RigAccount("right")
        #expect(try await rig.read(.datastore, rig.secrets(cached: true)).source == .vault)
        let fetched = rig.time.now()
        rig.time.advance(3 * 86_400 + 60)
        try await VaultRig.state(rig.address, mode: "down")
        let found = try await rig.read(.datastore, rig.secrets(cached: true))
        #expect(found.secret.revealed == "S3cret-ü")
        #expect(found.source == .cache(fetched: fetched))
        #expect(found.ageSeconds == Int64(259_260))
        #expect(found.findings.map(\.severity) == [.warning])
        #expect(
            found.findings.first?.what
                == "vault \(rig.address) does not answer: it closed the connection; the sealed copy of 2026-09-21T14:13:20Z was used, 3 days old"
        )
    }

    @Test func `an unattended run takes the sealed copy alone, and needs no password of the vault`() async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        let before = try await VaultRig.state(rig.address)["logins"] as? Int
        let night = try rig.secrets(.cacheOnly, cached: true)
        try FileManager.default.removeItem(atPath: rig.scratch.path + "/master")
        let found = try await rig.read(.datastore, night)
        #expect(found.secret.revealed == "S3cret-ü")
        #expect(found.findings.isEmpty)
        #expect(try await VaultRig.state(rig.address)["logins"] as? Int == before)
        let absent = await failure { _ = try await rig.read(.init(.named("repo/offsite")), night) }
        #expect(absent?.code == .cache)
        #expect(absent?.object == "vault:repo/offsite")
        #expect(absent?.next == "run `holdfast secret fetch` while the vault answers")
        rig.time.advance(31 * 86_400)
        #expect(try await rig.read(.datastore, night).findings.map(\.code) == ["secret-old"])
        let none = try RigAccount("right").secrets(.cacheOnly)
        #expect(await failure { _ = try await none.resolve(.datastore) }?.code == .cache)
    }

    @Test func `a sealed copy that was used without a question is amber as soon as the vault does not answer`()
        async throws
    {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        rig.time.advance(3 * 86_400 + 60)
        let night = try rig.secrets(.cacheOnly, cached: true)
        let use = try #require(SealedUse(try await rig.read(.datastore, night)))
        #expect(await night.findings(of: [use]).isEmpty)
        try await VaultRig.state(rig.address, mode: "down")
        let finding = try #require(await night.findings(of: [use]).first)
        #expect(finding.severity == .warning && finding.object == use.reference.text)
        #expect(finding.what.contains("does not answer") && finding.what.hasSuffix("was used, 3 days old"))
        #expect(await night.findings(of: []).isEmpty)
        // Asked first, it has said so by itself.
        let day = try rig.secrets(cached: true)
        let asked = try #require(SealedUse(try await rig.read(.datastore, day)))
        #expect(await day.findings(of: [asked]) == asked.findings && asked.findings.count == 1)
    }

    @Test func `a refusal, a changed item and a hostile server are not hidden by the sealed copy`() async throws {
        for mode in ["factor", "badkey", "weak"] {
            let rig = RigAccount("right")
            _ = try await rig.read(.datastore, rig.secrets(cached: true))
            try await VaultRig.state(rig.address, mode: mode)
            let failed = await failure { _ = try await rig.read(.datastore, rig.secrets(cached: true)) }
            #expect(failed != nil, "\(mode)")
            #expect(failed?.code == (mode == "weak" ? .vaultAnswer : .vaultRefused), "\(mode)")
        }
    }

    @Test(arguments: ["html", "redirect", "nonsense", "huge", "broken", "proxy"])
    func `what answers in the vault's place is no vault: the sealed copy is used, in amber`(mode: String) async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        rig.time.advance(2 * 86_400)
        let night = try rig.secrets(.cacheOnly, cached: true)
        let use = try #require(SealedUse(try await rig.read(.datastore, night)))
        try await VaultRig.state(rig.address, mode: mode)
        let found = try await rig.read(.datastore, rig.secrets(cached: true))
        #expect(found.secret.revealed == "S3cret-ü")
        #expect(found.findings.map(\.code) == ["secret-from-cache"])
        #expect(found.findings.first?.what.hasSuffix("was used, 2 days old") == true, "\(found.findings)")
        // Of a run that asks nobody, as far as a question without an account shows it.
        if mode != "nonsense" { #expect(await night.findings(of: [use]).map(\.code) == ["secret-from-cache"]) }
    }

    @Test func `a sealed copy counts for its time, is amber long before, and refused after it`() async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        let read = { (days: Int64) in
            try await rig.read(.datastore, rig.secrets(.cacheOnly, cached: true, sealedFor: .seconds(days * 86_400)))
        }
        rig.time.advance(20 * 86_400 - 60)
        #expect(try await read(180).findings.isEmpty)
        let amber = try #require(try await read(20).findings.first)
        #expect(amber.code == "secret-old" && amber.what.hasSuffix("19 days old; it counts for 20d"), "\(amber)")
        rig.time.advance(120)
        let failed = await failure { _ = try await read(20) }
        #expect(failed?.code == .cache && failed?.object == "vault:pbs/datastore-main")
        #expect(failed?.what.hasSuffix("is 20 days old, and counts for 20d") == true, "\(words(failed))")
        #expect(failed?.next.contains("holdfast secret fetch") == true)
        try await VaultRig.state(rig.address, mode: "down")
        let down = await failure {
            _ = try await rig.read(.datastore, rig.secrets(cached: true, sealedFor: .seconds(20 * 86_400)))
        }
        #expect(down?.what.contains("does not answer") == true && down?.what.contains("counts for") == true)
        #expect(try await read(21).secret.revealed == "S3cret-ü")
    }

    @Test func `R-01 what may delete is read from the vault, and never enters the sealed copy`() async throws {
        let rig = RigAccount("right")
        let found = try await rig.read(.datastore, rig.secrets(cached: true, unsealed: [.vault(.datastore)]))
        #expect(found.secret.revealed == "S3cret-ü")
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets(.cacheOnly, cached: true)) }
        #expect(failed?.code == .cache, "\(words(failed))")
    }

    @Test func `a server that asks for a weaker derivation than before is refused before anything is sent`()
        async throws
    {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        try await VaultRig.state(rig.address, mode: "lowered")
        let failed = await failure { _ = try await rig.read(.datastore, rig.secrets(cached: true)) }
        #expect(failed?.code == .vaultAnswer)
        #expect(
            failed?.what
                == "asks for PBKDF2, 100000 iterations, weaker than PBKDF2, 600000 iterations before; nothing was sent to it"
        )
        #expect(try await VaultRig.state(rig.address)["logins"] as? Int == 1)
    }

    @Test func `S-06 S-07 the file is for its owner alone and holds nothing in clear`() async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        let status = try HostSystem.status(at: ByteString(rig.cachePath))
        #expect(status.permissions == 0o600)
        #expect(try HostSystem.status(at: ByteString(rig.scratch.path + "/state")).permissions == 0o700)
        let content = try bytes(rig)
        for word in ["S3cret", "vault:pbs", "backup@example.test", Data("S3cret-ü".utf8).base64EncodedString()] {
            #expect(content.range(of: Data(word.utf8)) == nil)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.scratch.path + "/state")
        #expect(names == ["vault.sealed"])
    }

    @Test func `every kind of damage is refused by the file's name, and asking the vault again mends it`() async throws
    {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        let whole = try bytes(rig)
        var damaged: [Data] = [
            Data(), whole.prefix(7), whole.prefix(72), whole.dropLast(), whole + [0], Data(count: whole.count),
        ]
        for index in [0, 8, 71, 72, 90, whole.count - 1] {
            var changed = whole
            changed[index] ^= 1
            damaged.append(changed)
        }
        for content in damaged {
            try content.write(to: URL(fileURLWithPath: rig.cachePath))
            let failed = await failure { _ = try await rig.read(.datastore, rig.secrets(.cacheOnly, cached: true)) }
            #expect(failed?.code == .cache)
            #expect(failed?.object == rig.cachePath)
            #expect(failed?.next == "run `holdfast secret fetch` while the vault answers")
        }
        let mended = try await rig.read(.datastore, rig.secrets(cached: true))
        #expect(mended.source == .vault)
        #expect(mended.findings.map(\.code) == ["secret-copy-replaced"])
        #expect(try await rig.read(.datastore, rig.secrets(.cacheOnly, cached: true)).secret.revealed == "S3cret-ü")
        let aside = try Data(contentsOf: URL(fileURLWithPath: rig.cachePath + ".refused"))
        #expect(aside == damaged.last)
    }

    @Test func `under another key a new copy is begun, and the old one still opens under its own`() async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        let key = try Data(contentsOf: URL(fileURLWithPath: rig.scratch.path + "/machine.key"))
        rig.scratch.write("machine.key", "another-key-0123456789abcdef")
        let found = try await rig.read(.init(.named("shared/nas")), rig.secrets(cached: true))
        #expect(found.findings.map(\.code) == ["secret-copy-replaced"])
        try key.write(to: URL(fileURLWithPath: rig.scratch.path + "/machine.key"))
        let old = try SealedCache(path: rig.cachePath + ".refused", key: rig.cacheKey, resolver: SecretResolver())
        #expect(try await old.read()?.entries["vault:pbs/datastore-main"]?.secret.revealed == "S3cret-ü")
    }

    @Test func `another key, a short key and no key are told by the key's reference`() async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        let night = { _ = try await rig.read(.datastore, rig.secrets(.cacheOnly, cached: true)) }
        rig.scratch.write("machine.key", "canary-another-key-0123456789")
        let other = await failure(night)
        #expect(other?.what.contains("sealed under another key than file:") == true)
        #expect(!words(other).contains("canary"))
        rig.scratch.write("machine.key", "canary-short")
        #expect(await failure(night)?.what.hasSuffix("which is too short") == true)
        rig.scratch.write("machine.key", "")
        #expect(await failure(night)?.object == rig.cacheKey.text)
    }

    @Test func `the copy of another account is not taken for ours`() async throws {
        let rig = RigAccount("right")
        _ = try await rig.read(.datastore, rig.secrets(cached: true))
        var moved = rig
        moved.address = VaultRig.plain.address("right")
        let failed = await failure { _ = try await moved.read(.datastore, moved.secrets(.cacheOnly, cached: true)) }
        #expect(failed?.what == "is the copy of another vault or account")
        let before = try bytes(rig)
        let asked = try await moved.read(.datastore, moved.secrets(cached: true))
        #expect(asked.findings.map(\.code) == ["secret-not-sealed"])
        #expect(try bytes(rig) == before)
    }

    @Test func `a copy that cannot be written is told, and the secret is had all the same`() async throws {
        let rig = RigAccount("right")
        rig.scratch.write("state", "a file where the folder should be")
        let found = try await rig.read(.datastore, rig.secrets(cached: true))
        #expect(found.secret.revealed == "S3cret-ü")
        #expect(found.findings.map(\.code) == ["secret-not-sealed"])
    }
}
