import Foundation
import Testing

import Bytes
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

@Suite struct HookTests {
    @Test func `the command before a backup makes what is backed up, the one after it is run too`() async throws {
        let lab = try TestLab()
        lab.declare { text in
            text.replacing(
                "    to: [offsite",
                with:
                    "    before: [cp, \(lab.root)/source/folder/file-1, \(lab.root)/source/dump]\n    after: [rm, \(lab.root)/source/dump]\n    to: [offsite"
            )
        }
        let report = try await lab.run()
        #expect(report.exitStatus == .success)
        #expect(try lab.ledger().workloads["host"]?.size?.files == 41)
        #expect(!lab.names(in: "source").contains("dump"))
    }

    @Test
    func
        `G-14 a command that fails before a backup keeps it from being stored, and the one after it runs all the same`()
        async throws
    {
        let lab = try TestLab()
        lab.declare { text in
            text.replacing(
                "    to: [offsite",
                with:
                    "    before: [sh, -c, \"echo hunter2 >&2; exit 3\"]\n    after: [touch, \(lab.root)/started-again]\n    to: [offsite"
            )
        }
        let report = try await lab.run()
        #expect(report.exitStatus == .failed)
        #expect(report.workloads == ["host": .failed])
        #expect(report.results(.backUp).isEmpty)
        #expect(lab.names(in: "").contains("started-again"))
        let texts = report.lines.map { line -> String in
            if case .failed(let failure) = line.result { "\(failure.what) \(failure.next)" } else { "" }
        }
        #expect(!texts.joined().contains("hunter2"))
    }

    @Test func `G-14 a command that hangs is killed with what it started after its deadline`() async throws {
        let lab = try TestLab()
        lab.declare {
            $0.replacing(
                "    to: [offsite",
                with: "    before: [sh, -c, \"sleep 1000 & sleep 1000\"]\n    command-deadline: 1s\n    to: [offsite"
            )
        }
        let started = ContinuousClock.now
        let report = try await lab.run()
        #expect(report.exitStatus == .failed)
        // Far less than the command would take, and more than a busy machine needs to kill it.
        #expect(ContinuousClock.now - started < .seconds(500))
    }
}
