import Testing

import Strategy

/// M-10: each wrong declaration is refused whole, with its place, what is wrong and how to mend it.
@Suite struct RefusedDeclarationTests {
    struct Edit: Sendable, CustomTestStringConvertible {
        var name: String
        var from: String
        var to: String
        var problem: String
        var testDescription: String { name }

        init(_ name: String, _ from: String, _ to: String, _ problem: String) {
            self.name = name
            self.from = from
            self.to = to
            self.problem = problem
        }
    }

    @Test(arguments: [
        Edit(
            "unknown key",
            "kind: removable",
            "knid: removable",
            "holdfast.yaml:5:14: media.usb-ssd: unknown key \"knid\"; did you mean \"kind\"?"
        ),
        Edit(
            "unknown top key",
            "protect:",
            "protekt:",
            "holdfast.yaml:18:1: unknown key \"protekt\"; did you mean \"protect\"?"
        ),
        Edit(
            "missing key",
            "password: \"file:secrets/host\"",
            "",
            "holdfast.yaml:9:12: repositories.host-os.password: is missing; add \"password\": Where its password is found; never the password itself."
        ),
        Edit(
            "list for a text",
            "lab: home",
            "lab: [home]",
            "holdfast.yaml:1:6: lab: is a list, not a text; write such as lab: home"
        ),
        Edit(
            "text for a table",
            "{ schedule: \"sun 03:00\" }",
            "daily",
            "holdfast.yaml:16:19: roles.lazy.backup: is a text, not a table of keys; known keys: schedule, grace, keep"
        ),
        Edit(
            "folder off-site",
            "kind: stand-in",
            "kind: offsite",
            "holdfast.yaml:6:20: media.cloud.kind: \"offsite\" cannot be a folder of this machine; write stand-in for a rehearsal: it never counts as an off-site copy"
        ),
        Edit(
            "no unit",
            "rto: 4h",
            "rto: 4",
            "holdfast.yaml:14:35: roles.production.objective.rto: \"4\" has no unit; write a number with s, min, h, d or w: 90min, 4h, 1d 12h"
        ),
        Edit(
            "almost the word",
            "rpo: 1d 2h",
            "rpo: last-schedule",
            "holdfast.yaml:14:23: roles.production.objective.rpo: \"last-schedule\" is no length of time; did you mean \"last-scheduled\"?"
        ),
        Edit(
            "rate without time",
            "password: \"file:secrets/host\"",
            "password: \"file:secrets/host\", budget: { upload: 20 MiB }",
            "holdfast.yaml:9:79: repositories.host-os.budget.upload: \"20 MiB\" says no time; write a size or a number of bits for each second: 20 MiB/s, 100 Mbit/s"
        ),
        Edit(
            "rate of no unit",
            "password: \"file:secrets/host\"",
            "password: \"file:secrets/host\", budget: { download: fast }",
            "holdfast.yaml:9:81: repositories.host-os.budget.download: \"fast\" is no rate; write a size or a number of bits for each second: 20 MiB/s, 100 Mbit/s"
        ),
        Edit(
            "month",
            "rto: 4h",
            "rto: 4 months",
            "holdfast.yaml:14:35: roles.production.objective.rto: \"months\" is no unit of time here; months and years have no fixed length: write days or weeks"
        ),
        Edit(
            "negative count",
            "daily: 7",
            "daily: -7",
            "holdfast.yaml:15:49: roles.production.backup.keep.daily: \"-7\" is no whole number; write a whole number from 0 to 100000"
        ),
        Edit(
            "P-02 overflowing count",
            "daily: 7",
            "daily: 9223372036854775808",
            "holdfast.yaml:15:49: roles.production.backup.keep.daily: \"9223372036854775808\" is out of range; write a whole number from 0 to 100000"
        ),
        Edit(
            "P-01 keeps nothing",
            "{ daily: 7, weekly: 4, within: 14d }",
            "{ daily: 0 }",
            "holdfast.yaml:15:40: roles.production.backup.keep: keeps nothing; give at least one count, such as daily: 7, or leave keep out to keep all"
        ),
        Edit(
            "P-01 keeps tags alone",
            "{ daily: 7, weekly: 4, within: 14d }",
            "{ tags: [yearly] }",
            "holdfast.yaml:15:40: roles.production.backup.keep: keeps nothing but what is tagged; give at least one count, such as daily: 7, or leave keep out to keep all"
        ),
        Edit(
            "P-02 unknown unit",
            "within: 14d",
            "within: 14x",
            "holdfast.yaml:15:71: roles.production.backup.keep.within: \"14x\" is no span of the calendar; write y, m, d and h in that order: 14d, 6m, 1y6m"
        ),
        Edit(
            "no target",
            "to: [host-os, offsite]",
            "to: []",
            "holdfast.yaml:20:9: protect.to: needs a list with at least one entry; write such as to: [host-os, host-usb]"
        ),
        Edit(
            "target left out",
            "to: [host-os, offsite]",
            "",
            "holdfast.yaml:19:5: protect.to: is missing; add \"to\": The repositories that keep it."
        ),
        Edit(
            "dangling target",
            "[host-os, offsite]",
            "[host-os, ofsite]",
            "holdfast.yaml:20:19: protect.to: there is no \"ofsite\" below repositories; did you mean \"offsite\"?"
        ),
        Edit(
            "target twice",
            "[host-os, offsite]",
            "[host-os, host-os]",
            "holdfast.yaml:20:5: protect.to: names \"host-os\" twice; keep one of them"
        ),
        Edit(
            "no source",
            "host: { paths: [/etc, ../work], exclude: [\"*.cache\"] }",
            "name: x",
            "holdfast.yaml:19:5: protect: says nothing of what it is about; write one of: host"
        ),
        Edit(
            "no paths",
            "paths: [/etc, ../work], ",
            "",
            "holdfast.yaml:19:11: protect.host.paths: is missing; add \"paths\": Folders and files to back up."
        ),
        Edit(
            "tilde",
            "/etc, ",
            "~/x, ",
            "holdfast.yaml:19:21: protect.host.paths: \"~\" is not expanded; write the whole path"
        ),
        Edit(
            "broken pattern",
            "\"*.cache\"",
            "\"*.[\"",
            "holdfast.yaml:19:47: protect.host.exclude: \"*.[\" is no pattern: a bracket has no end; see the exclude patterns of restic"
        ),
        Edit(
            "two media in one folder",
            "/mnt/usb/holdfast",
            "media/os-ssd/inner",
            "holdfast.yaml:5:3: media.usb-ssd.path: shares its folder with medium \"os-ssd\"; give each medium a folder of its own"
        ),
        Edit("a path for a name", "lab: home", "lab: ../x", "holdfast.yaml:1:1: lab: is not a name; \(nameAdvice)"),
        Edit(
            "a medium without a name",
            "  cloud: ",
            "  ../x: ",
            "holdfast.yaml:6:3: media.../x: is not a name; \(nameAdvice)"
        ),
        Edit(
            "zone",
            "lab: home",
            "lab: home\ntime-zone: Berlin time",
            "holdfast.yaml:2:12: time-zone: \"Berlin time\" is no time zone; write a name such as Europe/Berlin or UTC"
        ),
    ])
    func `M-10 refused whole, with place and remedy`(edit: Edit) {
        #expect(completeDeclaration.contains(edit.from))
        #expect(
            problems(completeDeclaration.replacing(edit.from, with: edit.to)).contains(edit.problem),
            "\(problems(completeDeclaration.replacing(edit.from, with: edit.to)))"
        )
    }

    @Test func `M-10 a name that dangles keeps nobody from hearing of rules that keep nothing`() {
        let broken = completeDeclaration.replacing("{ daily: 7, weekly: 4, within: 14d }", with: "{ daily: 0 }")
            .replacing("[host-os, offsite]", with: "[host-os, ofsite]")
        let found = problems(broken)
        #expect(found.count == 2, "\(found)")
        #expect(
            found.first?.contains("keeps nothing") == true && found.last?.contains("\"ofsite\"") == true,
            "\(found)"
        )
    }

    @Test func `M-10 two workloads of one name, and one that is retired and alive`() {
        let second = """

              - { host: { paths: [/srv] }, to: host-os, role: lazy }
            retired:
              - { name: host, because: sold }
              - { name: old, because: sold }
              - { name: old, because: burnt }
            """
        #expect(
            problems(completeDeclaration + second) == [
                "holdfast.yaml:22:5: protect: is called \"host\", as is the workload at holdfast.yaml:19:5; give each a name of its own: name: NAME",
                "holdfast.yaml:24:5: retired: \"host\" is retired and protected at once (holdfast.yaml:19:5); remove one of them",
                "holdfast.yaml:26:5: retired: \"old\" is retired already (holdfast.yaml:25:5); remove one of them",
            ]
        )
    }

    @Test func `M-10 a declaration that includes itself`() {
        let text = completeDeclaration.replacing("lab: home", with: "lab: home\ninclude: [./holdfast.yaml]")
        #expect(
            problems(text, files: ["/srv/lab/holdfast.yaml": text]) == [
                "holdfast.yaml:2:11: include: names this file itself; remove it"
            ]
        )
    }

    @Test func `two copies on one medium and a workload without schedule are warnings`() throws {
        let lab = try decode(
            completeDeclaration.replacing("medium: cloud", with: "medium: os-ssd").replacing(
                "    role: production",
                with: ""
            )
        )
        #expect(
            lab.warnings.map(\.description) == [
                "holdfast.yaml:19:5: protect.to: \"host-os\" and \"offsite\" lie on one medium, \"os-ssd\": they count as one copy; send one of them to another medium",
                "holdfast.yaml:19:5: protect: \"host\" has no schedule: it is backed up only by hand; give it a role with backup.schedule, or its own",
            ]
        )
    }

    @Test func `each key that takes a text, a path, a list or names has an example that is read`() {
        for (path, shape) in labSchema.allKeys(below: "") where shape.wantsExample {
            #expect(keyExample(path) != nil, "\(path)")
        }
        #expect(keyExample("media.usb.path") == "path: /mnt/usb/holdfast")
        #expect(keyExample("notify.mail.smtp.to") == "to: [me@example.com]")
    }

    @Test(arguments: [
        "7f424cf8-e291-4dcd-86a8-cbf2134c80cd", "7F424CF8E2914DCD86A8CBF2134C80CD", "1A2B-3c4d", "0123456789ABCDEF",
    ])
    func `B-10 the identity of a medium is a UUID as file systems have it`(uuid: String) throws {
        let text = completeDeclaration.replacing("kind: removable,", with: "kind: removable, identity: \"\(uuid)\",")
        #expect(try decode(text).medium(named: "usb-ssd")?.identity == uuid)
        for wrong in [uuid + "0", String(uuid.dropLast()), uuid.replacing("4", with: "g"), "usb", "/dev/sdb1"] {
            let found = problems(text.replacing(uuid, with: wrong))
            #expect(found.count == 1, "\(wrong)")
            #expect(
                found.first?.hasPrefix(
                    "holdfast.yaml:5:41: media.usb-ssd.identity: \"\(wrong)\" is no UUID of a file system; write it as `findmnt"
                ) == true,
                "\(found)"
            )
        }
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
        Broken(
            name: "key twice",
            text: "lab: a\nlab: b",
            words: "holdfast.yaml:2:1: the key \"lab\" stands twice, first in line 1; keep one of them"
        ),
        Broken(
            name: "key twice in braces, with quotes",
            text: "lab: a\nmedia: { ü: { path: /a, kind: internal, 'path': /b } }",
            words: "holdfast.yaml:2:41: the key \"path\" stands twice, first in line 2"
        ),
        Broken(
            name: "key three times, and another one twice",
            text: "a: 1\nb: 2\na: 3\nb: 4\na: 5",
            words: "holdfast.yaml:3:1: the key \"a\" stands twice, first in line 1"
        ),
        Broken(name: "a list", text: "- a", words: "is a list, not a table"),
        Broken(name: "null", text: "lab: ~", words: "lab: is nothing, not a text"),
        Broken(name: "anchor", text: "lab: &a home", words: "anchors and aliases are not accepted"),
        Broken(name: "two documents", text: "lab: a\n---\nlab: b", words: "is not YAML"),
        Broken(name: "100,000 brackets", text: String(repeating: "[", count: 100_000), words: "nested too deeply"),
        Broken(name: "100,000 dashes", text: String(repeating: "- ", count: 100_000), words: "nested too deeply"),
        Broken(
            name: "2 MiB",
            text: String(repeating: "x", count: 2 << 20),
            words: "larger than 1 MiB, where a declaration has a few KiB; name the"
        ),
    ])
    func `M-10 a broken file is refused in words`(broken: Broken) {
        let found = problems(broken.text)
        #expect(found.contains { $0.contains(broken.words) }, "\(found)")
    }
}

private let nameAdvice = "use up to 64 letters, digits, - _ . and start with a letter or digit"

extension TableShape {
    /// Every key with its path in messages and what stands behind it.
    fileprivate func allKeys(below path: String) -> [(path: String, shape: Shape)] {
        keys.flatMap { key -> [(path: String, shape: Shape)] in
            let here = path.isEmpty ? key.name : "\(path).\(key.name)"
            switch key.shape {
            case .table(let table): return table.allKeys(below: here)
            case .names(of: .table(let table)): return [(here, key.shape)] + table.allKeys(below: here + ".NAME")
            case .list(.table(let table)): return [(here, key.shape)] + table.allKeys(below: here)
            case .scalar, .list, .names: return [(here, key.shape)]
            }
        }
    }
}

extension Shape {
    /// What it is does not say how it looks.
    fileprivate var wantsExample: Bool {
        switch self {
        case .scalar(.text), .scalar(.path), .scalar(.pattern), .scalar(.reference), .scalar(.template), .list, .names:
            true
        case .scalar, .table: false
        }
    }
}
