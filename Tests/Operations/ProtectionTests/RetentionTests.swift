import Testing

import Bytes
import HostSystem
import Journal
import Outcome
import Protection
import ResticFormat
import ResticRepository
import Strategy
import TestSupport

@Suite struct RetentionRunTests {
    @Test func `the rules remove in every repository, after the run`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(6)
        #expect(try await lab.counts() == ["host-os": 3, "host-usb": 3, "offsite": 3])
    }

    @Test func `P-06 an edit that removes more than half waits for the digits of the plan`() async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 8") }
        try await lab.runDaily(8)
        lab.declare { $0.replacing("last: 8", with: "last: 2") }
        let ahead = try await lab.lookAhead()
        #expect(ahead.removals.map(\.plan.removed.count) == [6, 6, 6])
        let digits = try #require(ahead.digits)
        #expect(digits.count == 8)

        let refused = try await lab.run()
        #expect(refused.exitStatus == .refusedByGuard)
        #expect(refused.snapshotsRemoved == 0)
        #expect(try await lab.counts()["host-os"] == 9)

        await #expect {
            try await lab.run(release: digits)
        } throws: { error in
            // One more snapshot is there now, so the plan is another one.
            (error as? ProtectionFailure)?.code == .held
        }
        let present = try #require(try await lab.lookAhead().digits)
        let released = try await lab.run(release: present)
        #expect(released.exitStatus == .success)
        #expect(released.snapshotsRemoved == 21)
        try await lab.runDaily(2)
        #expect(try await lab.counts() == ["host-os": 2, "host-usb": 2, "offsite": 2])
    }

    @Test func `P-06 an edit that removes one snapshot of six with most of the bytes waits for the digits, too`()
        async throws
    {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 30") }
        var random = SplitMix64(seed: 11)
        // What stays keeps the source from counting as shrunk, which would hold it, too.
        try lab.write("source/base", random.bytes(200_000).map { String($0, radix: 16) }.joined())
        try lab.write("source/dump", random.bytes(1_000_000).map { String($0, radix: 16) }.joined())
        try await lab.runDaily(1)
        try lab.write("source/dump", "small again")
        try await lab.runDaily(5)
        lab.declare { $0.replacing("last: 30", with: "last: 5") }
        let ahead = try await lab.lookAhead()
        #expect(ahead.removals.allSatisfy { $0.plan.removed.count == 1 && $0.held.contains(.mostBytes) })
        #expect(ahead.digits != nil)
        let refused = try await lab.run()
        #expect(refused.exitStatus == .refusedByGuard && refused.snapshotsRemoved == 0)
        let digits = try #require(try await lab.lookAhead().digits)
        #expect(try await lab.run(release: digits).snapshotsRemoved == 6)
        // The same rules have removed there now: what a night removes is not counted again.
        try await lab.runDaily(1)
        #expect(try await lab.counts()["host-os"] == 5)
    }

    @Test func `P-06 G-16 a source that has lost most of its files is saved, and its retention waits`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(3)
        for index in 1..<40 { try lab.remove("source/folder/file-\(index)") }
        try await lab.runDaily(3)
        #expect(try await lab.counts()["host-os"] == 6)
        let status = try await lab.status()
        #expect(status.problems.contains { $0.what.contains("shrank from 40 files to 1") })
        let digits = try #require(try await lab.lookAhead().digits)
        try await lab.run(release: digits)
        #expect(try await lab.counts()["host-os"] == 3)
        #expect(try await lab.status().problems.allSatisfy { !$0.what.contains("shrank") })
        try await lab.runDaily(1)
        #expect(try await lab.counts()["host-os"] == 3)
    }

    @Test func `P-06 a run whose source lost its files is incomplete in its exit and its journal`() async throws {
        let lab = try TestLab()
        try await lab.run()
        lab.clock.advance(86_400)
        for index in 0..<40 { try lab.remove("source/folder/file-\(index)") }
        var environment = try lab.environment
        let journal = try await lab.openJournal()
        environment.journal = journal
        let report = try await ProtectionRun(environment, observer: SilentRunObserver()).run(.init(.all))
        #expect(report.workloads == ["host": .partial])
        #expect(report.exitStatus == .incomplete)
        #expect(await journal.runs(since: Timestamp(seconds: 0), limit: 1).first?.outcome == .partial)
    }

    @Test func `G-16 what is said to have shrunk is what did`() {
        let earlier = SourceSize(files: 101, bytes: 3 << 20)
        #expect(SourceSize(files: 100, bytes: 2048).shrinkText(from: earlier) == "shrank from 3.0 MiB to 2.0 KiB")
        #expect(SourceSize(files: 1, bytes: 2 << 20).shrinkText(from: earlier) == "shrank from 101 files to 1")
    }

    @Test func `F-02 a clock that leaps ahead removes nothing in the run that sees it first`() async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "within: 3d") }
        try await lab.runDaily(3)
        lab.clock.advance(400 * 86_400)
        let report = try await lab.run()
        #expect(report.snapshotsRemoved == 0)
        #expect(report.held.allSatisfy { $0.held.contains { if case .clock = $0 { true } else { false } } })
        #expect(!report.held.isEmpty && report.digits == nil)
        #expect(report.exitStatus == .refusedByGuard)
        #expect(report.held.allSatisfy { $0.held.contains { $0.remedy?.contains("clock") == true } })
        #expect(try await lab.counts()["host-os"] == 4)
    }

    @Test func `F-01 a clock that was set back makes a snapshot all the same, and removes nothing`() async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 1") }
        try await lab.runDaily(2)
        lab.clock.advance(-10 * 86_400)
        let report = try await lab.run()
        #expect(report.workloads == ["host": .ok])
        #expect(report.snapshotsRemoved == 0)
    }

    @Test(arguments: ["host", "lab"])
    func `P-04 what another host or lab keeps under the same names is neither counted nor removed nor adopted`(
        _ other: String
    ) async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 1") }
        try await lab.runDaily(1)
        let repository = try await #require(try lab.environment.store(named: "host-os")).open()
        let first = Set(try await repository.listSnapshots())
        lab.clock.advance(86_400)
        // The same repository, seen from a machine that has never run this lab.
        try lab.remove("state")
        if other == "host" {
            lab.hostName = "other-srv"
        } else {
            lab.declare { $0.replacing("lab: test", with: "lab: other") }
        }
        let status = try await lab.status()
        #expect(status.isBreached)
        #expect(status.workloads[0].copies.allSatisfy { $0.point == .never && $0.readBack == nil })
        #expect(try await lab.lookAhead().plan.items.map(\.workload.name) == ["host"])
        try await lab.runDaily(3)
        let present = Set(try await repository.listSnapshots())
        #expect(first.isSubset(of: present))
        #expect(try await lab.counts() == ["host-os": 1, "host-usb": 1, "offsite": 1])
    }

    @Test func `a path that was added shows as not protected until it was backed up`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("more/file", "new")
        lab.declare { $0.replacing("paths: [source]", with: "paths: [source, more]") }
        #expect(try await lab.status().problems.contains { $0.what.contains("one was added since") })
        #expect(try await lab.status().isBreached)
        try await lab.run()
        #expect(try await !lab.status().isBreached)
    }

    @Test func `F-01 snapshots and runs that are dated after now neither look fresh nor keep anything from being due`()
        async throws
    {
        let lab = try TestLab()
        lab.clock.advance(300 * 86_400)
        try await lab.run()
        lab.clock.advance(-300 * 86_400)
        let status = try await lab.status()
        #expect(status.isBreached)
        #expect(status.problems.contains { $0.severity == .wrong && $0.what.contains("dated after now") })
        #expect(try await lab.lookAhead().plan.items.count == 1)
        try await lab.run()
        #expect(try await lab.status().workloads[0].copies.allSatisfy { !$0.point.isBreached })
    }

    @Test func `records are left in each repository, and the old ones go`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(12)
        let repository = try await #require(try lab.environment.store(named: "host-os")).open()
        let records = try await repository.loadSnapshots(filter: SnapshotFilter(tags: [[SnapshotTag.record]])) {
            throw $1
        }
        #expect((5...10).contains(records.count), "\(records.count)")
    }

    @Test func `snapshots of other hands count, and are never removed`() async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 1") }
        try await lab.runDaily(1)
        let environment = try lab.environment
        let repository = try await #require(environment.store(named: "host-os")).open()
        let view = try await StoreView(repository, lab: environment.lab)
        var document = try #require(view.newest("host")?.snapshot.document)
        document.tags = []
        document.time = ZonedTime(Timestamp(seconds: TestLab.noon - 86_400))
        try await repository.withLock(.shared) { _ = try await repository.saveSnapshot(document) }
        #expect(try await lab.counts()["host-os"] == 2)
        try await lab.runDaily(2)
        #expect(try await lab.counts()["host-os"] == 2)
    }
}
