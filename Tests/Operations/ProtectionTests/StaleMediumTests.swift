import Foundation
import Testing

import Bytes
import ObjectStorage
import Outcome
import Protection
import ResticRepository
import SecretStore
import Strategy
import TestSupport

/// A clone of a disk, taken some runs ago, where the disk should be.
@Suite struct StaleMediumTests {
    private static let repository = "/media/usb-ssd/host-usb"

    /// A lab of two runs, with a clone taken between them in the place of the second disk, which is away.
    private func swapped(_ change: (String) -> String = { $0 }) async throws -> TestLab {
        let lab = try TestLab(change)
        try await lab.runDaily(1)
        try FileManager.default.copyItem(atPath: lab.root + "/media/usb-ssd", toPath: lab.root + "/clone")
        try lab.write("source/new", "a change")
        try await lab.runDaily(1)
        try lab.move("media/usb-ssd", to: "original")
        try lab.move("clone", to: "media/usb-ssd")
        return lab
    }

    private func files(_ lab: TestLab) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: lab.root + Self.repository).sorted()
    }

    private func words(_ report: RunReport) -> [String] {
        report.lines.compactMap { line in
            if case .failed(let failure) = line.result {
                "\(failure.what); \(failure.state); \(failure.next)"
            } else {
                nil
            }
        }
    }

    @Test func `B-10 a clone is refused in every run, nothing is written to it, and the original comes back unnoticed`()
        async throws
    {
        let lab = try await swapped()
        let before = try files(lab)
        for _ in 0..<3 {
            let report = try await lab.run()
            #expect(report.results(.open) == ["host-usb": "E-STALE"])
            #expect(report.results(.copy) == ["offsite": "done"])
            #expect(report.exitStatus == .refusedByGuard)
            let said = try #require(words(report).first)
            #expect(said.contains("stale or cloned: it stands as it did on 2026-03-01 12:00 UTC"), "\(said)")
            #expect(said.contains("until 2026-03-02 12:00 UTC is missing"), "\(said)")
            #expect(said.contains("attach the right disk") && said.contains("media replace usb-ssd"))
            #expect(try files(lab) == before)
            lab.clock.advance(86_400)
        }
        let told = try await lab.status().problems.filter { $0.severity == .wrong && $0.object == "host-usb" }
        #expect(told.contains { $0.what.contains("stale or cloned") })
        let examined = try await Examination(try lab.environment).run()
        #expect(examined.contains { $0.verdict == .bad && $0.what.contains("stale or cloned") })
        #expect(try files(lab) == before)

        try lab.move("media/usb-ssd", to: "clone")
        try lab.move("original", to: "media/usb-ssd")
        let back = try await lab.run()
        #expect(back.exitStatus == .success)
        #expect(back.results(.forget)["host-usb"] == "done" || back.results(.forget)["host-usb"] == "nothing")
        #expect(try await lab.counts()["host-usb"] == 3)
        #expect(try lab.ledger().repositories["host-usb"]?.doubt == nil)
        #expect(try await lab.status().problems.allSatisfy { $0.object != "host-usb" })
    }

    @Test func `B-10 a clone that is meant is taken by the digits of the plan, and written to from then on`()
        async throws
    {
        let lab = try await swapped()
        let plan = try await lab.lookAhead()
        let held = try #require(plan.removals.first { $0.repository == "host-usb" })
        #expect(held.held.contains { $0.text.contains("stale or cloned") })
        #expect(plan.digits != nil)
        let report = try await lab.run(release: plan.digits)
        #expect(report.exitStatus == .success)
        #expect(report.results(.copy)["host-usb"] == "done")
        #expect(try await lab.counts()["host-usb"] == 3)
        lab.clock.advance(86_400)
        #expect(try await lab.run().exitStatus == .success)
        #expect(try await lab.status().problems.allSatisfy { $0.object != "host-usb" })
    }

    @Test func `B-10 a stale disk is taken in place of the right one by a replacement, and lacks nothing then`()
        async throws
    {
        let lab = try await swapped()
        let report = try await MediumReplacement(try lab.environment, observer: SilentRunObserver()).run("usb-ssd")
        #expect(report.exitStatus == .success)
        #expect(try await lab.counts()["host-usb"] == 2)
        #expect(try await lab.run().exitStatus == .success)
    }

    @Test func `B-10 what was removed and pruned by hand is no stale disk`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/new", "a change")
        try await lab.runDaily(1)
        // As any restic does it: with a memory of its own.
        let store = try #require(try lab.environment.store(named: "host-usb"))
        var options = RepositoryOptions()
        options.recordDirectory = ByteString(lab.root + "/elsewhere")
        let found = try #require(try await lab.environment.secrets.find(store.declaration.password))
        let repository = try await Repository.open(
            store: LocalStorage(ByteString(store.path)),
            password: found.secret,
            environment: try lab.environment.repository,
            options: options
        )
        try await repository.loadIndex()
        let all = try await repository.loadSnapshots { throw $1 }
        let newest = all.suffix(2).map(\.id)
        try await repository.withLock(.exclusive) {
            try await repository.removeSnapshots(newest) { _, _ in }
            let plan = try await repository.planPrune(PruneRequest(), observer: SilentPruneObserver())
            try await repository.execute(plan, observer: SilentPruneObserver())
        }
        let report = try await lab.run()
        #expect(report.results(.open).isEmpty, "\(words(report))")
        #expect(report.results(.copy)["host-usb"] == "done")
    }
}
