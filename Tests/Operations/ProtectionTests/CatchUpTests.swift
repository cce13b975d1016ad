import Foundation
import Testing

import Bytes
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

/// Media that a run missed, and that come back before anything is due.
@Suite struct CatchUpTests {
    /// A lab whose second run missed the second disk, which is away.
    private func missed(_ change: (String) -> String = { $0 }) async throws -> TestLab {
        let lab = try TestLab(change)
        try await lab.runDaily(1)
        try lab.move("media/usb-ssd", to: "away")
        try lab.makeFolder("media/usb-ssd")
        try lab.write("source/new", "a change")
        #expect(try await lab.run().workloads == ["host": .partial])
        return lab
    }

    private func plugIn(_ lab: TestLab) throws {
        try lab.remove("media/usb-ssd")
        try lab.move("away", to: "media/usb-ssd")
    }

    private func planned(_ lab: TestLab) async throws -> [[String]] {
        let run = ProtectionRun(try lab.environment, observer: SilentRunObserver())
        return try await run.plan(.due, isByHand: false).items.map(\.catchesUp)
    }

    private func runUnasked(_ lab: TestLab) async throws -> RunReport {
        var request = ProtectionRun.Request(.due)
        request.isByHand = false
        return try await ProtectionRun(try lab.environment, observer: SilentRunObserver()).run(request)
    }

    @Test func `B-09 a disk that a run missed is caught up with by the next run, though nothing is due`() async throws {
        let lab = try await missed()
        // Nothing is here to catch up with.
        #expect(try await lab.run(.due).lines.isEmpty)
        let next = try await lab.lookAhead().plan.waiting.map(\.next)
        try plugIn(lab)
        lab.declare {
            $0.replacing("    to: [offsite", with: "    before: [touch, \(lab.root)/asked]\n    to: [offsite")
        }
        let plan = try await lab.lookAhead().plan
        #expect(plan.items.map(\.catchesUp) == [["host-usb"]])
        #expect(plan.waiting.map(\.next) == next)
        try lab.write("source/newer", "another change")
        let report = try await lab.run(.due)
        #expect(report.exitStatus == .success)
        #expect(report.workloads == ["host": .ok])
        #expect(report.results(.copy) == ["host-usb": "done"])
        #expect(report.results(.readBack) == ["host-usb": "done"])
        // The source is not read again, and nothing is stopped for it.
        #expect(report.results(.backUp).isEmpty && !lab.names(in: "").contains("asked"))
        #expect(try await lab.counts() == ["host-os": 2, "host-usb": 2, "offsite": 2])
        #expect(try lab.ledger().workloads["host"]?.lastOutcome == .ok)
        #expect(try await lab.run(.due).lines.isEmpty)
        #expect(try await lab.lookAhead().plan.waiting.map(\.next) == next)
    }

    @Test func `B-09 unasked it is tried every 15 minutes at most, and not without end`() async throws {
        let lab = try await missed()
        try plugIn(lab)
        try lab.move("media/usb-ssd/host-usb/keys", to: "keys")
        #expect(try await planned(lab).isEmpty)
        lab.clock.advance(CatchUp.pauseSeconds + 1)
        #expect(try await planned(lab) == [["host-usb"]])
        #expect(try await runUnasked(lab).workloads == ["host": .failed])
        #expect(try await planned(lab).isEmpty)
        // By hand at once.
        #expect(try await lab.lookAhead().plan.items.map(\.catchesUp) == [["host-usb"]])
        lab.clock.advance(CatchUp.pauseSeconds + 1)
        #expect(try await planned(lab) == [["host-usb"]])
        try lab.move("keys", to: "media/usb-ssd/host-usb/keys")
        #expect(try await runUnasked(lab).workloads == ["host": .ok])
        #expect(try await lab.counts()["host-usb"] == 2)
    }

    @Test func `B-09 a run that reached no repository is done as a whole when they are here`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        for name in ["os-ssd", "usb-ssd", "cloud"] { try lab.move("media/\(name)", to: "away-\(name)") }
        #expect(try await lab.run().workloads == ["host": .failed])
        #expect(try await lab.run(.due).lines.isEmpty)
        for name in ["os-ssd", "usb-ssd", "cloud"] { try lab.move("away-\(name)", to: "media/\(name)") }
        let report = try await lab.run(.due)
        #expect(report.results(.backUp) == ["host-os": "done"])
        #expect(try await lab.counts() == ["host-os": 2, "host-usb": 2, "offsite": 2])
    }

    @Test func `a source that cannot be read makes nothing due`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.move("source", to: "gone")
        #expect(try await lab.run().workloads == ["host": .failed])
        #expect(try await lab.run(.due).lines.isEmpty)
    }
}
