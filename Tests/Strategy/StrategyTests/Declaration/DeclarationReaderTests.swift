import Bytes
import Testing

import Strategy

@Suite struct DeclarationReaderTests {
    @Test func `a complete file becomes values with absolute paths`() throws {
        let lab = try decode(completeDeclaration)
        #expect(lab.name == "home")
        #expect(lab.media.map(\.text) == ["/srv/lab/media/os-ssd", "/mnt/usb/holdfast", "/srv/lab/media/cloud"])
        #expect(lab.media.map(\.kind) == [.internal, .removable, .standIn])
        #expect(lab.repositories.map(\.password) == [.file("/srv/lab/secrets/host"), .environment("OFFSITE_PASSWORD")])
        let workload = try #require(lab.workloads.first)
        #expect(workload.name == "host")
        #expect(workload.host.paths == ["/etc", "/srv/work"])
        #expect(workload.host.exclude == ["*.cache"])
        #expect(workload.repositories == ["host-os", "offsite"])
        #expect(lab.path(of: lab.repositories[1]) == "/srv/lab/media/cloud/offsite")
        #expect(lab.warnings.isEmpty)
    }

    @Test func `what a workload does not say, its role says, and what that does not say, the defaults`() throws {
        var lab = try decode(completeDeclaration)
        var workload = try #require(lab.workloads.first)
        #expect(workload.objective == Objective(rpo: .atMost(.seconds(26 * 3600)), rto: .seconds(4 * 3600)))
        #expect(workload.backup.schedule?.text == "02:00")
        #expect(workload.backup.keep?.counts == [.daily: .atMost(7), .weekly: .atMost(4)])
        #expect(workload.backup.keep?.within == KeepDuration(days: 14))
        #expect(workload.backup.grace == .seconds(6 * 3600))
        #expect(workload.verifyEvery == .seconds(30 * 86_400))
        let text =
            completeDeclaration.replacing(
                "roles:",
                with: "defaults: { backup: { grace: 2h }, verify: { every: 10d } }\nroles:"
            )
            + "\n    backup: { keep: { last: all } }"
        lab = try decode(text)
        workload = try #require(lab.workloads.first)
        #expect(workload.backup.schedule?.text == "02:00")
        #expect(workload.backup.keep?.counts == [.last: .unlimited], "a policy of keeping is one whole")
        #expect(workload.backup.keep?.within == .zero)
        #expect(workload.backup.grace == .seconds(2 * 3600))
        #expect(workload.verifyEvery == .seconds(10 * 86_400))
    }

    @Test func `a repository's budget is bytes a second, each way by itself`() throws {
        let text = completeDeclaration.replacing(
            "password: \"file:secrets/host\"",
            with: "password: \"file:secrets/host\", budget: { upload: 20 MiB/s }"
        ).replacing(
            "password: \"env:OFFSITE_PASSWORD\"",
            with: "password: \"env:OFFSITE_PASSWORD\", budget: { upload: 160 Mbit/s, download: 2.5 MB/s }"
        )
        let budgets = try decode(text).repositories.map(\.budget)
        #expect(budgets.map(\.upload) == [RateTimetable(20 << 20), RateTimetable(20_000_000)])
        #expect(budgets.map(\.download) == [nil, RateTimetable(2_500_000)])
    }

    @Test func `the budget of the machine is said once, and bounded`() throws {
        let text = completeDeclaration.replacing(
            "lab: home",
            with: "lab: home\nbudget: { threads: 2, nice: 19, io: idle }"
        )
        let budget = try decode(text).budget
        #expect(budget.threads == 2 && budget.nice == 19 && budget.diskUse == .idle)
        let none = try decode(completeDeclaration).budget
        #expect(none.threads == nil && none.nice == nil && none.diskUse == .normal)
        let wrong = text.replacing("threads: 2", with: "threads: 0").replacing("nice: 19", with: "nice: 20")
            .replacing("io: idle", with: "io: best")
        #expect(
            problems(wrong) == [
                "holdfast.yaml:2:20: budget.threads: \"0\" is out of range; write a whole number from 1 to 256",
                "holdfast.yaml:2:29: budget.nice: \"20\" is out of range; write a whole number from 0 to 19",
                "holdfast.yaml:2:37: budget.io: \"best\" is none of the words here; known here: normal, idle",
            ]
        )
    }

    @Test func `a medium that runs mount wants an identity`() throws {
        let kind = "kind: removable,"
        let bare = try decode(completeDeclaration.replacing(kind, with: "\(kind) mount: true,"))
        #expect(bare.medium(named: "usb-ssd")?.isMountedForRuns == true)
        #expect(bare.medium(named: "os-ssd")?.isMountedForRuns == false)
        #expect(bare.warnings.map(\.key) == ["media.usb-ssd"])
        let known = "\(kind) mount: true, identity: \"AB12-cd34\","
        #expect(try decode(completeDeclaration.replacing(kind, with: known)).warnings.isEmpty)
    }

    @Test func `files that are included count as if they stood in the first one`() throws {
        let text = completeDeclaration.replacing("lab: home", with: "lab: home\ninclude: conf/more.yaml")
        let more = """
            media: { nas: { path: nas } }
            repositories: { third: { medium: nas, password: "file:third" } }
            protect:
              - { name: photos, host: { paths: [/photos] }, to: third, role: lazy }
            """
        let lab = try decode(text, files: ["/srv/lab/conf/more.yaml": more])
        #expect(lab.media.map(\.name) == ["os-ssd", "usb-ssd", "cloud", "nas"])
        #expect(lab.medium(named: "nas")?.folder == "/srv/lab/conf/nas", "relative to the file it stands in")
        #expect(lab.workloads.map(\.name) == ["host", "photos"])
        #expect(lab.workloads.last?.repositories == ["third"])
    }

    @Test func `M-10 what is wrong in an included file is told with its name`() {
        let text = completeDeclaration.replacing("lab: home", with: "lab: home\ninclude: [conf/more.yaml, gone.yaml]")
        let more = """
            lab: twice
            media: { cloud: { path: nas } }
            roles: { production: {}, other: { objectiv: {} } }
            """
        #expect(
            problems(text, files: ["/srv/lab/conf/more.yaml": more]) == [
                "holdfast.yaml:2:27: include: /srv/lab/gone.yaml cannot be read: it is not there; write it",
                "more.yaml:1:1: unknown key \"lab\"; known here: media, repositories, vault, kit, roles, protect, exclude, serve, notify, retired",
                "more.yaml:2:10: media.cloud: stands already at holdfast.yaml:7:3; give one of them another name",
                "more.yaml:3:10: roles.production: stands already at holdfast.yaml:14:3; give one of them another name",
                "more.yaml:3:35: roles.other: unknown key \"objectiv\"; did you mean \"objective\"?",
            ]
        )
    }

    @Test func `a stand-in never counts as an off-site medium`() throws {
        let lab = try decode(completeDeclaration)
        #expect(lab.repositories(on: .offsite).isEmpty)
        #expect(lab.repositories(on: .standIn).map(\.name) == ["offsite"])
    }

    @Test func `M-10 all problems are reported, in the order of the lines`() {
        let found = problems(
            completeDeclaration.replacing("stand-in", with: "standin").replacing(
                "medium: os-ssd",
                with: "medium: os-sdd"
            )
            .replacing("role: production", with: "role: producton")
        )
        #expect(
            found == [
                "holdfast.yaml:6:20: media.cloud.kind: \"standin\" is none of the words here; did you mean \"stand-in\"?",
                "holdfast.yaml:9:22: repositories.host-os.medium: there is no \"os-sdd\" below media; did you mean \"os-ssd\"?",
                "holdfast.yaml:21:11: protect.role: there is no \"producton\" below roles; did you mean \"production\"?",
            ]
        )
    }

    @Test func `S-03 a password pasted where a reference belongs is not repeated in the message`() {
        let found = problems(completeDeclaration.replacing("file:secrets/host", with: "hunter2-canary"))
        #expect(
            found == [
                "holdfast.yaml:9:40: repositories.host-os.password: is not a reference to a secret; write \"file:PATH\", \"env:NAME\", \"command:PROGRAM ARGUMENTS\", \"credential:NAME\" or \"vault:ITEM#FIELD\""
            ]
        )
    }

    @Test func `M-10 a file that is not UTF-8 names the line`() {
        let file = DeclarationFile(name: "x.yaml", folder: "/", bytes: Array("lab: a\n".utf8) + [0xff, 0xfe])
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in throw StrategyProblem(Place(file: path), what: "") },
            patternProblem: { _ in nil }
        )
        #expect(
            throws: StrategyProblems(problems: [
                StrategyProblem(Place(file: "x.yaml", line: 2), what: "is not UTF-8 text")
            ])
        ) {
            try readDeclaration(file, rules)
        }
    }

    @Test func `I-01 every prefix and every changed byte is read or refused without a trap`() {
        let bytes = Array(completeDeclaration.utf8)
        for count in bytes.indices {
            var changed = bytes
            changed[count] ^= 0x15
            _ = problems(String(decoding: bytes[..<count], as: UTF8.self))
            _ = problems(String(decoding: changed, as: UTF8.self))
        }
    }
}
