import Testing

import Bytes
import Outcome
import Protection
import Strategy
import TestSupport

/// A medium behind a network, with servers on this machine.
@Suite(.serialized, .onPool) struct OffsiteTests {
    private let scratch = Scratch()

    private func lab(_ service: OffsiteService, port: Int? = nil) throws -> (TestLab, String) {
        try service.lab(in: scratch, port: port)
    }

    @Test(arguments: OffsiteService.here)
    func `a copy behind a network is made, read back, kept and seen as every other`(_ service: OffsiteService)
        async throws
    {
        let (lab, _) = try lab(service)
        for day in 1...4 {
            let report = try await lab.run()
            let all = ["host-os": "done", "host-usb": "done", "offsite": "done"]
            #expect(report.exitStatus == .success, "\(report.lines)")
            #expect(report.results(.readBack) == all)
            #expect(report.results(.copy) == all.filter { $0.key != "host-os" })
            #expect(report.results(.forget).count == 3)
            #expect(report.workloads == ["host": .ok])
            #expect(
                try await lab.counts() == ["host-os": min(day, 3), "host-usb": min(day, 3), "offsite": min(day, 3)]
            )
            lab.clock.advance(86_400)
            try lab.write("source/new-\(day)", "day \(day)")
        }
        let report = try await lab.run(verifiesAll: true)
        #expect(report.results(.verify) == ["host-os": "done", "host-usb": "done", "offsite": "done"])
        let status = try await lab.status()
        #expect(status.workloads[0].copies.allSatisfy { $0.presence == .seen && $0.readBack != nil })
        #expect(try lab.ledger().workloads["host"]?.missing == [])
        #expect(try await lab.lookAhead().failures.isEmpty)
    }

    @Test func `E-11 what lies behind a network comes when every disk is done with`() async throws {
        let (lab, _) = try lab(.rest)
        lab.declare {
            $0.replacing(
                "protect:",
                with: "protect:\n  - { name: two, host: { paths: [source] }, to: [offsite, host-usb, host-os] }"
            )
        }
        let report = try await lab.run()
        #expect(report.exitStatus == .success)
        let isFar = report.lines.map { $0.step.repository == "offsite" }
        #expect(isFar == isFar.sorted { !$0 && $1 }, "\(report.lines.map(\.step))")
        #expect(isFar.contains(true) && isFar.contains(false))
        #expect(report.workloads == ["host": .ok, "two": .ok])
    }

    @Test func `E-18 a service that is not there costs no disk its copy, and is caught up with`() async throws {
        let (lab, medium) = try lab(.s3, port: 1)
        let report = try await lab.run()
        #expect(report.results(.readBack) == ["host-os": "done", "host-usb": "done"])
        #expect(report.results(.open) == ["offsite": "E-UNREACHABLE"])
        #expect(report.workloads == ["host": .partial])
        var history = try #require(try lab.ledger().workloads["host"])
        #expect(history.missing == ["offsite"])
        #expect(history.lastOutcome == .partial)
        #expect(history.lastTrouble?.what.contains("refused") == true)
        lab.clock.advance(3600)
        lab.declare { $0.replacing(medium, with: OffsiteService.s3.medium(in: scratch)) }
        let caughtUp = try await lab.run(.due)
        #expect(caughtUp.results(.copy) == ["offsite": "done"], "\(caughtUp.lines)")
        #expect(caughtUp.results(.backUp).isEmpty)
        history = try #require(try lab.ledger().workloads["host"])
        #expect(history.missing == [])
        #expect(history.lastOutcome == .ok)
    }

    @Test func `a service that does not answer is told from memory, and one that is emptied is not`() async throws {
        let (lab, medium) = try lab(.rest)
        try await lab.run()
        let away = OffsiteService.rest.medium(1, in: scratch)
        lab.declare { $0.replacing(medium, with: away) }
        var copy = try #require(try await lab.status().workloads[0].copies.first { $0.repository == "offsite" })
        #expect(copy.presence.word == "away")
        #expect(!copy.presence.isOutOfReach)
        lab.declare { $0.replacing(away, with: OffsiteService.rest.medium(in: scratch)) }
        copy = try #require(try await lab.status().workloads[0].copies.first { $0.repository == "offsite" })
        #expect(copy.presence == .lost(.gone))
        let report = try await lab.run()
        #expect(report.results(.open) == ["offsite": "E-MEDIUM"], "B-09: a repository that was seen is not made again")
        #expect(report.results(.readBack) == ["host-os": "done", "host-usb": "done"])
    }

    @Test func `where no disk is left the copy behind the network is made at once`() async throws {
        let (lab, _) = try lab(.rest)
        try await lab.run()
        try lab.move("media", to: "elsewhere")
        lab.clock.advance(86_400)
        let report = try await lab.run()
        #expect(report.results(.backUp) == ["offsite": "done"])
        #expect(report.results(.readBack) == ["offsite": "done"])
        #expect(report.workloads == ["host": .partial])
    }

    @Test(arguments: [("", "NAME:SECRET"), ("rig-key", "NAME:SECRET"), ("rig-key:wrong", "credentials are refused")])
    func `S-04 credentials that do not fit are told without a word of them`(_ text: String, _ words: String)
        async throws
    {
        let (lab, _) = try lab(.s3)
        try lab.write("secrets/cloud", text.isEmpty ? ":canary\n" : "\(text)\n")
        let report = try await lab.run()
        #expect(report.results(.readBack) == ["host-os": "done", "host-usb": "done"])
        let failures = report.lines.compactMap { line in
            if case .failed(let failure) = line.result { "\(failure)" } else { nil }
        }
        #expect(failures.count == 1)
        #expect(failures[0].contains(words), "\(failures)")
        #expect(!failures[0].contains("canary"))
    }

    @Test func `credentials that are not there are asked for by name`() async throws {
        let (lab, _) = try lab(.s3)
        try lab.remove("secrets/cloud")
        let report = try await lab.run()
        #expect(report.results(.open) == ["offsite": "E-SECRET"])
        #expect(report.results(.readBack) == ["host-os": "done", "host-usb": "done"])
    }
}
