import Foundation
import Synchronization
import Testing

import Bytes
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

@Suite struct BudgetTests {
    /// Stands still while bytes are counted, so that the longest wait is the time that all of them take.
    private final class StandingClock: TimeSource {
        let base: TestClock
        private let waits = Mutex<[UInt64]>([])

        init(_ base: TestClock) { self.base = base }

        var slept: [UInt64] { waits.withLock { $0 } }
        func now() -> Timestamp { base.now() }
        func monotonicNanoseconds() -> UInt64 { 1_000_000_000 }
        func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }

        func sleep(nanoseconds: UInt64) async throws {
            waits.withLock { $0.append(nanoseconds) }
            try await base.sleep(nanoseconds: nanoseconds)
        }
    }

    private func bytes(_ lab: TestLab, in folders: [String]) throws -> Double {
        var sum = 0
        for folder in folders {
            let path = "\(lab.root)/media/usb-ssd/host-usb/\(folder)"
            for case let file as String in try #require(FileManager.default.enumerator(atPath: path)) {
                let facts = try FileManager.default.attributesOfItem(atPath: "\(path)/\(file)")
                if facts[.type] as? FileAttributeType == .typeRegular { sum += facts[.size] as? Int ?? 0 }
            }
        }
        return Double(sum)
    }

    private func waits(_ budget: String) async throws -> (lab: TestLab, slept: [UInt64]) {
        let lab = try TestLab {
            $0.replacing("\"file:secrets/host-usb\" }", with: "\"file:secrets/host-usb\"\(budget) }")
        }
        var environment = try lab.environment
        let clock = StandingClock(lab.clock)
        environment.repository.time = clock
        let run = ProtectionRun(environment, observer: SilentRunObserver())
        #expect(try await run.run(ProtectionRun.Request(.all)).exitStatus == .success)
        return (lab, clock.slept)
    }

    @Test func `each byte that a run writes to a repository is within its budget`() async throws {
        let (lab, slept) = try await waits(", budget: { upload: 100 kB/s }")
        let expected = try bytes(lab, in: ["data", "index", "keys", "snapshots"]) / 100_000 * 1e9
        #expect(slept.contains { abs(Double($0) - expected) < 10_000 }, "\(expected) of \(slept)")
    }

    @Test func `what a run reads back is within the budget, too`() async throws {
        let (lab, slept) = try await waits(", budget: { download: 100 kB/s }")
        let least = try bytes(lab, in: ["data"]) / 100_000 * 1e9
        #expect(Double(slept.max() ?? 0) >= least, "\(least) of \(slept)")
    }
}
