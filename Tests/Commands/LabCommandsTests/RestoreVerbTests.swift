import Bytes
import Foundation
import HostSystem
import Testing

/// `holdfast restore` and `holdfast find`, by the words that a person types.
@Suite struct RestoreVerbTests {
    /// Two repositories, the nearer of which can be taken away.
    private static func lab() throws -> TypedLab {
        try TypedLab { $0.replacing("to: [near]", with: "to: [near, far]") }
    }

    private static func content(_ path: String, _ lab: TypedLab) -> String? {
        try? String(contentsOfFile: "\(lab.root)/\(path)", encoding: .utf8)
    }

    /// Where a file of the source lies below a folder that it was restored to.
    private static func back(_ folder: String, _ name: String, _ lab: TypedLab) -> String? {
        content("\(folder)\(lab.root)/source/\(name)", lab)
    }

    @Test func `a file comes back into a folder, and what is there is not overwritten without the word`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        let path = "\(lab.root)/source/7"
        let to = "\(lab.root)/back"
        let done = await lab.type("restore", "host", path, "--to", to)
        #expect(done.status == 0 && done.output.contains("in near on os"), "\(done)")
        #expect(Self.back("back", "7", lab) == "file 7" && Self.back("back", "8", lab) == nil)
        #expect(await lab.type("restore", "host", path, "--to", to).status == 0)
        try lab.write("back\(lab.root)/source/7", "mine")
        let refused = await lab.type("restore", "host", path, "--to", to)
        #expect(refused.status == 21 && refused.errors.contains("E-OCCUPIED") && refused.errors.contains("source/7"))
        #expect(await lab.type("restore", "host", path, "--to", to, "--overwrite").status == 21)
        #expect(Self.back("back", "7", lab) == "mine")
        #expect(await lab.type("restore", "host", path, "--to", to, "--overwrite", "--yes").status == 0)
        #expect(Self.back("back", "7", lab) == "file 7")
    }

    @Test func `G-08 a name that is not UTF-8 is found and comes back as its bytes`() async throws {
        let lab = try Self.lab()
        let name = ByteString(Array("caf".utf8) + [0xe9, 0xff])
        let folder = try Directory.open(ByteString("\(lab.root)/source"))
        try writeDurably([0x31], to: name, in: folder, ifExists: .fail, entropy: SystemEntropy())
        #expect(await lab.type("run", "--all").status == 0)
        let found = await lab.type("find", name.escapedText)
        #expect(found.status == 0 && found.output.contains("caf\\xe9\\xff"), "\(found)")
        #expect(await lab.type("find", ByteString(Array("caf".utf8) + [0xe8, 0xff]).escapedText).status == 1)
        let path = ByteString("\(lab.root)/source/").bytes + name.bytes
        let done = await lab.type("restore", "host", ByteString(path).escapedText, "--to", "\(lab.root)/back")
        #expect(done.status == 0, "\(done)")
        #expect(try readFile(ByteString(Array("\(lab.root)/back".utf8) + path), limit: 9) == [0x31])
        let other = await lab.type("run", name.escapedText)
        #expect(other.status == 1 && other.errors.contains("caf\\xe9\\xff: is not UTF-8"), "\(other)")
    }

    @Test func `a medium that is away is named, and another one is taken only when that is agreed to`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        try lab.move("media/os", to: "away")
        let to = "\(lab.root)/back"
        let asked = await lab.type("restore", "host", "--to", to)
        #expect(asked.status == 21 && asked.errors.contains("near on os is not looked at"), "\(asked)")
        #expect(Self.back("back", "7", lab) == nil)
        let agreed = await lab.type("restore", "host", "--to", to, "--yes", "--json")
        #expect(agreed.status == 0 && agreed.output.contains("\"medium\":\"usb\""), "\(agreed)")
        #expect(agreed.output.contains("\"concessions\":[\"near on os is not looked at"))
        #expect(Self.back("back", "7", lab) == "file 7")
        // Who names the medium has agreed; who names the one that is away hears what is wrong with it.
        #expect(await lab.type("restore", "host", "--to", to, "--from", "usb").status == 0)
        let away = await lab.type("restore", "host", "--to", to, "--from", "os")
        #expect(away.status == 21 && away.errors.contains("E-MEDIUM"), "\(away)")
    }

    @Test func `in place, what would be lost is shown, saved and can be had again`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        try FileManager.default.removeItem(atPath: "\(lab.root)/source/3")
        // Nothing is lost: nothing is asked.
        #expect(await lab.type("restore", "host", "\(lab.root)/source/3", "--in-place").status == 0)
        #expect(Self.content("source/3", lab) == "file 3")
        try lab.write("source/4", "edited")
        let preview = await lab.type("restore", "host", "--in-place", "--dry-run")
        #expect(preview.status == 0 && preview.output.contains("source/4"), "\(preview)")
        let refused = await lab.type("restore", "host", "--in-place")
        #expect(refused.status == 21 && refused.errors.contains("E-NOT-AGREED"), "\(refused)")
        #expect(Self.content("source/4", lab) == "edited")
        let done = await lab.type("restore", "host", "--in-place", "--yes", "--json")
        #expect(done.status == 0 && Self.content("source/4", lab) == "file 4", "\(done)")
        let line = done.output.split(separator: "\n").first { $0.contains("\"safety_copy\"") }
        let snapshot = try #require(line?.split(separator: "\"").first { $0.count == 64 })
        #expect(await lab.type("restore", "host", "--list").output.contains("saved before a restore"))
        #expect(await lab.type("restore", "host", "--snapshot", String(snapshot), "--in-place", "--yes").status == 0)
        #expect(Self.content("source/4", lab) == "edited")
    }

    @Test func `what is mistyped is met with what is right, and nothing is changed`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        let wrong: [([String], String)] = [
            (["restore", "hots"], "did you mean \"host\"?"),
            (["restore", "host", "--from", "ubs"], "did you mean \"usb\"?"),
            (["restore", "host", "source/3"], "absolute path"),
            (["restore", "host", "/nowhere"], "holdfast find 'nowhere'"),
            (["restore", "host", "--at", "yesterday"], "write 2026-11-20"),
            (["restore", "host", "--snapshot", "ffff0000"], "--list"),
            (["restore", "host", "--to", "/"], "--in-place"), (["restore", "host", "--delete"], "--overwrite"),
            (["find", "x", "--workload", "hots"], "did you mean \"host\"?"),
        ]
        for (words, hint) in wrong {
            let answer = await lab.type(words)
            #expect(answer.status == 1 && answer.errors.contains(hint), "\(words): \(answer)")
        }
    }

    @Test func `a name is found in every copy, and what was not searched is said and ends in 3`() async throws {
        let lab = try Self.lab()
        #expect(await lab.type("run", "--all").status == 0)
        let found = await lab.type("find", "2?")
        #expect(
            found.status == 0 && found.output.contains("source/29") && found.output.contains("near, far"),
            "\(found)"
        )
        #expect(found.output.contains("bring one back: holdfast restore host"))
        #expect(await lab.type("find", "nothing-of-that-name").status == 1)
        try lab.move("media/usb", to: "away")
        let less = await lab.type("find", "29", "--json")
        #expect(less.status == 3 && less.output.contains("\"repositories\":[\"near\"]"), "\(less)")
        #expect(less.output.contains("\"not_searched\":[\"far on usb is not searched"))
    }
}
