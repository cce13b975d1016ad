import Bytes
import Foundation
import Testing

private let withStock: ConditionTrait = .enabled(if: StockPeer.isInstalled, "PEERS names no stock restic")

@Suite struct RecoverCommandTests {
    private func lose(_ bench: Bench, keeping kept: Int = 0) async throws {
        for number in 0..<3 {
            try Data("number \(number)".utf8).write(to: URL(filePath: bench.source + "/a.txt"))
            let saved = await bench.run("backup", bench.source, "-q")
            #expect(saved.status == 0)
        }
        for name in bench.snapshotNames.sorted().dropFirst(kept) {
            try FileManager.default.removeItem(atPath: bench.repository + "/snapshots/" + name)
        }
    }

    /// Lines that both print, without times and IDs; what stock says of the index that it makes anew is left out.
    private func comparable(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            .filter { !$0.contains("indexes processed") && !$0.contains("indexes deleted") && $0 != "rebuilding index" }
            .filter { !$0.hasPrefix("removed index ") }
            .map { $0.replacing(/\b[0-9a-f]{8}\b/, with: "ID").replacing(/\[\d+:\d\d\]/, with: "[T]") }
    }

    @Test(withStock, arguments: [[], ["-v"], ["-vv"], ["-q"], ["--json"]])
    func `says what stock restic says where that succeeds`(line: [String]) async throws {
        for kept in [2, 3] {
            let (ours, theirs) = (try await Bench(), try await Bench())
            for bench in [ours, theirs] { try await lose(bench, keeping: kept) }
            let run = await ours.run(["recover", "--no-cache"] + line)
            let stock = try StockPeer.run(["recover"] + line, theirs)
            #expect(run.status == 0 && stock.status == 0, "\(run.error) \(stock.error)")
            #expect(comparable(run.output) == comparable(String(decoding: stock.output, as: UTF8.self)))
            #expect(run.error == stock.error)
        }
    }

    @Test(withStock) func `three lost snapshots are recovered, which stock restic reads and finds sound`() async throws
    {
        let bench = try await Bench()
        try await lose(bench)
        let run = await bench.run("recover", "-v")
        #expect(run.status == 0 && run.output.contains("\nfound 3 unreferenced roots\n"), "\(run.error)")
        let judged = try StockPeer.run(["check", "--read-data"], bench)
        #expect(judged.status == 0, "\(judged.error)")
        let target = bench.directory + "/target"
        let restored = try StockPeer.run(["restore", "latest", "--target", target], bench)
        #expect(restored.status == 0, "\(restored.error)")
        let roots = try FileManager.default.contentsOfDirectory(atPath: target)
        let texts = try roots.map {
            try String(contentsOfFile: target + "/" + $0 + bench.source + "/a.txt", encoding: .utf8)
        }
        #expect(Set(texts) == ["number 0", "number 1", "number 2"])
    }

    @Test func `L-11 a damaged index and snapshot are told, kept, and do not stop the recovery`() async throws {
        let bench = try await Bench()
        try await lose(bench, keeping: 1)
        let snapshot = try #require(bench.snapshotNames.first)
        let path = bench.repository + "/snapshots/" + snapshot
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try Data("garbage".utf8).write(to: URL(filePath: path))
        let run = await bench.run("recover", "--no-cache")
        #expect(run.status == 0 && run.output.contains("found 3 unreferenced roots"), "\(run.error)")
        #expect(run.error.contains("unable to load snapshot \(snapshot.prefix(8))"))
        #expect(bench.snapshotNames.contains(snapshot) && bench.snapshotNames.count == 2)
    }
}
