import Testing

import Bytes
import HostSystem
import Outcome
import Protection
import ResticFormat
import ResticRepository
import Strategy
import TestSupport

@Suite struct RunTests {
    @Test func `a run backs up to the nearest repository, copies to the others, and reads each back`() async throws {
        let lab = try TestLab()
        let report = try await lab.run()
        #expect(report.results(.backUp) == ["host-os": "done"])
        #expect(report.results(.copy) == ["host-usb": "done", "offsite": "done"])
        #expect(report.results(.readBack) == ["host-os": "done", "host-usb": "done", "offsite": "done"])
        #expect(report.exitStatus == .success)
        #expect(report.workloads == ["host": .ok])
        #expect(try await lab.counts() == ["host-os": 1, "host-usb": 1, "offsite": 1])
    }

    @Test func `copies hold the same tree and are cut by the same polynomial`() async throws {
        let lab = try TestLab()
        try await lab.run()
        var trees: Set<String> = []
        var polynomials: Set<UInt64> = []
        for store in try lab.environment.stores {
            let repository = try await store.open()
            let view = try await StoreView(repository, lab: try lab.environment.lab)
            trees.insert(try #require(view.newest("host")?.snapshot.document.tree).hex)
            polynomials.insert(repository.config.polynomial)
        }
        #expect(trees.count == 1)
        #expect(polynomials.count == 1)
    }

    @Test func `our own media and state are left out of a path set that holds them`() async throws {
        let lab = try TestLab { $0.replacing("paths: [source]", with: "paths: [.]") }
        try await lab.run()
        try await lab.run()
        let first = try await lab.status().workloads[0].bytes
        let second = try #require(first)
        // 40 files of about a kilobyte, secrets; a copy of the media would be far more, and grow.
        #expect(second < 60_000, "\(second)")
    }

    @Test func `B-09 B-10 a medium that is away keeps none of the others, and catches up when it is back`() async throws
    {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.move("media/usb-ssd", to: "away")
        try lab.makeFolder("media/usb-ssd")
        let report = try await lab.run()
        #expect(report.results(.open) == ["host-usb": "E-MEDIUM"])
        #expect(report.exitStatus == .refusedByGuard)
        #expect(report.workloads == ["host": .partial])
        #expect(lab.names(in: "media/usb-ssd").isEmpty)
        lab.clock.advance(86_400)
        try await lab.run()
        try lab.remove("media/usb-ssd")
        try lab.move("away", to: "media/usb-ssd")
        lab.clock.advance(86_400)
        let back = try await lab.run()
        #expect(back.exitStatus == .success)
        // Four were made; the rules keep three, and the newest that was read back is one of them.
        #expect(try await lab.counts() == ["host-os": 3, "host-usb": 3, "offsite": 3])
    }

    @Test func `B-09 when the nearest medium is away the next one is backed up to`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.move("media/os-ssd", to: "away")
        let report = try await lab.run()
        #expect(report.results(.backUp) == ["host-usb": "done"])
        #expect(report.results(.copy) == ["offsite": "done"])
        try lab.move("away", to: "media/os-ssd")
        try await lab.run()
        #expect(try await lab.counts()["host-os"] == 2)
    }

    @Test func `what cannot be read makes a run partial, its snapshot tagged, and its retention wait`() async throws {
        let lab = try TestLab {
            $0.replacing("paths: [source]", with: "paths: [source, gone]").replacing("last: 3", with: "last: 1")
        }
        try await lab.runDaily(3)
        let report = try await lab.run()
        #expect(report.exitStatus == .incomplete)
        #expect(report.workloads == ["host": .partial])
        #expect(report.results(.forget).isEmpty)
        let status = try await lab.status()
        #expect(status.workloads[0].copies.allSatisfy { $0.point == .never && $0.count == 4 })
        #expect(status.isBreached)
    }

    @Test func `nothing that can be read is a failure, and earlier snapshots stay`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.remove("source")
        let report = try await lab.run()
        #expect(report.exitStatus == .failed)
        #expect(report.workloads == ["host": .failed])
        #expect(try await lab.counts() == ["host-os": 1, "host-usb": 1, "offsite": 1])
    }

    @Test func `a workload that another process runs is left to it`() async throws {
        let lab = try TestLab()
        let lock = try #require(try StateFolder.takeLock("workload-host", in: try lab.environment.stateFolder))
        let report = try await lab.run()
        #expect(report.exitStatus == .locked)
        lock.unlock()
        #expect(try await lab.run().exitStatus == .success)
    }

    @Test func `L-08 two first runs at once make repositories that open`() async throws {
        for _ in 0..<3 {
            let lab = try TestLab {
                $0.replacing(
                    "protect:",
                    with: "protect:\n  - { name: two, host: { paths: [source] }, to: [host-os, host-usb, offsite] }"
                )
            }
            let environment = try lab.environment
            async let first = ProtectionRun(environment, observer: SilentRunObserver()).run(.init(.named(["host"])))
            async let second = ProtectionRun(environment, observer: SilentRunObserver()).run(.init(.named(["two"])))
            let reports = try await [first, second]
            #expect(reports.map(\.exitStatus) == [.success, .success])
            #expect(try await lab.run().exitStatus == .success)
        }
    }

    @Test func `repositories that share a new password file are all made by one run`() async throws {
        let lab = try TestLab { $0.replacing("file:secrets/host-usb", with: "file:secrets/host-os") }
        let report = try await lab.run()
        #expect(report.exitStatus == .success, "\(report.results(.open))")
        #expect(try await lab.counts() == ["host-os": 1, "host-usb": 1, "offsite": 1])
        #expect(lab.names(in: "secrets") == ["host-os", "offsite"])
    }

    @Test func `B-09 a shared password of an earlier run makes nothing in an empty place, and tells the way out`()
        async throws
    {
        let lab = try TestLab { $0.replacing("file:secrets/host-usb", with: "file:secrets/host-os") }
        try lab.move("media/usb-ssd", to: "media/unplugged")
        #expect(try await lab.run().results(.open) == ["host-usb": "E-MEDIUM"])
        try lab.move("media/unplugged", to: "media/usb-ssd")
        lab.clock.advance(86_400)
        let report = try await lab.run()
        #expect(report.results(.open) == ["host-usb": "E-MEDIUM"])
        let next = report.lines.compactMap { if case .failed(let failure) = $0.result { failure.next } else { nil } }
        #expect(next.contains { $0.contains("was never made: holdfast media replace usb-ssd") })
        #expect(lab.names(in: "media/usb-ssd").isEmpty)
        let replaced = try await MediumReplacement(try lab.environment, observer: SilentRunObserver()).run("usb-ssd")
        #expect(replaced.exitStatus == .success)
    }

    @Test func `a name that the declaration does not have is refused before anything is made`() async throws {
        let lab = try TestLab()
        await #expect {
            try await lab.run(.named(["hots"]))
        } throws: { error in
            (error as? ProtectionFailure)?.code == .unknown
        }
        #expect(lab.names(in: "media/os-ssd").isEmpty)
    }

    @Test func `M-05 a run that is cut off leaves its workload due`() async throws {
        let lab = try TestLab()
        let environment = try lab.environment
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await ProtectionRun(environment, observer: SilentRunObserver()).run(.init(.due))
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(try lab.ledger().workloads["host"]?.lastAttempt == nil)
        #expect(try await lab.lookAhead().plan.items.count == 1)
    }
}
