import Testing

import LabCommands
import Protection
import Strategy

@Suite struct DeclarationTemplateTests {
    private func read(_ template: DeclarationTemplate, in folder: String) throws -> Lab {
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in throw StrategyProblem(Place(file: path), what: "includes nothing")
            },
            patternProblem: { _ in nil }
        )
        let file = DeclarationFile(name: "holdfast.yaml", folder: folder, bytes: Array(template.text.utf8))
        return try readDeclaration(file, rules)
    }

    @Test func `the first declaration is read back as it was meant`() throws {
        let template = DeclarationTemplate(
            paths: ["/work/it's \"here\"", "/etc"],
            exclude: ["/work/lab", "*.cache"],
            unreadable: ["/etc/shadow", "/etc/back\\\\slash\u{7}"],
            userName: "ann"
        )
        let lab = try read(template, in: "/work/lab")
        #expect(lab.workloads.first?.host.paths == ["/work/it's \"here\"", "/etc"])
        #expect(
            lab.workloads.first?.host.exclude == ["/work/lab", "*.cache", "/etc/shadow", "/etc/back\\\\slash\u{7}"]
        )
        #expect(lab.workloads.first?.repositories == ["host-os", "host-usb", "offsite"])
        #expect(lab.media.map(\.kind) == [.internal, .removable, .standIn])
        #expect(
            lab.media.map(\.text) == ["/work/lab/media/os-ssd", "/work/lab/media/usb-ssd", "/work/lab/media/cloud"]
        )
        #expect(lab.repositories(on: .offsite).isEmpty)
    }

    @Test func `the first declaration of root has no line about what cannot be read`() throws {
        let template = DeclarationTemplate(paths: ["/etc"], exclude: ["*.cache"], unreadable: [], userName: "root")
        #expect(!template.text.contains("not readable"))
        #expect(try read(template, in: "/").workloads.count == 1)
    }

    @Test func `a path becomes a pattern that matches it alone`() {
        #expect(literalPattern("/a/b c") == "/a/b c")
        #expect(literalPattern("/a/*[x]?\\y") == "/a/\\*\\[x]\\?\\\\y")
    }
}
