import Bytes
import Foundation
import Testing

private let withStock: ConditionTrait = .enabled(if: StockPeer.isInstalled, "PEERS names no stock restic")

@Suite struct MigrateCommandTests {
    /// A version 1 repository that stock restic made and filled.
    private func version1() async throws -> Bench {
        let bench = try await Bench()
        try FileManager.default.removeItem(atPath: bench.repository)
        let made = try StockPeer.run(["init", "--repository-version", "1"], bench)
        #expect(made.status == 0, "\(made.error)")
        #expect(try StockPeer.run(["backup", bench.source], bench).status == 0)
        return bench
    }

    private func comparable(_ text: String) -> String { text.replacing(/\[\d+:\d\d\]/, with: "[T]") }

    @Test(withStock, .timeLimit(.minutes(10)), arguments: [[], ["-v"], ["-q"], ["--json"]])
    func `lists, upgrades and refuses as stock restic does`(options: [String]) async throws {
        let (ours, theirs) = (try await version1(), try await version1())
        let lines: [[String]] = [
            [], ["nothing"], ["upgrade_repo_v2"], [], ["upgrade_repo_v2", "nothing"], ["-f", "upgrade_repo_v2"],
        ]
        for line in lines {
            let run = await ours.run(["migrate", "--no-cache"] + line + options)
            let stock = try StockPeer.run(["migrate"] + line + options, theirs)
            #expect(run.status == stock.status, "\(line): \(run.error)")
            #expect(comparable(run.output) == comparable(String(decoding: stock.output, as: UTF8.self)), "\(line)")
            #expect(
                run.error.trimmingCharacters(in: .newlines) == stock.error.trimmingCharacters(in: .newlines),
                "\(line)"
            )
        }
        let config = try StockPeer.run(["cat", "config"], ours)
        #expect(String(decoding: config.output, as: UTF8.self).contains("\"version\": 2"), "\(config.error)")
        let pruned = try StockPeer.run(["prune", "--repack-uncompressed"], ours)
        #expect(pruned.status == 0, "\(pruned.error)")
        #expect(try StockPeer.run(["check", "--read-data"], ours).status == 0)
    }

    @Test(withStock) func `after an upgrade prune compresses what is there`() async throws {
        let bench = try await version1()
        #expect(await bench.run("migrate", "upgrade_repo_v2").status == 0)
        let pruned = await bench.run("prune", "--repack-uncompressed")
        #expect(pruned.status == 0, "\(pruned.error)")
        let judged = try StockPeer.run(["check", "--read-data"], bench)
        #expect(judged.status == 0, "\(judged.error)")
    }

    @Test(withStock) func `D-01 a damaged repository is not upgraded`() async throws {
        let bench = try await version1()
        let packs = try #require(FileManager.default.enumerator(atPath: bench.repository + "/data")).compactMap {
            $0 as? String
        }
        for pack in packs where pack.utf8.count > 60 {
            try FileManager.default.removeItem(atPath: bench.repository + "/data/" + pack)
        }
        let run = await bench.run("migrate", "--no-cache", "upgrade_repo_v2", "--force")
        #expect(run.status == 1 && run.error.contains("Fatal: repository contains errors"), "\(run.error)")
        let config = await bench.run("cat", "config")
        #expect(config.output.contains("\"version\": 1"))
    }
}
