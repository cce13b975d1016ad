import Bytes
import Foundation
import ResticFormat
import Testing

private let withStock: ConditionTrait = .enabled(if: StockPeer.isInstalled, "PEERS names no stock restic")

@Suite struct TagTests {
    /// Times, tags and first ancestors of all snapshots, oldest first.
    private func state(_ bench: Bench) async throws -> [NSDictionary] {
        let run = await bench.run("snapshots", "--json")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
        return list.map { snapshot in
            ["time", "tags", "original", "tree", "hostname"].reduce(into: NSMutableDictionary()) {
                $0[$1] = snapshot[$1] ?? ""
            }
        }
    }

    @Test func `a changed snapshot remembers its first ID`() async throws {
        let bench = try await Bench()
        let ids = try await bench.addWeek()
        let first = await bench.run("tag", "--add", "x, y", "--add", "x", ids[1].short, "--json")
        #expect(first.status == 0, "\(first.error)")
        let lines = first.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix(#"{"message_type":"changed","old_snapshot_id":"\#(ids[1].hex)","#) == true)
        #expect(lines.last == #"{"message_type":"summary","changed_snapshots":1}"#)
        #expect(!bench.snapshotNames.contains(ids[1].hex) && bench.snapshotNames.count == 14)

        let again = await bench.run("tag", "--remove", "x", "--tag", "y")
        #expect(again.output == "create exclusive lock for repository\nmodified 1 snapshots\n")
        let changed = try await state(bench)[1]
        #expect(changed["tags"] as? [String] == ["y"] && changed["original"] as? String == ids[1].hex)
        #expect(bench.lockCount == 0)
    }

    @Test(withStock) func `changes what stock restic changes, in its words`() async throws {
        let lines: [[String]] = [
            [], ["--set", "a", "--add", "b"], ["--set", "", "-v"], ["--set", "new,x"], ["--add", "a,c", "--tag", "a"],
            ["--remove", "a", "--tag", "a,b"], ["--remove", "a,b", "--add", "z"], ["--add", "q", "--remove", "q"],
            ["--remove", "nothing"], ["--add", "h", "--host", "web", "--path", "/srv"],
            ["--add", "h", "--path", "srv"],
            ["--add", "l", "latest"], ["--add", "k", "ffffffff"], ["--set", " a , b ", "--set", "c", "--json"],
            ["--add", "j", "--host", "nobody", "--json"],
        ]
        for line in lines {
            let (ours, theirs) = (try await Bench(), try await Bench())
            for bench in [ours, theirs] { _ = try await bench.addWeek() }
            let run = await ours.run(["tag"] + line)
            let stock = try StockPeer.run(["tag"] + line, theirs)
            #expect(run.status == stock.status, "\(line): \(run.error)")
            if !line.contains("--json") {
                #expect(run.output == String(decoding: stock.output, as: UTF8.self), "\(line)")
            } else {
                let count = stock.output.split(separator: 0x0a).count
                #expect(run.output.split(separator: "\n").count == count, "\(line)")
            }
            // IDs differ from run to run, so the first ancestors are compared by whether there is one.
            let (found, expected) = (try await state(ours), try await state(theirs))
            #expect(found.map { $0["tags"] as? [String] } == expected.map { $0["tags"] as? [String] }, "\(line)")
            #expect(
                found.map { ($0["original"] as? String)?.isEmpty }
                    == expected.map { ($0["original"] as? String)?.isEmpty },
                "\(line)"
            )
        }
    }
}

@Suite struct KeyTests {
    private func write(_ text: String, _ bench: Bench) throws -> String {
        let path = bench.directory + "/new-password"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    private func keys(_ bench: Bench) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: bench.repository + "/keys").sorted()
    }

    @Test func `a second password opens, the first one stays, and neither is removed while it is in use`() async throws
    {
        let bench = try await Bench()
        let first = try #require(try keys(bench).first)
        let added = await bench.run(
            "key",
            "add",
            "--new-password-file",
            try write("second\n", bench),
            "--user",
            "me",
            "--host",
            "there",
            "--json"
        )
        #expect(added.status == 0, "\(added.error)")
        let second = try #require(try keys(bench).first { $0 != first })
        #expect(added.output == "saved new key with ID \(second)\n")

        let listed = await bench.run("key", "list", environment: ["RESTIC_PASSWORD": "second"])
        #expect(listed.output.contains("\n*\(second.prefix(8))  me      there  "))
        #expect(listed.output.contains("\n \(first.prefix(8))  tester  bench  "))
        let json = await bench.run("key", "list", "--json")
        #expect(
            json.output.contains(
                #"{"current":true,"id":"\#(first)","userName":"tester","hostName":"bench","created":""#
            )
        )

        let refused = await bench.run("key", "remove", String(first.prefix(8)))
        #expect(refused.status == 1)
        #expect(refused.error.hasPrefix("Fatal: refusing to remove key currently used to access repository"))
        let removed = await bench.run("key", "remove", String(second.prefix(8)))
        #expect(removed.output == "removed key \(second)\n")
        #expect(try keys(bench) == [first])
        #expect(await bench.run("snapshots", environment: ["RESTIC_PASSWORD": "second"]).status == 12)
    }

    @Test func `passwd replaces the password in use`() async throws {
        let bench = try await Bench()
        let before = try keys(bench)
        let changed = await bench.run("key", "passwd", "--new-password-file", try write("second", bench))
        #expect(changed.status == 0, "\(changed.error)")
        #expect(changed.output.hasPrefix("saved new key as <Key of "))
        let after = try keys(bench)
        #expect(after.count == 1 && after != before)
        #expect(await bench.run("snapshots").status == 12)
        #expect(await bench.run("snapshots", environment: ["RESTIC_PASSWORD": "second"]).status == 0)
        let emptied = await bench.run(
            "key",
            "passwd",
            "--new-insecure-no-password",
            environment: ["RESTIC_PASSWORD": "second"]
        )
        #expect(emptied.status == 0)
        let open = await bench.run("key", "list", "--insecure-no-password", environment: ["RESTIC_PASSWORD": ""])
        #expect(open.status == 0, "\(open.error)")
        #expect(bench.lockCount == 0)
    }

    @Test(withStock) func `stock restic opens with the new password and lists the same keys`() async throws {
        let bench = try await Bench()
        let path = try write("second", bench)
        #expect(await bench.run("key", "add", "--new-password-file", path).status == 0)
        #expect(try StockPeer.run(["key", "list", "--password-file", path], bench).status == 0)
        func rows(_ text: String) -> [String] { text.split(separator: "\n").map(String.init).sorted() }
        let stock = String(decoding: try StockPeer.run(["key", "list"], bench).output, as: UTF8.self)
        #expect(rows(await bench.run("key", "list").output) == rows(stock))
        for line in [["key", "list", "x"], ["key", "remove"], ["key", "remove", "zz"], ["key", "add", "x"]] {
            let (ours, theirs) = (await bench.run(line), try StockPeer.run(line, bench))
            #expect(
                ours.status == theirs.status && ours.error.hasPrefix(theirs.error.dropLast()),
                "\(line): \(ours.error)"
            )
        }
    }

    @Test(
        arguments: [
            (["key", "add", "--new-password-file", "/nowhere"], "Fatal: /nowhere does not exist"),
            (
                ["key", "add", "--new-password-file", "x", "--new-insecure-no-password"],
                "only either --new-password-file"
            ),
            (["key", "passwd", "--new-password-file", "/dev/null"], "an empty password is not allowed by default"),
            (["key", "list", "--user", "x"], "unknown flag: --user"),
            (["key", "remove", "a", "b"], "key remove expects one"),
        ] as [([String], String)]
    )
    func `wrong usage of key is refused in restic's words, and no key changes`(
        line: [String],
        words: String
    ) async throws {
        let bench = try await Bench()
        let before = try keys(bench)
        let run = await bench.run(line)
        #expect(run.status == 1 && run.error.hasPrefix(words), "\(run.error)")
        #expect(try keys(bench) == before)
        let help = await bench.run("key")
        #expect(help.status == 0 && help.output.contains("passwd  replace the password in use"))
    }
}
