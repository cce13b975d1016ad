import Console
import Foundation
import Spawning
import Testing

import LabCommands

/// `holdfast kit`, by the words that a person types.
@Suite struct KitVerbTests {
    /// Two repositories, one of which can be taken away, and a further secret.
    static func lab() throws -> TypedLab {
        let lab = try TypedLab {
            $0.replacing("to: [near]", with: "to: [near, far]")
                .replacing(
                    "protect:",
                    with: "kit: { holders: [\"Ann, safe\"], secrets: { vault-backup: \"file:extra\" } }\nprotect:"
                )
        }
        try lab.write("extra", "canary-extra")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: lab.root + "/extra")
        return lab
    }

    static func read(_ path: String, _ lab: TypedLab) throws -> String {
        try String(contentsOfFile: "\(lab.root)/\(path)", encoding: .utf8)
    }

    /// `kit show`, which takes no declaration.
    private static func show(_ words: String...) async -> (status: Int32, output: String, errors: String) {
        let (output, errors) = (MemorySink(), MemorySink())
        let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
        let status = await runLab(arguments: ["kit", "show"] + words, screen: screen)
        return (status, output.text, errors.text)
    }

    @Test func `a kit is written once, opens everything alone, and status knows it`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        #expect(await lab.type("status").output.contains("no recovery kit is known"))
        let kit = lab.root + "/kit.txt"
        let made = await lab.type("kit", "create", kit)
        #expect(made.status == 0 && made.output.isEmpty && made.errors.contains("mode 0600"), "\(made)")
        let rights = try FileManager.default.attributesOfItem(atPath: kit)[.posixPermissions] as? Int
        #expect(rights == 0o600)
        let text = try Self.read("kit.txt", lab)
        let again = await lab.type("kit", "create", kit)
        #expect(again.status == 21 && again.errors.contains("nothing is overwritten"))
        #expect(try Self.read("kit.txt", lab) == text)
        #expect(await lab.type("kit", "create", lab.root + "/media/usb/kit.txt").status == 21)
        #expect(await lab.type("status").output.contains("was never tested on near, far"))
        // The passwords are gone, and the kit alone opens both.
        for name in ["near.password", "far.password"] { try lab.move(name, to: name + ".gone") }
        let before = try Self.listing(lab)
        let tested = await lab.type("kit", "test", kit)
        #expect(tested.status == 0 && tested.output.contains("of 2 repositories 2 opened"), "\(tested)")
        #expect(try Self.listing(lab) == before)
        for name in ["near.password", "far.password"] { try lab.move(name + ".gone", to: name) }
        #expect(!(await lab.type("status").output.contains("kit")))
    }

    /// Names, sizes and times of all that lies in the repositories.
    private static func listing(_ lab: TypedLab) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: lab.root + "/media").sorted().map { path in
            let facts = try FileManager.default.attributesOfItem(atPath: "\(lab.root)/media/\(path)")
            return "\(path) \(facts[.size] ?? 0) \(facts[.modificationDate] ?? 0)"
        }
    }

    @Test func `S-03 no secret of a kit is shown, logged or remembered, until it is asked for`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        let kit = lab.root + "/kit.txt"
        var said = ""
        for words in [["kit", "create", kit], ["kit", "test", kit], ["kit", "test", kit, "--json"], ["status"]] {
            let answer = await lab.type(words)
            said += answer.output + answer.errors
        }
        let shown = await Self.show(kit)
        let json = await Self.show(kit, "--json")
        said += shown.output + shown.errors + json.output
        #expect(
            shown.output.contains("secret vault-backup: 12 characters") && shown.output.contains("kept by: Ann, safe")
        )
        let password = try Self.read("near.password", lab).trimmingCharacters(in: .newlines)
        let canaries = [
            "canary-extra", password, String(password.prefix(4)) + " " + String(password.dropFirst(4).prefix(4)),
        ]
        for file in try FileManager.default.subpathsOfDirectory(atPath: lab.root + "/state") {
            let bytes = (try? Data(contentsOf: URL(filePath: "\(lab.root)/state/\(file)"))) ?? Data()
            for canary in canaries { #expect(bytes.range(of: Data(canary.utf8)) == nil, "\(file)") }
        }
        for canary in canaries { #expect(!said.contains(canary)) }
        #expect(await Self.show(kit, "--reveal").output == (try Self.read("kit.txt", lab)))
    }

    @Test func `a medium that is away is not tested, never good, and ends in 3`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        let kit = lab.root + "/kit.txt"
        #expect(await lab.type("kit", "create", kit).status == 0)
        try lab.move("media/usb", to: "away")
        let tested = await lab.type("kit", "test", kit)
        #expect(tested.status == 3 && tested.output.contains("not tested  far on usb"), "\(tested)")
        #expect(tested.output.contains("of 2 repositories 1 opened, 0 did not, 1 not tested"))
        #expect(await lab.type("status").output.contains("was never tested on far"))
        // Named where it lies now, it counts.
        let named = await lab.type("kit", "test", kit, "--at", "far=\(lab.root)/away/far")
        #expect(named.status == 0, "\(named)")
        // A kit that is made while it is away carries its password, and says that this was not proven.
        let second = await lab.type("kit", "create", lab.root + "/second.txt")
        #expect(second.status == 3 && second.errors.contains("far was not opened"), "\(second)")
        #expect(try Self.read("second.txt", lab).contains("NOT opened when the kit was made"))
        #expect(await lab.type("kit", "create", lab.root + "/third.txt", "--without", "far").status == 0)
        #expect(
            await lab.type("kit", "create", lab.root + "/4.txt", "--without", "fra").errors.contains(
                "did you mean \"far\"?"
            )
        )
        let older = await lab.type("kit", "test", kit)
        #expect(older.errors.contains("a newer kit is known"))
    }

    @Test func `a password that changed, a kit that does not open, another repository in the place: each is told`()
        async throws
    {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        let kit = lab.root + "/kit.txt"
        #expect(await lab.type("kit", "create", kit).status == 0)
        #expect(await lab.type("kit", "test", kit).status == 0)
        try lab.write("extra", "another")
        #expect(await lab.type("status").output.contains("carries no longer what counts for kit.secrets.vault-backup"))
        try lab.write("extra", "canary-extra")
        // The repository is another one now: the password of the kit does not open it, and status does not call it proven.
        try lab.move("media/usb/far", to: "far-1")
        try lab.move("far.password", to: "far-1.password")
        #expect(await lab.type("run", "--all").status != 0)
        #expect(await lab.type("kit", "create", lab.root + "/no.txt").status == 1)
        try lab.move("far-1.password", to: "far.password")
        try lab.move("media/os/near", to: "media/usb/far")
        let other = await lab.type("kit", "test", kit)
        #expect(
            other.status == 25
                && other.output.contains("FAILED      far on usb: does not open with the password of the kit"),
            "\(other)"
        )
        #expect(await lab.type("status").output.contains("did not open it"))
    }

    @Test func `a wrong letter ends in 25 with its line, wherever the kit is read`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        #expect(await lab.type("kit", "create", lab.root + "/kit.txt").status == 0)
        let lines = try Self.read("kit.txt", lab).split(separator: "\n", omittingEmptySubsequences: false)
        let index = try #require(lines.firstIndex { $0.contains(" pass: ") })
        var spoilt = lines.map(String.init)
        let letter = try #require(spoilt[index].range(of: #"(?<=pass: )."#, options: .regularExpression))
        spoilt[index].replaceSubrange(letter, with: spoilt[index][letter] == "0" ? "1" : "0")
        try lab.write("wrong.txt", spoilt.joined(separator: "\n"))
        let number = try #require(lines[index].split(separator: " ").first.flatMap { Int($0) })
        for words in [["kit", "test", lab.root + "/wrong.txt"]] {
            let answer = await lab.type(words)
            #expect(
                answer.status == 25
                    && answer.errors.contains("line \(number) (line \(index + 1) of the text) has a wrong letter"),
                "\(answer)"
            )
            #expect(
                !answer.errors.contains("KitTextError") && answer.errors.contains("state:")
                    && answer.errors.contains("next:")
            )
        }
        let shown = await Self.show(lab.root + "/wrong.txt")
        #expect(shown.status == 25 && shown.output.isEmpty)
        // The numbered lines alone, as typed.
        let typed = lines.filter { $0.first?.isNumber == true }.map { "  " + $0.replacing("   ", with: " ") }
        try lab.write("typed.txt", typed.joined(separator: "\n"))
        #expect(await lab.type("kit", "test", lab.root + "/typed.txt").status == 0)
    }

    @Test func `a sealed kit opens with its passphrase alone`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        try lab.write("words", "correct horse battery staple apple tree")
        try lab.write("short", "short")
        try lab.write("other", "correct horse battery staple apple bush")
        for name in ["words", "short", "other"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(lab.root)/\(name)")
        }
        let kit = lab.root + "/kit.txt"
        let short = await lab.type("kit", "create", kit, "--passphrase-from", "file:\(lab.root)/short")
        #expect(short.status == 12 && short.errors.contains("six words"), "\(short)")
        let made = await lab.type("kit", "create", kit, "--passphrase-from", "file:\(lab.root)/words")
        #expect(made.status == 0 && made.errors.contains("sealed"), "\(made)")
        #expect(!(try Self.read("kit.txt", lab).contains(" pass: ")))
        let tested = await lab.type("kit", "test", kit, "--passphrase-from", "file:\(lab.root)/words")
        #expect(tested.status == 0, "\(tested)")
        let wrong = await lab.type("kit", "test", kit, "--passphrase-from", "file:\(lab.root)/other")
        #expect(wrong.status == 12 && wrong.errors.contains("E-PASSPHRASE"), "\(wrong)")
    }

    @Test(.enabled(if: StockRestic.path != nil, "no stock restic is here"))
    func `stock restic opens and restores by the words on the page`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        #expect(await lab.type("kit", "create", lab.root + "/kit.txt").status == 0)
        let lines = try Self.read("kit.txt", lab).components(separatedBy: "\n")
        let restic = try #require(StockRestic.path)
        for name in ["near", "far"] {
            let start = try #require(lines.firstIndex { $0.contains(" repository: \(name) ") })
            let page = lines[start...].prefix { !$0.contains("\u{0c}") && !$0.contains(" secret: ") }
            // Typed as the page says: the groups without blanks, number and last group.
            let password = page.filter { $0.contains(" pass: ") }.map { line in
                line.split(separator: " ").dropFirst(2).dropLast().joined()
            }.joined()
            let commands = page.joined(separator: "\n").replacing("\\\n", with: " ").components(separatedBy: "\n")
                .filter { $0.trimmingCharacters(in: .whitespaces).hasPrefix("restic ") }
            #expect(commands.count == 3)
            for command in commands {
                let shell = Process()
                shell.executableURL = URL(filePath: "/bin/sh")
                shell.arguments = ["-c", command.replacing("restic -r", with: "\(restic) --no-cache -r")]
                shell.currentDirectoryURL = URL(filePath: lab.root)
                shell.environment = [
                    "PATH": "/usr/bin:/bin", "HOME": lab.root + "/nobody", "RESTIC_PASSWORD": password,
                ]
                shell.standardOutput = FileHandle.nullDevice
                try shell.start()
                shell.waitUntilExit()
                #expect(shell.terminationStatus == 0, "\(command)")
            }
            let restored = "\(lab.root)/restored-host"
            #expect(
                FileManager.default.contentsEqual(
                    atPath: "\(restored)\(lab.root)/source",
                    andPath: lab.root + "/source"
                )
            )
            try FileManager.default.removeItem(atPath: restored)
        }
    }
}

/// A released restic: Debian's where it is installed, else one below `$PEERS/bin`, the oldest.
enum StockRestic {
    static let path: String? = {
        let files = FileManager.default
        if files.isExecutableFile(atPath: "/usr/bin/restic") { return "/usr/bin/restic" }
        guard let peers = ProcessInfo.processInfo.environment["PEERS"] else { return nil }
        let names = ((try? files.contentsOfDirectory(atPath: peers + "/bin")) ?? []).filter { $0.hasPrefix("restic-") }
        return names.sorted().first.map { "\(peers)/bin/\($0)" }
    }()
}
