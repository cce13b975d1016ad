import Bytes
import Foundation
import Testing

private let withStock: ConditionTrait = .enabled(if: StockPeer.isInstalled, "PEERS names no stock restic")

@Suite struct RewriteTests {
    /// Two benches with the same two backups: ours for us, the other for stock restic, which made both.
    private func pair() async throws -> (ours: Bench, theirs: Bench) {
        let theirs = try await Bench()
        for (tag, time) in [("one", "2026-01-02 03:04:05"), ("two", "2026-02-03 04:05:06.7")] {
            let saved = try StockPeer.run(
                ["backup", theirs.source, "--tag", tag, "--host", "web", "--time", time],
                theirs
            )
            #expect(saved.status == 0, "\(saved.error)")
            try Data("more".utf8).write(to: URL(filePath: theirs.source + "/sub/more.txt"))
            try FileManager.default.createDirectory(
                atPath: theirs.source + "/empty",
                withIntermediateDirectories: true
            )
        }
        let ours = try await Bench()
        try FileManager.default.removeItem(atPath: ours.repository)
        try FileManager.default.copyItem(atPath: theirs.repository, toPath: ours.repository)
        return (ours, theirs)
    }

    /// What the snapshots say, but for their own IDs: sorted, since times may be equal.
    private func state(_ bench: Bench) throws -> [String] {
        let run = try StockPeer.run(["snapshots", "--json"], bench)
        let list = try #require(try JSONSerialization.jsonObject(with: run.output) as? [[String: Any]])
        return try list.map { snapshot in
            var snapshot = snapshot
            for key in ["id", "short_id"] { snapshot[key] = nil }
            return String(
                decoding: try JSONSerialization.data(withJSONObject: snapshot, options: .sortedKeys),
                as: UTF8.self
            )
        }.sorted()
    }

    /// The text with IDs of eight digits blotted out and the parts about each snapshot in one order: stock restic's is by chance.
    private func blotted(_ text: String) -> [String] {
        text.replacing(/\b[0-9a-f]{8}\b/, with: "ID").components(separatedBy: "\n\n")
            .map { $0.trimmingCharacters(in: .newlines) }.filter { !$0.isEmpty }.sorted()
    }

    /// Without what stock restic says of snapshots that it was reading when it failed at another.
    private func withoutChance(_ text: String) -> String {
        text.split(separator: "\n").filter { !$0.hasSuffix("context canceled") }.joined(separator: "\n")
    }

    @Test(
        withStock,
        .timeLimit(.minutes(10)),
        arguments: [
            ["--exclude", "more.txt"], ["--exclude", "more.txt", "-vv"], ["--exclude", "more.txt", "--json"],
            ["--exclude", "more.txt", "-q"], ["--exclude", "more.txt", "-v", "--forget"], ["--exclude", "*"],
            ["--iexclude", "MORE.*", "--exclude", "a.txt", "-vv", "-n"], ["--include", "more.txt", "-vv"],
            ["--include", "empty", "--forget", "-vv"], ["--iinclude", "SUB", "-i", "a.txt", "-vv"],
            ["--include", "nothing", "--forget"], ["--snapshot-summary"], ["-s", "-n", "--forget"],
            ["--new-host", "other"], ["--new-time", "2020-01-02 03:04:05.5"],
            ["--new-host", "a b", "--new-time", "2020-01-02 03:04:05", "--forget", "-n", "--exclude", "nothing"],
            ["--new-host", "other", "--forget", "latest"], ["--exclude", "more.txt", "--tag", "one"],
            ["--exclude", "more.txt", "--host", "nobody"], ["--exclude", "more.txt", "--host", "web", "--path", "sub"],
            ["--exclude", "more.txt", "deadbeef"], ["--exclude", "more.txt", "--host", "nobody", "latest"],
            [], ["--new-host", ""], ["--exclude", "a", "--include", "b"], ["--exclude", "["], ["--iinclude", "["],
            ["--new-time", "soon"], ["--exclude-file", "/nonexistent"], ["--exclude", "a", "--no-lock", "-n"],
        ]
    )
    func `changes what stock restic changes, in its words`(line: [String]) async throws {
        let (ours, theirs) = try await pair()
        let before = try state(ours)
        let run = await ours.run(["rewrite", "--no-cache"] + line)
        let stock = try StockPeer.run(["rewrite"] + line, theirs)
        #expect(run.status == stock.status, "\(run.error)")
        // Where it fails it does so at the snapshot it happens to meet first.
        if stock.status == 0 {
            let expected = String(decoding: stock.output, as: UTF8.self)
            #expect(blotted(run.output) == blotted(expected), "\(run.output)\nbut stock\n\(expected)")
            #expect(run.error == stock.error)
        } else {
            let (found, expected) = (blotted(run.error).first ?? "", blotted(withoutChance(stock.error)).first ?? "")
            #expect(found.hasPrefix(expected), "\(run.error)\nbut stock\n\(stock.error)")
            #expect(try state(ours) == before)
        }
        let (found, expected) = (try state(ours), try state(theirs))
        #expect(found == expected, "\(found)\nbut stock\n\(expected)")
        let judged = try StockPeer.run(["check", "--read-data"], ours)
        #expect(judged.status == 0, "\(judged.error)")
    }

    @Test func `a failed rewrite names the snapshot, what is safe and what to do`() async throws {
        let bench = try await Bench()
        let saved = await bench.run("backup", bench.source)
        #expect(saved.status == 0)
        let packs = try #require(FileManager.default.enumerator(atPath: bench.repository + "/data")).compactMap {
            $0 as? String
        }
        for pack in packs where pack.utf8.count > 60 {
            let path = bench.repository + "/data/" + pack
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            try Data(repeating: 0, count: 4_000).write(to: URL(filePath: path))
        }
        let run = await bench.run("rewrite", "--no-cache", "--exclude", "a.txt", "--forget")
        #expect(run.status == 1)
        #expect(run.error.hasPrefix("Fatal: unable to rewrite snapshot ID \""), "\(run.error)")
        #expect(run.error.contains("state:") && run.error.contains("next:"))
        #expect(bench.snapshotNames.count == 1 && bench.lockCount == 0)
    }
}
