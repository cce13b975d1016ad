import Foundation
import Testing

import Bytes
import Outcome
import Protection
import Strategy
import TestSupport

/// What the doctor finds out of what keys can do in a bucket, and a key that is typed.
@Suite(.serialized, .onPool) struct BucketRightsTests {
    private static let rig = StoreRig("s3_double.py")

    private let bucket = "lab-\(UUID().uuidString.lowercased().prefix(8))"

    private func lab(_ more: String = "") throws -> TestLab {
        let lab = try OffsiteService.lab(
            "s3: { endpoint: \"http://\(Self.rig.host)\", bucket: \(bucket), prefix: dr }, credentials: \"file:secrets/cloud\"\(more) }"
        )
        try lab.write("secrets/reader", "rig-key:rig-secret\n")
        return lab
    }

    private func keys(_ lab: TestLab) async throws -> [Examined] {
        try await Examination(try lab.environment).run().filter { $0.object.hasPrefix("cloud, ") }
    }

    @Test func `R-01 what each key can do is tried, and nothing of it stays`() async throws {
        let lab = try lab(", read-only: \"file:secrets/reader\"")
        try await lab.run()
        try await Self.rig.setFaults([])
        let before = try await Self.rig.keys(bucket)
        var found = try await keys(lab)
        #expect(found.map(\.object) == ["cloud, the key of runs", "cloud, the key of the kit"])
        #expect(
            found[0].verdict == .doubtful && found[0].what == "lists, reads and writes, and can delete copies for good"
        )
        #expect(found[1].verdict == .doubtful && found[1].what.hasPrefix("can write and delete, too: "), "\(found)")
        #expect(try await Self.rig.keys(bucket) == before)

        try await Self.rig.setFaults([
            ["on": "DELETE", "key": "data/", "do": "status", "status": 403, "code": "AccessDenied"]
        ])
        found = try await keys(lab)
        #expect(found[0].verdict == .good && found[0].what.hasSuffix("and cannot destroy a copy"), "\(found)")

        try await Self.rig.setFaults([
            ["on": "PUT", "key": "locks/", "do": "status", "status": 403, "code": "AccessDenied"],
            ["on": "DELETE", "key": "", "do": "status", "status": 403, "code": "AccessDenied"],
        ])
        found = try await keys(lab)
        #expect(found[0].verdict == .bad, "\(found)")
        #expect(
            found[0].what == "cannot write (HTTP 403, AccessDenied), nor remove lock files (HTTP 403, AccessDenied)",
            "\(found)"
        )
        #expect(found[0].next == "holdfast media policy cloud: rights to paste")
        #expect(found[1].verdict == .good && found[1].what == "lists and reads, and can do nothing else", "\(found)")
        try await Self.rig.setFaults([])
    }

    @Test func `R-01 a key that is typed prunes, is asked of nobody else, and stands nowhere`() async throws {
        try await Self.rig.setFaults([])
        let lab = try lab(", pruning: typed")
        #expect(try lab.environment.lab.medium(named: "cloud")?.pruning == .typed)
        try await lab.runDaily(5)
        #expect(try await lab.counts()["offsite"] == 5)
        #expect(try await lab.lookAhead().apart == ["cloud": 2])
        var environment = try lab.environment
        let unasked = try await MediumPruning(environment, observer: SilentRunObserver()).run("cloud", release: nil)
        #expect(unasked.exitStatus != .success && unasked.snapshotsRemoved == 0, "\(unasked.lines)")
        #expect(unasked.failure(.open, in: "offsite")?.what.contains("are typed by a person") == true)
        environment.typedCredentials = Secret("rig-key:rig-secret".utf8)
        let pruned = try await MediumPruning(environment, observer: SilentRunObserver()).run("cloud", release: nil)
        #expect(pruned.exitStatus == .success && pruned.snapshotsRemoved == 2, "\(pruned.lines)")
        environment.typedCredentials = Secret("no colon".utf8)
        let wrong = try await MediumPruning(environment, observer: SilentRunObserver()).run("cloud", release: nil)
        #expect(wrong.failure(.open, in: "offsite")?.what.contains("NAME:SECRET") == true, "\(wrong.lines)")
        let examined = try await keys(lab)
        #expect(examined.contains { $0.object == "cloud, the key that prunes" && $0.verdict == .good })
    }
}
