import Console
import Foundation
import Testing

import LabCommands

/// `holdfast recover bootstrap`: a machine that has a kit and nothing else.
@Suite struct BootstrapVerbTests {
    private static func bootstrap(_ words: String...) async -> (status: Int32, output: String, errors: String) {
        let (output, errors) = (MemorySink(), MemorySink())
        let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
        let status = await runLab(arguments: ["recover", "bootstrap"] + words, screen: screen)
        return (status, output.text, errors.text)
    }

    /// A lab that ran, its kit, and nothing else of it but the media.
    private static func burnt() async throws -> (lab: TypedLab, kit: String) {
        let lab = try KitVerbTests.lab()
        #expect(await lab.type("run", "--all").status == 0)
        #expect(await lab.type("kit", "create", lab.root + "/kit.txt").status == 0)
        for name in ["holdfast.yaml", "state", "source", "near.password", "far.password", "extra"] {
            try lab.move(name, to: "burnt-\(name)")
        }
        return (lab, lab.root + "/kit.txt")
    }

    @Test func `what can come back is shown with the kit alone, and nothing is written`() async throws {
        let (lab, kit) = try await Self.burnt()
        let before = try FileManager.default.subpathsOfDirectory(atPath: lab.root).sorted()
        let shown = await Self.bootstrap("--kit", kit)
        #expect(shown.status == 0, "\(shown)")
        #expect(shown.output.contains("near on os (internal): opened at \(lab.root)/media/os/near"))
        #expect(shown.output.contains("The declaration (holdfast.yaml) and the evidence are those of"))
        #expect(shown.output.contains("  host: 2 snapshots") && shown.output.contains("\(lab.root)/source"))
        #expect(shown.output.contains("holdfast restic -r \(lab.root)/media/os/near --no-lock restore "))
        #expect(try FileManager.default.subpathsOfDirectory(atPath: lab.root).sorted() == before)
        let json = await Self.bootstrap("--kit", kit, "--json")
        #expect(
            json.output.contains("\"message_type\":\"copy\",\"workload\":\"host\",\"repository\":\"near\""),
            "\(json)"
        )
    }

    @Test func `the declaration comes out of the repositories into a new folder, and no password with it`() async throws
    {
        let (lab, kit) = try await Self.burnt()
        let folder = lab.root + "/recovered"
        let written = await Self.bootstrap("--kit", kit, "--write", folder)
        #expect(
            written.status == 0 && written.output.contains("wrote holdfast.yaml, ledger.json to \(folder)"),
            "\(written)"
        )
        #expect(try KitVerbTests.read("recovered/holdfast.yaml", lab) == KitVerbTests.read("burnt-holdfast.yaml", lab))
        let ledger = try KitVerbTests.read("recovered/ledger.json", lab)
        let password = try KitVerbTests.read("burnt-near.password", lab).trimmingCharacters(in: .newlines)
        #expect(ledger.contains("\"repositories\"") && !ledger.contains(password))
        let again = await Self.bootstrap("--kit", kit, "--write", folder)
        #expect(again.status == 21 && again.errors.contains("nothing is overwritten"), "\(again)")
    }

    @Test func `one disk of two is enough, and what is missing is named with what to do`() async throws {
        let (lab, kit) = try await Self.burnt()
        try lab.move("media/os", to: "lost")
        let shown = await Self.bootstrap("--kit", kit)
        #expect(shown.status == 3 && shown.output.contains("near on os (internal): NOT looked at"), "\(shown)")
        #expect(shown.output.contains("far: ") && shown.output.contains("--at near=FOLDER"))
        let named = await Self.bootstrap("--kit", kit, "--at", "near=\(lab.root)/lost/near")
        #expect(named.status == 0, "\(named)")
        let wrong = await Self.bootstrap("--kit", kit, "--at", "nowhere=/x")
        #expect(wrong.status == 25 && wrong.errors.contains("this kit has: near, far"), "\(wrong)")
        try lab.move("media/usb", to: "lost-too")
        let nothing = await Self.bootstrap("--kit", kit)
        #expect(
            nothing.status == 1 && nothing.output.contains("The declaration was found in no repository"),
            "\(nothing)"
        )
    }
}
