import Testing

import Bytes
import Outcome
import Protection
import Strategy
import TestSupport

/// What runs move to and from a bucket, and what a month's budget lets them read.
@Suite(.serialized, .onPool) struct EgressTests {
    private let scratch = Scratch()

    private func lab(_ bucket: String) throws -> TestLab {
        let (lab, medium) = try OffsiteService.s3.lab(in: scratch)
        lab.declare { $0.replacing(medium, with: medium.replacing("prefix: dr", with: "prefix: dr, \(bucket)")) }
        return lab
    }

    @Test func `what a run moves is counted as the service does, and costs by it`() async throws {
        let lab = try lab("prices: { currency: EUR, storage: 6, writes: 5, reads: 1, egress: 10 }")
        try await lab.run()
        let stored = try #require(try lab.ledger().repositories["offsite"]?.storedBytes)
        var month = try #require(try lab.ledger().traffic["cloud"]).thisMonth(lab.clock.now())
        // A lock file and its leaving, keys, index, snapshot, packs and records: all was put, and packs were read back.
        #expect(month.uploadedBytes >= stored && month.uploadedBytes < stored + 64 << 10, "\(month), \(stored)")
        #expect(month.downloadedBytes > 0 && month.downloadedBytes < 8 * stored, "\(month), \(stored)")
        #expect((5...60).contains(month.writes) && (5...60).contains(month.reads), "\(month)")
        #expect(try await costs(lab)[0].usual == nil)
        let first = month
        for day in 1...2 {
            lab.clock.advance(86_400)
            try lab.write("source/new-\(day)", "day \(day)")
            try await lab.run()
        }
        month = try #require(try lab.ledger().traffic["cloud"]).thisMonth(lab.clock.now())
        let cost = try await costs(lab)[0]
        #expect(cost.usual?.seenDays == 2)
        let expected = (month.writes - first.writes) * 15
        #expect(cost.usual?.traffic.writes == expected)
        #expect(cost.writes == Money(billionths: 5_000_000 * expected))
        #expect(cost.storedBytes == (try lab.ledger().repositories["offsite"]?.storedBytes))
    }

    private func costs(_ lab: TestLab) async throws -> [BucketCost] {
        await ProtectionRun(try lab.environment, observer: SilentRunObserver()).costs()
    }

    @Test func `the rotating verification waits when the month's egress is used up, and goes on in the next`()
        async throws
    {
        let lab = try lab("budget: { egress: 1 kB }")
        try await lab.run()
        lab.clock.advance(2 * 86_400)
        var report = try await lab.run()
        #expect(report.results(.verify) == ["host-os": "done", "host-usb": "done", "offsite": "skipped"])
        #expect(report.exitStatus == .success, "\(report.lines)")
        let line = try #require(report.lines.first { $0.step.kind == .verify && $0.step.repository == "offsite" })
        guard case .skipped(let why) = line.result else { return }
        #expect(why.contains("parts wait: ") && why.contains("of 1000 B of the month's egress are used"), "\(why)")
        // The first part was read when all of it was new.
        #expect(try lab.ledger().repositories["offsite"]?.rotation.done == 1)
        // Who asks for it by name gets it.
        report = try await lab.run(verifiesAll: true)
        #expect(report.results(.verify)["offsite"] == "done")
        lab.clock.advance(20 * 86_400)
        let problem = try #require(
            try await lab.status().problems.first { $0.kind == .notVerified && $0.object == "offsite" }
        )
        #expect(problem.next.hasPrefix("holdfast plan --cost"))
    }

    @Test func `a part of what is due is read where the budget allows no more`() async throws {
        let lab = try lab("budget: { egress: 10.5 MB }")
        try await lab.run()
        // As if a part were a megabyte.
        await LedgerFile(try lab.environment).update { $0.repositories["offsite"]?.storedBytes = 256_000_000 }
        lab.clock.advance(2 * 86_400)
        let report = try await lab.run()
        let line = try #require(report.lines.first { $0.step.kind == .verify && $0.step.repository == "offsite" })
        guard case .done(let text) = line.result else {
            Issue.record("\(line)")
            return
        }
        #expect(text.hasPrefix("10 of 256 parts, ") && text.contains("; 54 parts wait: "), "\(text)")
        #expect(try lab.ledger().repositories["offsite"]?.rotation.done == 11)
    }
}
