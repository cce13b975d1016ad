import Bytes
import Foundation
import ResticFormat
import Testing

import ResticCommand

/// What a run says and does when the store changed behind this machine's back.
@Suite struct HighWaterCommandTests {
    private func copy(_ bench: Bench, _ from: String, _ to: String) throws {
        let (source, target) = (bench.directory + "/" + from, bench.directory + "/" + to)
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: source, toPath: target)
    }

    private func packs(_ bench: Bench) -> Set<String> {
        let all = FileManager.default.enumerator(atPath: bench.repository + "/data")?.compactMap { $0 as? String } ?? []
        return Set(all.filter { $0.count > 60 })
    }

    private func backUp(_ bench: Bench, _ text: String) async throws {
        try Data(text.utf8).write(to: URL(filePath: bench.source + "/a.txt"))
        let run = await bench.run("backup", bench.source)
        try #require(run.status == 0 && run.error.isEmpty, "\(run.error)")
    }

    @Test func `R-09 P-06 a prune after a lost snapshot stops once, whoever told it, and then goes on`() async throws {
        let bench = try await Bench()
        for text in ["one", "two", "three"] { try await backUp(bench, text) }
        let ids = await bench.run("snapshots", "--json", "--latest", "1")
        let newest = try #require(
            (try JSONSerialization.jsonObject(with: Data(ids.output.utf8)) as? [[String: Any]])?.first?["id"] as? String
        )
        try FileManager.default.removeItem(atPath: "\(bench.repository)/snapshots/\(newest)")
        let before = packs(bench)

        let backup = await bench.run("backup", bench.source, "--dry-run")
        #expect(backup.status == 0 && backup.error.isEmpty, "a dry run remembers nothing")
        let told = await bench.run("backup", bench.source)
        #expect(told.status == 0)
        #expect(
            told.error.hasPrefix("warning: snapshot \(newest.prefix(8)): is gone, though it was the newest"),
            "\(told.error)"
        )
        let dry = await bench.run("prune", "--dry-run")
        #expect(dry.status == 0, "\(dry.error)")
        let refused = await bench.run("forget", "--keep-last", "1", "--prune")
        #expect(refused.status == 21)
        #expect(refused.error.hasPrefix("Fatal: prune refused: ") && refused.error.contains("nothing was removed"))
        #expect(bench.snapshotNames.count == 3 && before.isSubset(of: packs(bench)))
        let again = await bench.run("forget", "--keep-last", "1", "--prune")
        #expect(again.status == 0 && again.error.isEmpty, "\(again.error)")
        #expect(bench.snapshotNames.count == 1 && !before.isSubset(of: packs(bench)))
    }

    @Test func `R-09 a repository set back to last week: the check says so and ends in 0, the prune stops`()
        async throws
    {
        let bench = try await Bench()
        try await backUp(bench, "one")
        try copy(bench, "repo", "week")
        try await backUp(bench, "two")
        try copy(bench, "week", "repo")
        let check = await bench.run("check")
        #expect(check.status == 0 && check.output.hasSuffix("no errors were found\n"))
        #expect(check.error.contains("warning: snapshot ") && check.error.contains("warning: index files: "))
        let prune = await bench.run("prune")
        #expect(prune.status == 21, "\(prune.error)")
        let second = await bench.run("prune")
        #expect(second.status == 0 && second.error.isEmpty)
        let without = await bench.run("check", "--no-cache")
        #expect(without.status == 0 && without.error.isEmpty)
    }

    @Test func `P-06 a prune without one of the index files is refused, and removes nothing`() async throws {
        let bench = try await Bench()
        for text in ["one", "two"] { try await backUp(bench, text) }
        let folder = bench.repository + "/index"
        let index = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).min())
        try FileManager.default.removeItem(atPath: "\(folder)/\(index)")
        let before = packs(bench)
        for arguments in [["prune"], ["forget", "--keep-last", "2", "--prune"], ["prune", "--no-cache"]] {
            let run = await bench.run(arguments)
            #expect(run.status != 0 || arguments[0] == "forget", "\(arguments)")
            #expect(packs(bench) == before && bench.snapshotNames.count == 2)
        }
    }

    @Test(arguments: [30, 400, 3650])
    func `P-05 no rule that counts or spans removes the last good snapshot, however long ago it was`(days: Int)
        async throws
    {
        let bench = try await Bench()
        let now = Int64(Date().timeIntervalSince1970)
        let documents = (0..<8).map { number in
            let time = ZonedTime(Timestamp(seconds: now - Int64(days + number) * 86_400))
            return SnapshotDocument(time: time, tree: nil, paths: ["/"])
        }
        let ids = try await bench.add(documents)
        for flag in ["last", "hourly", "daily", "weekly", "monthly", "yearly"] {
            let run = await bench.run("forget", "--keep-\(flag)", "1")
            #expect(run.status == 0 && bench.snapshotNames.contains(ids[0].hex), "\(flag): \(run.error)")
        }
        for flag in ["within", "within-hourly", "within-daily", "within-weekly", "within-monthly", "within-yearly"] {
            let run = await bench.run("forget", "--keep-\(flag)", "1h")
            #expect(run.status == 0 && bench.snapshotNames == [ids[0].hex], "\(flag): \(run.error)")
        }
    }

    @Test func `P-04 the only snapshot of a group is not removed by a rule`() async throws {
        let bench = try await Bench()
        var document = SnapshotDocument(time: ZonedTime(Timestamp(seconds: 1_760_000_000)), tree: nil, paths: ["/"])
        let ids = try await [bench.add([document])[0]]
        document.hostname = "other"
        document.tags = ["kept"]
        let more = try await bench.add([document])
        let run = await bench.run("forget", "--keep-tag", "kept")
        #expect(run.status == 1 && run.error.contains("refusing to delete last snapshot of snapshot group"))
        #expect(bench.snapshotNames == Set((ids + more).map(\.hex)))
    }

    @Test func `F-02 a snapshot dated a year ahead is warned of before rules that count remove honest ones`()
        async throws
    {
        let bench = try await Bench()
        let now = Int64(Date().timeIntervalSince1970)
        let documents = [now - 86_400, now - 60, now + 365 * 86_400].map {
            SnapshotDocument(time: ZonedTime(Timestamp(seconds: $0)), tree: nil, paths: ["/"])
        }
        let ids = try await bench.add(documents)
        let run = await bench.run("forget", "--keep-last", "1", "--dry-run")
        #expect(
            run.status == 0 && run.error.hasPrefix("warning: snapshot \(ids[2].short) is dated ahead, "),
            "\(run.error)"
        )
        let spans = await bench.run("forget", "--keep-within", "2h")
        #expect(
            spans.status == 0 && bench.snapshotNames == [ids[1].hex, ids[2].hex],
            "spans count from the newest honest one"
        )
    }
}
