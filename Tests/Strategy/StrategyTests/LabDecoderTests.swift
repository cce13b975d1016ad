import Testing

import Strategy

private let complete = """
    lab: home

    media:
      os-ssd:  { kind: internal,  path: media/os-ssd }
      usb-ssd: { kind: removable, path: /mnt/usb/holdfast }
      cloud:   { kind: stand-in,  path: ./media//cloud/ }

    repositories:
      host-os: { medium: os-ssd, password: "file:secrets/host" }
      offsite: { medium: cloud,  password: "env:OFFSITE_PASSWORD" }

    protect:
      - host: { paths: [/etc, ../work], exclude: ["*.cache"] }
        to: [host-os, offsite]
    """

private func decode(_ text: String) throws(StrategyProblems) -> Lab {
    try decodeLab(Array(text.utf8), folder: "/srv/lab")
}

private func problems(_ text: String) -> [String] {
    do throws(StrategyProblems) {
        _ = try decode(text)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

@Suite struct LabDecoderTests {
    @Test func `a complete file becomes values with absolute paths`() throws {
        let lab = try decode(complete)
        #expect(lab.name == "home")
        #expect(lab.media.map(\.path) == ["/srv/lab/media/os-ssd", "/mnt/usb/holdfast", "/srv/lab/media/cloud"])
        #expect(lab.media.map(\.kind) == [.internal, .removable, .standIn])
        #expect(lab.repositories.map(\.password) == [.file("/srv/lab/secrets/host"), .environment("OFFSITE_PASSWORD")])
        #expect(lab.protections.first?.paths == ["/etc", "/srv/work"])
        #expect(lab.protections.first?.exclude == ["*.cache"])
        #expect(lab.protections.first?.repositories == ["host-os", "offsite"])
        #expect(lab.path(of: lab.repositories[1]) == "/srv/lab/media/cloud/offsite")
    }

    @Test func `a stand-in never counts as an off-site medium`() throws {
        let lab = try decode(complete)
        #expect(lab.repositories(on: .offsite).isEmpty)
        #expect(lab.repositories(on: .standIn).map(\.name) == ["offsite"])
    }

    @Test func `M-10 an unknown key is refused with its line and the nearest known key`() {
        #expect(
            problems(complete.replacing("kind: removable", with: "knid: removable")) == [
                "line 5: media.usb-ssd: unknown key \"knid\"; did you mean \"kind\"?",
                "line 5: media.usb-ssd.kind: is missing",
            ]
        )
        #expect(
            problems(complete + "\nroles: {}").contains {
                $0.hasPrefix("line 15: unknown key \"roles\"; known here: lab, media, repositories, protect")
            }
        )
    }

    @Test func `M-10 all problems are reported, in the order of the lines`() {
        let found = problems(
            complete.replacing("stand-in", with: "standin").replacing("medium: os-ssd", with: "medium: os-sdd")
                .replacing("to: [host-os, offsite]", with: "to: [host-os, host-os]")
        )
        #expect(
            found == [
                "line 6: media.cloud.kind: \"standin\" is no kind of medium; did you mean \"stand-in\"?",
                "line 9: repositories.host-os.medium: there is no medium \"os-sdd\"; did you mean \"os-ssd\"?",
                "line 13: protect.to: names \"host-os\" twice; keep one of them",
            ]
        )
    }

    @Test func `S-03 a password pasted where a reference belongs is not repeated in the message`() {
        let found = problems(complete.replacing("file:secrets/host", with: "hunter2-canary"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("line 9: repositories.host-os.password: is not a reference") == true)
        #expect(found.first?.contains("canary") == false)
    }

    @Test func `a folder cannot be declared off-site`() {
        #expect(problems(complete.replacing("stand-in", with: "offsite")).first?.contains("not off-site") == true)
    }

    @Test func `two media in one folder are refused`() {
        let found = problems(complete.replacing("/mnt/usb/holdfast", with: "media/os-ssd/inner"))
        #expect(
            found == [
                "line 5: media.usb-ssd.path: shares its folder with medium \"os-ssd\"; give each medium a folder of its own"
            ]
        )
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var words: String
        var testDescription: String { name }
    }

    @Test(arguments: [
        Broken(name: "empty", text: "", words: "is empty"),
        Broken(name: "open bracket", text: "lab: [", words: "is not YAML"),
        Broken(name: "key twice", text: "lab: a\nlab: b", words: "stands twice"),
        Broken(name: "a list", text: "- a", words: "is a list, not a table"),
        Broken(name: "null", text: "lab: ~", words: "lab: is nothing, not a text"),
        Broken(name: "anchor", text: "lab: &a home", words: "anchors and aliases are not accepted"),
        Broken(name: "two documents", text: "lab: a\n---\nlab: b", words: "is not YAML"),
        Broken(name: "a path as name", text: "lab: ../x", words: "is not a name"),
        Broken(name: "100,000 brackets", text: String(repeating: "[", count: 100_000), words: "nested too deeply"),
        Broken(name: "100,000 dashes", text: String(repeating: "- ", count: 100_000), words: "nested too deeply"),
        Broken(name: "2 MiB", text: String(repeating: "x", count: 2 << 20), words: "larger than 1 MiB"),
    ])
    func `M-10 a broken file is refused in words`(broken: Broken) {
        let found = problems(broken.text)
        #expect(found.contains { $0.contains(broken.words) }, "\(found)")
    }

    @Test func `M-10 a file that is not UTF-8 names the line`() {
        #expect(throws: StrategyProblems(problems: [StrategyProblem(line: 2, what: "is not UTF-8 text")])) {
            try decodeLab(Array("lab: a\n".utf8) + [0xff, 0xfe], folder: "/")
        }
    }

    @Test func `I-01 every prefix and every changed byte is read or refused without a trap`() {
        let bytes = Array(complete.utf8)
        for count in bytes.indices {
            _ = try? decodeLab(Array(bytes[..<count]), folder: "/srv")
            var changed = bytes
            changed[count] ^= 0x15
            _ = try? decodeLab(changed, folder: "/srv")
        }
    }
}

@Suite struct NearestWordTests {
    @Test(arguments: [
        ("knid", "kind"), ("pasword", "password"), ("Medium", "medium"), ("paths", "path"),
    ])
    func `a misspelt key finds the one that was meant`(word: String, meant: String) {
        #expect(nearestWord(to: word, among: ["kind", "path", "medium", "password"]) == meant)
    }

    @Test(arguments: ["datastores", "x", "", "schedule"])
    func `a word that is near to none gets no guess`(word: String) {
        #expect(nearestWord(to: word, among: ["kind", "path", "medium", "password"]) == nil)
    }
}
