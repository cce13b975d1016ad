import Testing

import Bytes
import Protection
import Strategy
import TestSupport

/// How long a restore would take, by what runs measure.
@Suite struct RestoreTimeTests {
    /// A lab with a promise, and enough in it to tell how fast it is read.
    private func lab(_ rto: String) throws -> TestLab {
        let lab = try TestLab {
            $0.replacing("production: {", with: "production: { objective: { rto: \(rto) },")
        }
        var generator = SystemRandomNumberGenerator()
        for number in 0..<8 {
            let words = (0..<40_000).map { _ in String(generator.next(), radix: 36) }
            try lab.write("source/large/\(number)", words.joined())
        }
        return lab
    }

    @Test func `a promise of time that nobody measured is amber, and the verification of everything measures it`()
        async throws
    {
        let lab = try lab("4h")
        try await lab.run()
        var status = try await lab.status()
        for repository in ["host-os", "host-usb", "offsite"] {
            let copy = try #require(status.workloads[0].copies.first { $0.repository == repository })
            guard copy.rate == nil else { continue }
            #expect(copy.restore == .unknown)
            let problem = try #require(
                status.problems.first { $0.kind == .unmeasured && $0.object == "host on \(copy.medium.name)" }
            )
            #expect(problem.severity == .amber && problem.next.contains("--verify"))
        }
        lab.clock.advance(3600)
        try await lab.run(verifiesAll: true)
        status = try await lab.status()
        for copy in status.workloads[0].copies {
            let rate = try #require(copy.rate)
            #expect(!rate.isOfRestore && rate.time.length(since: Timestamp(seconds: TestLab.noon)) >= .seconds(3600))
            guard case .met(let time) = copy.restore else {
                Issue.record("\(copy.restore)")
                return
            }
            #expect(time > .zero && time < .seconds(600))
        }
        #expect(!status.isBreached && !status.problems.contains { $0.kind == .unmeasured })
    }

    @Test func `a restore that would take longer than promised is a breach, medium by medium`() async throws {
        let lab = try lab("1h")
        try await lab.run(verifiesAll: true)
        #expect(try await !lab.status().isBreached)
        let slow = ReadingRate(bytesPerSecond: 10, time: lab.clock.now(), isOfRestore: true)
        await LedgerFile(try lab.environment).update { $0.repositories["host-usb"]?.note(slow) }
        // What is read goes faster than what was restored, and does not hide it.
        lab.clock.advance(60)
        try await lab.run(verifiesAll: true)
        let status = try await lab.status()
        #expect(status.isBreached)
        let slows = status.problems.filter { $0.kind == .slow }
        #expect(slows.map(\.object) == ["host on usb-ssd"])
        #expect(slows.allSatisfy { $0.severity == .wrong && $0.what.contains("1h are promised") && !$0.next.isEmpty })
    }

    @Test func `what is too little to tell gives no rate, and what went by too fast counts as the least time`() {
        let now = Timestamp(seconds: TestLab.noon)
        #expect(ReadingRate(reading: 1 << 19, seconds: 5, at: now) == nil)
        #expect(ReadingRate(reading: 1 << 20, seconds: 0, at: now)?.bytesPerSecond == 20 << 20)
        #expect(ReadingRate(reading: 10 << 20, seconds: 2, at: now)?.bytesPerSecond == 5 << 20)
    }
}
