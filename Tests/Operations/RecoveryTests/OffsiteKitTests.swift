import Foundation
import Testing

import Bytes
import KitFormat
import Outcome
import Protection
import Recovery
import Strategy
import TestSupport

/// A kit opens what lies behind a network with the credential that it carries, and with nothing of the machine that made it.
@Suite(.serialized, .onPool) struct OffsiteKitTests {
    private let scratch = Scratch()

    /// A lab whose third copy is read by a kit with a credential of its own.
    private func lab(_ service: OffsiteService) async throws -> TestLab {
        let (lab, medium) = try service.lab(in: scratch)
        lab.declare { $0.replacing(medium, with: "read-only: \"file:secrets/reader\", " + medium) }
        try lab.write("secrets/reader", "rig-key:rig-secret\n")
        try await lab.runDaily(1)
        return lab
    }

    private func trial(_ kit: RecoveryKit, _ lab: TestLab) async throws -> KitTrial.Result {
        let trials = try await KitTest(kit, try lab.environment.repository).run { _ in }
        return try #require(trials.first { $0.repository == "offsite" }).result
    }

    @Test(arguments: [OffsiteService.s3, .rest])
    func `S-03 a kit opens a repository behind a network when all else is gone`(_ service: OffsiteService) async throws
    {
        let lab = try await lab(service)
        let made = try await KitMaking(try lab.environment).make(program: "test")
        var kit = made.kit
        let index = try #require(kit.repositories.firstIndex { $0.name == "offsite" })
        let names = kit.repositories[index].variables.map(\.name)
        #expect(
            names
                == (service == .s3
                    ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
                    : ["RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD"])
        )
        #expect(made.unproven.isEmpty)
        try lab.remove("secrets")
        guard case .passed(let reading) = try await trial(kit, lab) else {
            Issue.record("\(try await trial(kit, lab))")
            return
        }
        #expect(reading.pieces > 0 && reading.snapshot != nil)
        guard service == .s3 else { return }
        kit.repositories[index].variables[1].secret = Secret(Array("another".utf8))
        guard case .failed(let failure) = try await trial(kit, lab) else {
            Issue.record("a wrong key opens")
            return
        }
        #expect(failure.codeName == "E-KIT-OPENS-NOT" && !failure.what.contains("another"), "\(failure.what)")
        kit.repositories[index].variables = []
        guard case .notTested(let away) = try await trial(kit, lab) else {
            Issue.record("opened without a key")
            return
        }
        #expect(away.next.contains("media.cloud.read-only"))
    }

    @Test func `a bucket without a credential that only reads makes a kit that says so`() async throws {
        let (lab, _) = try OffsiteService.s3.lab(in: scratch)
        try await lab.runDaily(1)
        let made = try await KitMaking(try lab.environment).make(program: "test")
        let entry = try #require(made.kit.repositories.first { $0.name == "offsite" })
        #expect(entry.variables.isEmpty && entry.state.contains("declare media.cloud.read-only"))
    }
}
