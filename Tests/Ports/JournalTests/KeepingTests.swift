import Bytes
import Journal
import Testing

/// What is kept, for how long, and in which bounds.
@Suite struct KeepingTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test func `the need to rebuild ends with a rebuild, which may be repeated and changes nothing that is known`()
        async
    {
        let journal = await bench.open()
        #expect(await journal.needsRebuild())
        await journal.record(run(1, outcome: .partial))
        let learned = RunRecord(id: "run-1", kind: "run", started: at(100), outcome: .ok, trigger: .hand)
        for _ in 0..<2 {
            #expect(await journal.rebuild(runs: [learned], steps: [step(1, 1), step(2, 1)]))
            #expect(await !journal.needsRebuild())
        }
        #expect(await journal.run("run-1")?.outcome == .partial)
        #expect(await journal.newestSteps(kind: "backup").first?.succeeded == step(2, 1))
        await journal.close()
        #expect(await !bench.open().needsRebuild())
    }

    @Test func `forgetting keeps the newest of each key, what runs, what is owed, and facts`() async {
        let journal = await bench.open()
        for number in 1...10 { await journal.record(run(number)) }
        await journal.record(run(3, outcome: .failed))
        await journal.record(run(11, outcome: .running))
        await journal.record([
            .owed(OwedCleanup(id: "o", kind: "mount", object: "x", since: at(0))),
            .fact(key: "k", value: "v", when: at(0)),
            .audit(AuditRecord(who: "root", what: "old", object: "", when: at(0))),
            .audit(AuditRecord(who: "root", what: "new", object: "", when: at(10_000))),
        ])
        let removed = await journal.forget(olderThan: .seconds(100), now: at(5_000))
        #expect(removed == 17)
        #expect(await runs(journal) == ["run-3", "run-10", "run-11"])
        #expect(await journal.newestSteps(kind: "backup").first?.attempted.run == "run-11")
        #expect(await journal.newestSteps(kind: "backup").first?.succeeded?.run == "run-10")
        #expect(await journal.owedCleanups().count == 1)
        #expect(await journal.fact("k") != nil)
        #expect(await journal.audit(limit: 9).map(\.what) == ["new"])
        #expect(await journal.forget(olderThan: .seconds(100), now: at(5_000)) == 0)
    }

    @Test func `M-09 names with line ends, NUL and a mebibyte are bounded and stay one entry`() async {
        let journal = await bench.open()
        var forged = step(1, 1, workload: "a\nrun ok\u{0}\u{1b}[2J")
        forged.text = String(repeating: "é", count: 1 << 19)
        let evidence = EvidenceRecord(
            id: "e",
            kind: "verify",
            when: at(0),
            outcome: .passed,
            detail: String(repeating: "{", count: 1 << 20)
        )
        await journal.record([.step(forged), .evidence(evidence)])
        let step = await journal.steps(ofRun: "run-1").first
        #expect(step?.workload == "a\nrun ok\u{FFFD}\u{1b}[2J")
        #expect((step?.text.utf8.count ?? 0) <= JournalLimits.textBytesMax)
        #expect(step?.text.hasSuffix("é…") == true)
        #expect(await journal.newestEvidence(kind: "verify").first?.newest.detail == "{\"omitted_bytes\":1048576}")
    }

    @Test func `moments outside of the range of the journal are moved to its ends`() async {
        let journal = await bench.open()
        for (number, seconds) in [Int64.min, Int64.max].enumerated() {
            let run = RunRecord(
                id: "\(number)",
                kind: "run",
                started: Timestamp(seconds: seconds),
                outcome: .ok,
                trigger: .hand
            )
            await journal.record([.run(run)])
        }
        #expect((await journal.run("0")?.started.seconds ?? 0) < -9_000_000_000)
        #expect((await journal.run("1")?.started.seconds ?? 0) > 9_000_000_000)
        #expect(await journal.forget(olderThan: .seconds(Int64.max), now: at(0)) == 0)
    }
}
