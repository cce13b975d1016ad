import Testing

import Strategy

@Suite struct LabDifferenceTests {
    private static let old = """
        lab: home
        media: { disk: { path: /disk }, usb: { kind: removable, path: /usb, identity: ab12-cd34 } }
        repositories:
          near: { medium: disk, password: "file:near" }
          far: { medium: usb, password: "file:far", budget: { upload: 20 MiB/s } }
        protect:
          - { name: host, host: { paths: [/etc] }, to: [near, far] }
        notify:
          - { name: phone, ntfy: { url: "https://ntfy.example/x" } }
          - { name: mail, webhook: { url: "https://hook.example/x" } }
        """

    private func changes(_ edit: (String) -> String) throws -> [String] {
        let difference = LabDifference(from: try decode(Self.old), to: try decode(edit(Self.old)))
        #expect(difference.changes.allSatisfy { $0.effect == .neutral })
        return difference.changes.map { "\($0.object) \($0.what)" }
    }

    @Test func `an edited budget is named with what it was`() throws {
        #expect(
            try changes { $0.replacing("upload: 20 MiB/s", with: "download: 2500 kB/s") } == [
                "far uploads without a bound (was: at most 20 MiB/s)",
                "far downloads at most 2500 kB/s (was: without a bound)",
            ]
        )
        #expect(
            try changes { $0.replacing("lab: home", with: "lab: home\nbudget: { threads: 2, nice: 10, io: idle }") }
                == [
                    "budget.threads is 2 (was: as the machine has it)",
                    "budget.nice is 10 (was: as the machine has it)",
                    "budget.io is idle (was: normal)",
                ]
        )
    }

    @Test func `P-04 another name of the lab is said first, and what it costs`() throws {
        let other = try decode(Self.old.replacing("lab: home", with: "lab: second"))
        let first = try #require(LabDifference(from: try decode(Self.old), to: other).changes.first)
        #expect(first.effect == .less)
        #expect(first.what.hasPrefix("was home, is second"))
    }

    @Test func `of a medium behind a network, another place, another way and other credentials are named`() throws {
        let bucket = "{ kind: offsite, s3: { endpoint: \"https://a.example\", bucket: lab }, credentials: \"env:A\" }"
        let before = completeDeclaration.replacing("{ kind: stand-in,  path: ./media//cloud/ }", with: bucket)
        func changes(_ edit: (String) -> String) throws -> [String] {
            LabDifference(from: try decode(before), to: try decode(edit(before))).changes.map {
                "\($0.object) \($0.what)"
            }
        }
        #expect(try changes { $0 } == [])
        #expect(
            try changes { $0.replacing("bucket: lab", with: "bucket: lab, connections: 9") } == [
                "cloud is reached in another way"
            ]
        )
        #expect(
            try changes { $0.replacing("env:A", with: "env:B") } == ["cloud is entered with env:B (was: env:A)"]
        )
        #expect(
            try changes { $0.replacing("bucket: lab", with: "bucket: lab2") } == [
                "cloud moves from s3:https://a.example/lab to s3:https://a.example/lab2"
            ]
        )
    }

    @Test func `mounting and the address of the daemon are named`() throws {
        #expect(
            try changes { $0.replacing("identity: ab12-cd34", with: "identity: ab12-cd34, mount: true") } == [
                "usb is mounted for runs alone"
            ]
        )
        #expect(
            try changes { $0 + "\nserve: { health: \"127.0.0.1:9847\" }\n" } == [
                "serve.health answers on 127.0.0.1:9847 (was: no address)"
            ]
        )
    }

    @Test func `who hears of it is named, and a line that only moved is no change`() throws {
        #expect(try changes { $0.replacing("notify:", with: "# who hears\nnotify:") }.isEmpty)
        #expect(
            try changes {
                $0.replacing("name: mail", with: "name: chat").replacing(
                    "/x\" } }\n",
                    with: "/y\" }, events: [failed, missed], remind: 2d }\n"
                )
            } == [
                "notify.mail is gone: nothing is told there any more",
                "notify.phone goes another way: try `holdfast notify test`",
                "notify.phone hears failed, missed (was: failed, missed, damaged, held, recovered, sign-of-life)",
                "notify.phone is reminded after 2d (was: after 1d)", "notify.chat is new",
            ]
        )
    }
}
