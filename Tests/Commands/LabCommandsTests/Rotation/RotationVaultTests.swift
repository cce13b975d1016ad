import Foundation
import Testing

/// Rotation of a password that lies in a vault.
@Suite(.enabled(if: RotationBench.canJudge, "needs the built binary and stock restic below $PEERS"))
struct RotationVaultTests {
    @Test func `a new item with the day holds the new password, and an unattended run finds it in the sealed copy`()
        throws
    {
        let vault = try RotationVault("right")
        let bench = try vault.bench()
        let rotated = try bench.run(["secret", "rotate", "near"])
        #expect(rotated.status == 0, "\(rotated.errors)")
        let line = try #require(
            rotated.output.split(separator: "\n").first { $0.hasPrefix("  + ") && $0.contains("near:") }
        )
        #expect(line.contains("password: \"vault:pbs/datastore-main 2"))
        #expect(bench.repositories.allSatisfy { bench.names("\($0)/keys").count == 2 })
        for repository in bench.repositories { #expect(try bench.opens(repository, "first"), "the old one") }
        let again = try bench.run(["secret", "rotate", "near"])
        #expect(again.status == 0 && again.output.contains(" (2)\""), "\(again.all)")
        try bench.follow(again.output)
        let checked = try bench.run(["secret", "check"])
        #expect(checked.status == 0 && checked.output.contains("(2): ok, 64 bytes from vault, opens near now"))
        // At night nobody types the master password.
        let night = try bench.text("holdfast.yaml").replacing("  password: \"file:secrets/master\"", with: "")
        try bench.write("holdfast.yaml", night)
        let unattended = try bench.run(["run", "--all"])
        #expect(unattended.status == 0, "\(unattended.errors)")
        let amber = try bench.run(["secret", "check"])
        #expect(amber.status == 0)
        #expect(amber.output.contains(/64 bytes from sealed copy, \d+ s old, opens near now/))
        #expect(amber.output.contains(/amber: 2 came from the sealed copy, up to \d+ s old/))
        try bench.move("media/b", to: "media/unplugged")
        let away = try bench.run(["secret", "check"])
        #expect(away.output.contains(/\(last opened it \d+ s ago, out of the sealed copy\)/))
    }

    @Test func `a vault that is down makes the status amber, with the age of the sealed copy`() throws {
        let vault = try RotationVault("right")
        let bench = try vault.bench()
        #expect(try bench.run(["run", "--all"]).status == 0)
        let night = try bench.text("holdfast.yaml").replacing("  password: \"file:secrets/master\"", with: "")
        let day = try bench.text("holdfast.yaml")
        for declaration in [day, night] {
            try bench.write("holdfast.yaml", declaration)
            try vault.turn("right")
            #expect(try !bench.run(["status", "--json"]).output.contains("sealed copy"))
            try vault.turn("down")
            let status = try bench.run(["status", "--json"])
            let amber = status.output.split(separator: "\n").first { $0.contains("sealed copy") }
            #expect(amber?.contains("\"severity\":\"amber\"") == true, "\(status.output)")
            #expect(
                amber?.contains("does not answer") == true && amber?.contains("the sealed copy of ") == true
                    && amber?.contains(" s old") == true
            )
        }
    }

    @Test func `the master password is asked for once, and an item that is named by its id gives its name`() throws {
        let vault = try RotationVault("right")
        let bench = try vault.bench(reference: "vault:id/\(RotationVault.itemID)", isTyped: true)
        let rotated = try bench.run(["secret", "rotate", "far"], input: RotationVault.masterPassword + "\n")
        #expect(rotated.status == 0, "\(rotated.errors)")
        #expect(rotated.output.contains("password: \"vault:pbs/datastore-main 2"))
        #expect(!bench.finds(RotationVault.masterPassword, in: Data(rotated.all.utf8)))
    }

    @Test(arguments: [
        // Down from the start, and the sealed copy gives the old password.
        ("down", "E-VAULT-DOWN"),
        // It takes the item and does not have it afterwards.
        ("forgetful", "the vault took the item and does not have it"),
        // It takes the item, and nobody hears of it again.
        ("gone", "E-VAULT-DOWN"),
    ])
    func `a vault that does not keep the password leaves every repository as it was`(
        _ mode: String,
        _ words: String
    ) throws {
        let vault = try RotationVault("right")
        let bench = try vault.bench()
        #expect(try bench.run(["secret", "check"]).status == 0)
        try vault.turn(mode)
        let refused = try bench.run(["secret", "rotate", "near"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains(words), "\(refused.errors)")
        for repository in bench.repositories {
            #expect(bench.names("\(repository)/keys").count == 1)
            #expect(try bench.opens(repository, "first"))
        }
        try vault.turn("right")
        #expect(try bench.run(["secret", "rotate", "near"]).status == 0)
    }

    @Test func `an answer that is lost is not asked for again, and the item is found`() throws {
        let vault = try RotationVault("right")
        let bench = try vault.bench()
        try vault.turn("lost")
        let rotated = try bench.run(["secret", "rotate", "near"])
        #expect(rotated.status == 0, "\(rotated.errors)")
        #expect(bench.repositories.allSatisfy { bench.names("\($0)/keys").count == 2 })
    }

    @Test func `S-03 S-07 what the vault keeps shows nowhere else, and a file can be traded for the vault`() throws {
        let vault = try RotationVault("right")
        let bench = try vault.bench(reference: "file:secrets/shared")
        let rotated = try bench.run(["secret", "rotate", "near", "-v", "--to", "vault:restic-local"])
        #expect(rotated.status == 0, "\(rotated.errors)")
        #expect(rotated.output.contains("+   near: { medium: a, password: \"vault:restic-local\" }"))
        let taken = try bench.run(["secret", "rotate", "near", "--to", "vault:restic-local"])
        #expect(taken.status == 1 && taken.errors.contains("is there already, and nothing is overwritten"))
        try bench.follow(rotated.output)
        let checked = try bench.run(["secret", "check", "--json"])
        #expect(checked.status == 0 && checked.output.contains("\"bytes\":64"))
        for file in bench.files() {
            let content = FileManager.default.contents(atPath: "\(bench.folder)/\(file)") ?? Data()
            #expect(!bench.finds(RotationVault.itemPassword, in: content), "\(file)")
            #expect(passwords(in: content).isEmpty, "\(file)")
        }
        #expect(passwords(in: Data((rotated.all + taken.all + checked.all).utf8)).isEmpty)
        #expect(try bench.run(["secret", "rotate", "near", "--to", "file:secrets/new"]).status == 0)
        #expect(passwords(in: Data(try bench.text("secrets/new").utf8)).count == 1, "it would be found")
    }

    /// What has the shape of a password that rotation makes.
    private func passwords(in content: Data) -> [String] {
        let group = "[2-9A-HJ-NP-Z]{4}"
        let text = String(decoding: content, as: UTF8.self)
        guard let shape = try? Regex("\(group)(-\(group)){12}") else { return ["no pattern"] }
        return text.matches(of: shape).map { String(text[$0.range]) }
    }
}
