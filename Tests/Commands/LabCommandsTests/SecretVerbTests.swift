import Console
import Foundation
import Testing

import LabCommands

@Suite struct SecretVerbTests {
    private static let declaration = """
        lab: home
        state: state
        media: { a: { path: media/a } }
        repositories:
          one: { medium: a, password: "file:one.password" }
          two: { medium: a, password: "command:printf canary-two" }
          three: { medium: a, password: "credential:not-there" }
        protect: [{ host: { paths: [/etc] }, to: one }]
        """

    private func run(_ text: String, _ verb: String, _ options: String...) async throws -> (
        status: Int32, output: String, errors: String
    ) {
        let folder = NSTemporaryDirectory() + "secret-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try text.write(toFile: folder + "/holdfast.yaml", atomically: false, encoding: .utf8)
        _ = FileManager.default.createFile(
            atPath: folder + "/one.password",
            contents: Data("canary-one\n".utf8),
            attributes: [.posixPermissions: 0o600]
        )
        let (output, errors) = (MemorySink(), MemorySink())
        let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
        let arguments = ["secret", verb, "--config", folder + "/holdfast.yaml"] + options
        let status = await runLab(arguments: arguments, screen: screen)
        let plain = { (text: String) in text.replacing(folder, with: "LAB") }
        return (status, plain(output.text), plain(errors.text))
    }

    @Test func `S-03 a check says of each reference what it gives, and ends in 1 when one gives nothing`() async throws
    {
        let checked = try await run(Self.declaration, "check")
        #expect(checked.status == 1)
        #expect(
            checked.output == """
                repositories.one.password: file:LAB/one.password: ok, 10 bytes from file, one not tried: a (LAB/media/a) the folder is not there (never proven)
                repositories.two.password: command:printf canary-two: ok, 10 bytes from command, two not tried: a (LAB/media/a) the folder is not there (never proven)
                repositories.three.password: credential:not-there: failed
                of 3 references 2 are good, 1 are not

                """
        )
        #expect(checked.errors.contains("error[E-SECRET] read secret"))
        #expect(checked.errors.contains("next:"))
        #expect(!(checked.output + checked.errors).contains("canary-one"))
        let right = Self.declaration.replacing("credential:not-there", with: "file:one.password")
        #expect(try await run(right, "check").status == 0)
    }

    @Test func `a command that several repositories name runs once in a check`() async throws {
        let counted = NSTemporaryDirectory() + "asked-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: counted) }
        let command = "command:/bin/sh -c 'echo once >> \(counted); echo canary-two'"
        let text = Self.declaration.replacing("command:printf canary-two", with: command)
            .replacing("credential:not-there", with: command)
        let checked = try await run(text, "check")
        #expect(checked.status == 0, "\(checked.errors)")
        #expect(checked.output.contains("repositories.three.password") && checked.output.contains("of 3 references 3"))
        #expect(try String(contentsOfFile: counted, encoding: .utf8) == "once\n")
    }

    @Test func `a check is one JSON object for each reference`() async throws {
        let checked = try await run(Self.declaration, "check", "--json")
        let objects = try checked.output.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(object as? [String: Any])
        }
        #expect(objects.map { $0["ok"] as? Bool } == [true, true, false])
        #expect(objects.map { $0["source"] as? String } == ["file", "command", nil])
        #expect(objects[2]["code"] as? String == "E-SECRET")
        #expect(!checked.output.contains("canary-one"))
    }

    @Test func `without a vault there is nothing to fetch, and a vault that is down is told`() async throws {
        let none = try await run(Self.declaration, "fetch")
        #expect(none.status == 0)
        #expect(none.errors == "no reference looks into a vault; nothing was fetched\n")
        let vault = """

            vault: { address: "http://127.0.0.1:1", email: a@b, password: "file:one.password" }
            """
        let text = Self.declaration.replacing("credential:not-there", with: "vault:restic") + vault
        let fetched = try await run(text, "fetch")
        #expect(fetched.status == 1)
        #expect(fetched.errors.contains("error[E-VAULT-DOWN] log in to"))
        #expect(!(fetched.output + fetched.errors).contains("canary-one"))
    }
}
