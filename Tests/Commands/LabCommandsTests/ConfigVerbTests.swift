import Bytes
import Console
import Foundation
import HostSystem
import Testing

import LabCommands

@Suite struct ConfigVerbTests {
    private static let complete = """
        lab: home
        time-zone: Europe/Berlin
        budget: { threads: 2, nice: 10, io: idle }
        include: [conf/more.yaml]
        media:
          os-ssd: { path: media/os-ssd }
          usb-ssd: { kind: removable, path: "/mnt/usb \\" ssd", identity: "AB12-cd34", mount: true }
        repositories:
          host-os: { medium: os-ssd, password: "file:secrets/host", budget: { upload: 20 MiB/s, download: 160 Mbit/s } }
          host-usb: { medium: usb-ssd, password: "command:pass show 'host usb'" }
        vault:
          address: https://vault.example
          email: a@b
          password: "credential:vault"
          client-id: "env:ID"
          client-secret: "file:secrets/client"
          certificates: conf/home.pem
          sealed-copy: state/vault.sealed
          sealed-by: "credential:machine"
          data: [/srv/vw, data]
        kit:
          holders: ["Ann, \\"safe\\"", bank]
          accounts: ["cloud: a@b"]
          secrets: { vault-backup: "file:secrets/vault" }
          test-every: 90d
        defaults: { verify: { every: 10d } }
        roles:
          production:
            objective: { rpo: 4d, rto: 4h }
            backup: { schedule: "mon..fri 02:00", keep: { daily: 7, yearly: all, within: 14d, within-hourly: 2d, tags: [a, b] } }
        protect:
          - host: { paths: [/etc, ../work], exclude: ["*.cache", "/x/[ab]"], exclude-caches: true, exclude-larger-than: 2G }
            to: [host-os, host-usb]
            role: production
            priority: 2
        """
    private static let more = """
        protect:
          - { name: photos, host: { paths: [/photos], one-file-system: yes }, to: host-usb, backup: { schedule: "@weekly" } }
        exclude:
          - { paths: [/scratch], because: "rebuilt: \\"from\\" templates" }
        retired:
          - { name: old, because: sold }
        """

    /// A folder with a declaration, and the runs in it.
    private struct Folder {
        let path: String

        init(_ text: String, more: String? = nil) throws {
            path = NSTemporaryDirectory() + "config-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path + "/conf", withIntermediateDirectories: true)
            try text.write(toFile: path + "/holdfast.yaml", atomically: false, encoding: .utf8)
            let certificate = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
            try certificate.write(toFile: path + "/conf/home.pem", atomically: false, encoding: .utf8)
            if let more { try more.write(toFile: path + "/conf/more.yaml", atomically: false, encoding: .utf8) }
        }

        func run(_ verb: String, _ options: String...) async -> (status: Int32, output: String, errors: String) {
            let (output, errors) = (MemorySink(), MemorySink())
            let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
            let named = verb == "schema" ? [] : ["--config", path + "/holdfast.yaml"]
            let status = await runLab(arguments: ["config", verb] + named + options, screen: screen)
            return (status, output.text, errors.text)
        }

        func remove() { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test func `a right declaration is counted, its warnings told`() async throws {
        let folder = try Folder(Self.complete, more: Self.more)
        defer { folder.remove() }
        let checked = await folder.run("check")
        #expect(checked.status == 0)
        #expect(checked.output.hasSuffix("is right: 2 workloads, 2 repositories, 2 media\n"))
        #expect(checked.errors.isEmpty)
        let json = await folder.run("check", "--json")
        #expect(
            json.output == #"{"message_type":"summary","workloads":2,"repositories":2,"media":2,"warnings":0}"# + "\n"
        )
    }

    @Test func `certificates that are not there or hold none are a warning with line and remedy`() async throws {
        let channels = """
            notify:
              - { name: phone, ntfy: { url: "https://ntfy.example/x", certificates: conf/missing.pem } }
              - { name: hook, webhook: { url: "https://hook.example/x", certificates: conf/more.yaml } }
              - { name: good, ping: { url: "https://check.example/x", certificates: conf/home.pem } }
            """
        let folder = try Folder(Self.complete + "\n" + channels, more: Self.more)
        defer { folder.remove() }
        let checked = await folder.run("check")
        #expect(checked.status == 0)
        let lines = checked.errors.split(separator: "\n").filter { $0.contains("certificates") }
        #expect(lines.count == 2, "\(checked.errors)")
        #expect(
            lines.first?.contains("notify.phone.certificates: \(folder.path)/conf/missing.pem is not there; put")
                == true
        )
        #expect(
            lines.last?.contains("notify.hook.certificates: \(folder.path)/conf/more.yaml holds no certificate") == true
        )
        #expect(lines.allSatisfy { $0.hasPrefix("warning: ") && $0.contains("holdfast.yaml:3") })
        let arguments = ["doctor", "--config", folder.path + "/holdfast.yaml"]
        let output = MemorySink()
        let screen = Screen(facts: TerminalFacts(), output: output, error: MemorySink())
        #expect(await runLab(arguments: arguments, screen: screen) == 1)
        #expect(
            output.text.contains(
                "BAD       notify.phone.certificates (\(folder.path)/conf/missing.pem): is not there\n"
            )
        )
        #expect(output.text.contains("ok        notify.good.certificates"))
        #expect(output.text.contains("ok        vault.certificates"))
    }

    @Test func `M-10 a wrong declaration ends in 1, all problems told, as text and as JSON`() async throws {
        let folder = try Folder(
            Self.complete.replacing("kind: removable", with: "kind: removeable").replacing(
                "daily: 7",
                with: "daily: -7"
            ),
            more: Self.more.replacing("because: sold", with: "becuase: sold")
        )
        defer { folder.remove() }
        let checked = await folder.run("check")
        #expect(checked.status == 1)
        #expect(checked.output.isEmpty)
        let lines = checked.errors.split(separator: "\n").map(String.init)
        #expect(lines.count == 5, "\(lines)")
        #expect(lines[0].contains("/holdfast.yaml:7:20: media.usb-ssd.kind: \"removeable\" is none of the words here"))
        #expect(lines[1].contains("\"-7\" is no whole number"))
        #expect(lines[2].hasPrefix("conf/more.yaml:6:5: retired.because: is missing; add \"because\""))
        #expect(lines[3] == "conf/more.yaml:6:18: retired: unknown key \"becuase\"; did you mean \"because\"?")
        #expect(lines[4] == "4 problems; nothing was changed, and nothing runs with this file until they are mended")
        let json = await folder.run("check", "--json")
        #expect(json.status == 1)
        let objects = try json.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.map { $0["line"] as? Int } == [7, 30, 6, 6])
        #expect(objects.allSatisfy { $0["message_type"] as? String == "error" && $0["next"] is String })
    }

    @Test func `M-10 a verb that was asked for JSON says in JSON that the declaration is broken`() async throws {
        let folder = try Folder(Self.complete.replacing("daily: 7", with: "daily: -7"), more: Self.more)
        defer { folder.remove() }
        for words in [["run"], ["plan"], ["status"], ["coverage"], ["doctor"], ["secret", "check"], ["serve"]] {
            let (output, errors) = (MemorySink(), MemorySink())
            let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
            let arguments = words + ["--json", "--config", folder.path + "/holdfast.yaml"]
            #expect(await runLab(arguments: arguments, screen: screen) == 1)
            let problem = try #require(try JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any])
            #expect(problem["message_type"] as? String == "error" && problem["line"] as? Int == 30, "\(words)")
            #expect((problem["message"] as? String)?.contains("-7") == true)
            let end = try #require(try JSONSerialization.jsonObject(with: Data(errors.text.utf8)) as? [String: Any])
            #expect(end["message_type"] as? String == "exit_error" && end["code"] as? Int == 1, "\(words)")
            #expect(end["error"] as? String == "E-DECLARATION" && end["message"] as? String == "1 problem")
            #expect(end["state"] as? String == "nothing was changed" && (end["next"] as? String)?.isEmpty == false)
        }
        let errors = MemorySink()
        let screen = Screen(facts: TerminalFacts(), output: MemorySink(), error: errors)
        #expect(await runLab(arguments: ["run", "--json", "--nonsense"], screen: screen) == 1)
        let usage = try #require(try JSONSerialization.jsonObject(with: Data(errors.text.utf8)) as? [String: Any])
        #expect(usage["message_type"] as? String == "exit_error")
        #expect((usage["message"] as? String)?.contains("--nonsense") == true)
    }

    @Test func `what a full disk did not take is no success`() async throws {
        let folder = try Folder(Self.complete, more: Self.more)
        defer { folder.remove() }
        for (code, status) in [(ENOSPC, Int32(1)), (EPIPE, 0)] {
            let errors = MemorySink()
            let screen = Screen(facts: TerminalFacts(), output: RefusingSink(code: code), error: errors)
            let arguments = ["config", "show", "--config", folder.path + "/holdfast.yaml"]
            #expect(await runLab(arguments: arguments, screen: screen) == status)
            #expect(errors.text.contains("could not be written whole") == (status != 0), "\(errors.text)")
        }
    }

    private struct RefusingSink: ByteSink {
        var code: Int32

        func write(_ bytes: [UInt8]) -> Bool { false }

        func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) { throw Errno(code, in: "write") }
    }

    @Test func `what is shown is a declaration that means the same`() async throws {
        let folder = try Folder(Self.complete, more: Self.more)
        defer { folder.remove() }
        let shown = await folder.run("show")
        #expect(shown.status == 0)
        let second = try Folder(shown.output)
        defer { second.remove() }
        let again = await second.run("show")
        #expect(again.status == 0, "\(again.errors)\(shown.output)")
        #expect(again.output == shown.output)
        for words in [
            "path: \"/mnt/usb \\\" ssd\", identity: \"AB12-cd34\", mount: true }", "    priority: 2",
            "  - name: \"photos\"",
            "one-file-system: true", "budget: { upload: \"20 MiB/s\", download: \"20 MB/s\" }",
            "budget: { threads: 2, nice: 10, io: idle }",
            "exclude-larger-than: 2147483648 B", "schedule: \"mon..fri 02:00\"", "verify: { every: 10d }",
            "keep: { within-hourly: 2d, daily: 7, yearly: all, within: 14d, tags: [\"a\", \"b\"] }",
            "password: \"command:pass show \\\"host usb\\\"\"", "  sealed-by: \"credential:machine\"",
            "objective: { rpo: 4d, rto: 4h }", "because: \"rebuilt: \\\"from\\\" templates\"",
        ] {
            #expect(shown.output.contains(words), "\(words) in\n\(shown.output)")
        }
    }

    @Test func `the schema is JSON and knows every top key`() async throws {
        let folder = try Folder(Self.complete)
        defer { folder.remove() }
        let shown = await folder.run("schema")
        #expect(shown.status == 0)
        let schema = try #require(try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
        let keys = try #require(schema["properties"] as? [String: Any]).keys.sorted()
        #expect(
            keys == [
                "budget", "defaults", "exclude", "include", "kit", "lab", "media", "notify", "protect", "repositories",
                "retired", "roles", "serve", "state", "time-zone", "vault",
            ]
        )
        #expect(schema["additionalProperties"] as? Bool == false)
        // What the reader refuses, an editor marks.
        let properties = schema["properties"] as? [String: Any]
        let defaults = (properties?["defaults"] as? [String: Any])?["properties"] as? [String: Any]
        let backup = (defaults?["backup"] as? [String: Any])?["properties"] as? [String: Any]
        let ways = try #require((backup?["keep"] as? [String: Any])?["anyOf"] as? [[String: [String]]])
        let names = ways.compactMap { $0["required"]?.first }
        #expect(names.contains("daily") && names.contains("within") && !names.contains("tags"))
    }

    @Test func `a promise that the schedule cannot keep is a warning, an unknown zone is refused`() async throws {
        let short = try Folder(Self.complete.replacing("rpo: 4d", with: "rpo: 26h"), more: Self.more)
        defer { short.remove() }
        let checked = await short.run("check")
        #expect(checked.status == 0)
        #expect(
            checked.errors.contains("promises rpo: 1d 2h, but up to 3d 1h lie between two runs"),
            "\(checked.errors)"
        )
        let lost = try Folder(Self.complete.replacing("Europe/Berlin", with: "Europe/Atlantis"), more: Self.more)
        defer { lost.remove() }
        let refused = await lost.run("check")
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains(":2:12: time-zone: this machine knows no time zone \"Europe/Atlantis\""),
            "\(refused.errors)"
        )
    }

    @Test func `a file of 30 MB is no declaration, and is told so`() async throws {
        let folder = try Folder(Self.complete)
        defer { folder.remove() }
        let path = folder.path + "/holdfast.yaml"
        try Data(count: 30 << 20).write(to: URL(fileURLWithPath: path))
        let checked = await folder.run("check")
        #expect(checked.status == 1)
        #expect(
            checked.errors.hasPrefix("error[E-DECLARATION] read \(path): is larger than 1 MiB"),
            "\(checked.errors)"
        )
        #expect(checked.errors.contains("next:  name the declaration itself"))
    }

    @Test func `a declaration that is not there says how it is named`() async throws {
        let folder = try Folder(Self.complete)
        folder.remove()
        let checked = await folder.run("check")
        #expect(checked.status == 1)
        #expect(checked.errors.contains("holdfast.yaml"))
        #expect(checked.errors.contains("next:"))
    }
}
