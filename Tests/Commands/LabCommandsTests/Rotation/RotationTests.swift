import Foundation
import Testing

/// `holdfast secret rotate` and `secret check` as an operator runs them, with stock restic as the judge.
@Suite(.enabled(if: RotationBench.canJudge, "needs the built binary and stock restic below $PEERS"))
struct RotationTests {
    @Test func `after a rotation stock restic opens with the new password and with the old, and the line is told`()
        throws
    {
        let bench = try RotationBench()
        let rotated = try bench.run(["secret", "rotate", "far"])
        #expect(rotated.status == 0, "\(rotated.errors)")
        let name = try #require(bench.stored.first)
        #expect(bench.stored.count == 1)
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(bench.folder)/secrets/\(name)")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        for repository in bench.repositories {
            #expect(try bench.opens(repository, "secrets/\(name)"))
            #expect(try bench.opens(repository, "secrets/shared"))
            #expect(try bench.stock(repository, "secrets/\(name)", "check", "--read-data").status == 0)
            #expect(bench.names("\(repository)/keys").count == 2)
        }
        #expect(
            rotated.output.contains(
                """
                  LAB/holdfast.yaml:7
                  -   near: { medium: a, password: "file:secrets/shared" }  # here
                  +   near: { medium: a, password: "file:secrets/\(name)" }  # here
                  LAB/holdfast.yaml:10
                  -     password: 'file:secrets/shared' # there
                  +     password: "file:secrets/\(name)" # there

                """
            )
        )
        #expect(rotated.output.contains("The old password still opens far and near; nothing was removed."))
        try bench.follow(rotated.output)
        let checked = try bench.run(["secret", "check"])
        #expect(checked.status == 0, "\(checked.all)")
        #expect(checked.output.contains("secrets/\(name): ok, 64 bytes from file, opens near now"))
    }

    @Test func `a second rotation on the same day takes a further name, and names do not grow`() throws {
        let bench = try RotationBench()
        let first = try bench.run(["secret", "rotate", "near", "--json"])
        #expect(first.status == 0, "\(first.errors)")
        let objects = try first.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(objects.map { $0["message_type"] as? String } == ["rotated", "rotated"])
        #expect(objects.map { $0["repository"] as? String } == ["near", "far"])
        #expect(objects.map { $0["line"] as? Int } == [7, 10])
        let before = try #require(objects[0]["before"] as? String)
        let after = try #require(objects[0]["after"] as? String)
        try bench.write("holdfast.yaml", try bench.text("holdfast.yaml").replacing(before, with: after))
        // Only one of the two names the new one now, so that the two no longer go together.
        let second = try bench.run(["secret", "rotate", "near"])
        #expect(second.status == 0, "\(second.errors)")
        let day = try #require(bench.stored.first)
        #expect(bench.stored == [day, "\(day).2"])
        #expect(bench.names("media/a/near/keys").count == 3 && bench.names("media/b/far/keys").count == 2)
        for name in ["shared", day, "\(day).2"] { #expect(try bench.opens("media/a/near", "secrets/\(name)")) }
    }

    @Test func `one disk of a shared reference that is away refuses the whole before anything changes`() throws {
        let bench = try RotationBench()
        try bench.move("media/b", to: "media/unplugged")
        let refused = try bench.run(["secret", "rotate", "near"])
        #expect(refused.status == 21)
        #expect(
            refused.errors.contains(
                "error[E-MEDIUM] rotate password of far on b (LAB/media/b): the folder is not there"
            )
        )
        #expect(refused.errors.contains("far shares file:LAB/secrets/shared with near"))
        #expect(refused.errors.contains("state: nothing was changed, and no password was made"))
        #expect(refused.errors.contains("next:  attach and mount the disk"))
        #expect(bench.stored.isEmpty && bench.names("media/a/near/keys").count == 1)
        try bench.move("media/unplugged", to: "media/b")
        #expect(try bench.run(["secret", "rotate", "near"]).status == 0)
    }

    @Test func `a repository that the old password does not open refuses the whole`() throws {
        let bench = try RotationBench()
        try bench.write("secrets/shared", "canary-wrong\n")
        let refused = try bench.run(["secret", "rotate", "near"])
        #expect(refused.status == 12)
        #expect(bench.stored.isEmpty && bench.names("media/a/near/keys").count == 1)
    }

    @Test func `an unknown name and a dry run change nothing`() throws {
        let bench = try RotationBench()
        let unknown = try bench.run(["secret", "rotate", "nearr"])
        #expect(unknown.status == 1 && unknown.errors.contains("name one of: near, far"))
        let planned = try bench.run(["secret", "rotate", "near", "--dry-run"])
        #expect(planned.status == 0)
        #expect(planned.output.contains("would store a new password as file:LAB/secrets/shared.2"))
        #expect(planned.output.contains("would add its key to far (LAB/media/b/far)"))
        #expect(bench.stored.isEmpty && bench.names("media/a/near/keys").count == 1)
    }

    @Test func `a rotation that is refused, or only planned, makes no state folder`() throws {
        let bench = try RotationBench()
        var isThere: Bool { FileManager.default.fileExists(atPath: bench.folder + "/state") }
        try bench.write("secrets/taken", "x")
        for arguments in [
            ["nearr"], ["near", "--dry-run"], ["near", "--to", "file:/run/x"], ["near", "--to", "file:secrets/taken"],
        ] {
            _ = try bench.run(["secret", "rotate"] + arguments)
            #expect(!isThere, "\(arguments)")
        }
        try bench.move("media/b", to: "media/unplugged")
        #expect(try bench.run(["secret", "rotate", "near"]).status == 21 && !isThere)
        try bench.move("media/unplugged", to: "media/b")
        // The nearer one opens, the farther one does not: nothing of the first is remembered.
        try bench.move("media/b/far/keys", to: "keys")
        try bench.makeFolder("media/b/far/keys")
        let refused = try bench.run(["secret", "rotate", "near"])
        #expect(refused.status != 0 && !isThere, "\(refused.errors) \(bench.names("state"))")
        #expect(bench.stored.isEmpty)
    }

    @Test func `a place in memory is refused, since its password would be gone with the next boot`() throws {
        let bench = try RotationBench()
        let refused = try bench.run(["secret", "rotate", "near", "--to", "file:/run/holdfast-test-password"])
        #expect(refused.status == 1 && refused.errors.contains("would be gone with the next boot"))
        #expect(!FileManager.default.fileExists(atPath: "/run/holdfast-test-password"))
        #expect(bench.names("media/a/near/keys").count == 1)
    }

    @Test(arguments: [
        ("env:CANARY_PASSWORD", "or by hand: holdfast restic -r PATH key add, then give CANARY_PASSWORD the new one"),
        ("command:cat secrets/shared", "then tell the program's store"),
        ("credential:restic", "seal the new one with systemd-creds as restic"),
    ])
    func `what cannot be written to is refused with the way by hand, and --to goes elsewhere`(
        _ reference: String,
        _ words: String
    ) throws {
        let bench = try RotationBench(reference: reference)
        try bench.makeFolder("credentials")
        try bench.write("credentials/restic", RotationBench.oldPassword)
        let environment = [
            "CANARY_PASSWORD": RotationBench.oldPassword, "CREDENTIALS_DIRECTORY": bench.folder + "/credentials",
        ]
        let refused = try bench.run(["secret", "rotate", "near"], environment: environment)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("error[E-SECRET]") && refused.errors.contains("nothing was changed"))
        #expect(refused.errors.contains("--to file:PATH") && refused.errors.contains(words))
        #expect(bench.names("media/a/near/keys").count == 1)
        let arguments = ["secret", "rotate", "near", "--to", "file:secrets/new"]
        let moved = try bench.run(arguments, environment: environment)
        #expect(moved.status == 0, "\(moved.errors)")
        for repository in bench.repositories { #expect(try bench.opens(repository, "secrets/new")) }
        let taken = try bench.run(arguments, environment: environment)
        #expect(taken.status == 1 && taken.errors.contains("is there already, and nothing is overwritten"))
        #expect(bench.names("media/a/near/keys").count == 2)
    }

    @Test func `a check proves what is here, knows when the rest was proven, and names a password that is wrong`()
        throws
    {
        let bench = try RotationBench()
        let first = try bench.run(["secret", "check"])
        #expect(first.status == 0, "\(first.all)")
        #expect(
            first.output.contains(
                "repositories.near.password: file:LAB/secrets/shared: ok, 19 bytes from file, opens near now"
            )
        )
        try bench.move("media/b", to: "media/unplugged")
        let away = try bench.run(["secret", "check"])
        #expect(away.status == 0)
        #expect(
            away.output.contains(
                /far not tried: b \(LAB\/media\/b\) the folder is not there \(last opened it \d+ s ago\)/
            )
        )
        try bench.write("secrets/shared", "canary-wrong\n")
        let wrong = try bench.run(["secret", "check"])
        #expect(wrong.status == 12)
        #expect(
            wrong.output.contains(/failed, 12 bytes from file, does not open near now \(last opened it \d+ s ago\)/)
        )
        #expect(wrong.output.contains("of 2 references 1 are good, 1 are not"))
        #expect(wrong.errors.contains("next:"))
        let lines = try bench.run(["secret", "check", "--json"]).output.split(separator: "\n")
        let near = try #require(JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(near["ok"] as? Bool == false && near["opened"] as? Bool == false && near["proven"] is String)
        let far = try #require(JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any])
        #expect(far["ok"] as? Bool == true && far["opened"] == nil && far["not_tried"] is String)
    }

    @Test func `a run proves the passwords that it used`() throws {
        let bench = try RotationBench()
        #expect(try bench.run(["run", "--all"]).status == 0)
        for name in ["a", "b"] { try bench.move("media/\(name)", to: "media/away-\(name)") }
        let checked = try bench.run(["secret", "check"])
        #expect(checked.output.contains("near not tried") && checked.output.contains("far not tried"))
        #expect(!checked.output.contains("never proven"))
    }

    @Test func `help ends in two examples`() throws {
        let bench = try RotationBench()
        let help = try bench.run(["secret", "rotate", "--help"])
        let examples = help.output.split(separator: "\n").drop { $0 != "EXAMPLES:" }
        #expect(help.status == 0 && examples.count == 3)
    }
}
