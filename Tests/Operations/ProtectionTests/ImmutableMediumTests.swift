import Testing

import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import Protection
import ResticFormat
import ResticRepository
import Strategy
import TestSupport

/// A bucket whose copies this machine cannot destroy: locks, pruning apart from runs, and the proof of both.
@Suite(.serialized, .onPool) struct ImmutableMediumTests {
    private static let isHere: Bool = {
        guard StoreRig.locking.port == 0 else { return true }
        print("SKIP media with locks: moto is not installed (pip install 'moto[server]')")
        return false
    }()

    @Test(.enabled(if: isHere))
    func `R-02 canaries with the credentials of runs prove a medium, and that is remembered`() async throws {
        let lab = try OffsiteService.lab(OffsiteService.lockedMedium("lock: 3650d"))
        try await lab.run()
        var status = try await lab.status()
        #expect(status.mutability == ["cloud": .neverTried])
        #expect(status.posture["host"]?.outOfReach == 0)
        let problem = try #require(status.problems.first { $0.kind == .destroyable })
        #expect(
            problem.object == "cloud" && problem.what.hasPrefix("immutable: no, ")
                && problem.next == "holdfast verify immutability cloud"
        )

        var heard: [CanaryKind] = []
        let proof = try await ImmutabilityTrial(try lab.environment).run("cloud") { repository, trial in
            heard.append(CanaryKind(repository, trial.canary.name, trial.isProven))
        }
        #expect(proof.isProven, "\(proof)")
        #expect(heard.count == 5 && heard.allSatisfy { $0.repository == "offsite" && $0.isProven }, "\(heard)")
        #expect(try lab.ledger().immutability["cloud"] == proof)
        status = try await lab.status()
        #expect(status.mutability.isEmpty && !status.problems.contains { $0.kind == .destroyable })
        // What lies beside the objects is in nobody's way.
        let report = try await lab.run(verifiesAll: true)
        #expect(report.exitStatus == .success, "\(report.lines)")

        lab.clock.advance(91 * 86_400)
        guard case .tooLongAgo? = try await lab.status().mutability["cloud"] else {
            Issue.record("a proof of 91 days ago is taken for one")
            return
        }
        lab.declare { $0.replacing("lock: 3650d", with: "lock: 3651d") }
        #expect(try await lab.status().mutability == ["cloud": .changed])
    }

    private struct CanaryKind {
        let (repository, name, isProven): (String, String, Bool)

        init(_ repository: String, _ name: String, _ isProven: Bool) {
            (self.repository, self.name, self.isProven) = (repository, name, isProven)
        }
    }

    @Test(.enabled(if: isHere)) func `R-02 a bucket without a lock is told to be none, also as a problem`() async throws
    {
        let lab = try OffsiteService.lab(OffsiteService.lockedMedium("region: us-east-1"))
        try await lab.run()
        let proof = try await ImmutabilityTrial(try lab.environment).run("cloud") { _, _ in }
        #expect(!proof.isProven && proof.what.contains("the bucket keeps no versions"), "\(proof)")
        #expect(try lab.ledger().immutability["cloud"]?.isProven == false)
        for name in ["os-ssd", "nowhere"] {
            await #expect(throws: ProtectionFailure.self) {
                try await ImmutabilityTrial(try lab.environment).run(name) { _, _ in }
            }
        }
    }

    @Test(.enabled(if: isHere))
    func `R-02 locks are made longer once a month, and what an older one made is locked, too`() async throws {
        let unlocked = OffsiteService.lockedMedium("lock: 3650d")
        let lab = try OffsiteService.lab(unlocked)
        let first = try await lab.run()
        #expect(first.results(.lock).isEmpty, "what was just made is locked by its upload")
        lab.clock.advance(29 * 86_400)
        #expect(try await lab.run().results(.lock).isEmpty)
        lab.clock.advance(2 * 86_400)
        let due = try await lab.run()
        #expect(due.results(.lock) == ["offsite": "done"], "\(due.lines)")
        #expect(try await lab.run().results(.lock).isEmpty)
        // Another length holds for what is there already.
        lab.declare { $0.replacing("lock: 3650d", with: "lock: 3700d") }
        #expect(try await lab.run().results(.lock) == ["offsite": "done"])

        lab.clock.advance(100 * 86_400)
        let late = try #require(try await lab.status().problems.first { $0.kind == .unextended })
        #expect(late.object == "offsite" && late.what.contains("last made longer 100 days ago"), "\(late)")
    }

    @Test(.enabled(if: isHere))
    func `R-01 with credentials of its own for pruning a run removes nothing there, and media prune does`() async throws
    {
        let lab = try OffsiteService.lab(
            OffsiteService.lockedMedium("lock: 3650d", medium: ", pruning: \"file:secrets/pruner\"")
        )
        try await lab.runDaily(5)
        #expect(try await lab.counts() == ["host-os": 3, "host-usb": 3, "offsite": 5])
        let ahead = try await lab.lookAhead()
        #expect(ahead.apart == ["cloud": 2] && !ahead.removals.contains { $0.repository == "offsite" })
        let pruning = MediumPruning(try lab.environment, observer: SilentRunObserver())
        let report = try await pruning.run("cloud", release: nil)
        #expect(report.exitStatus == .success, "\(report.lines)")
        #expect(report.snapshotsRemoved == 2 && report.results(.prune) == ["offsite": "done"])
        #expect(try await lab.counts() == ["host-os": 3, "host-usb": 3, "offsite": 3])
        // What was removed is hidden, not gone: the lock holds.
        #expect(try await lab.run(verifiesAll: true).exitStatus == .success)

        lab.declare { $0.replacing("last: 3", with: "last: 1") }
        let held = try await MediumPruning(try lab.environment, observer: SilentRunObserver()).run(
            "cloud",
            release: nil
        )
        #expect(held.exitStatus == .refusedByGuard && held.snapshotsRemoved == 0, "\(held.lines)")
        let digits = try #require(held.digits)
        let again = MediumPruning(try lab.environment, observer: SilentRunObserver())
        await #expect(throws: ProtectionFailure.self) { try await again.run("cloud", release: "00000000") }
        #expect(try await again.run("cloud", release: digits).snapshotsRemoved == 3)
        for name in ["os-ssd", "nowhere"] {
            await #expect(throws: ProtectionFailure.self) { try await again.run(name, release: nil) }
        }
    }

    private static let open = StoreRig("rest_double.py")
    private static let appendOnly = StoreRig("rest_double.py", ["append-only"])

    private func appendOnlyLab(_ port: Int) throws -> TestLab {
        let url = "http://127.0.0.1:\(port)/\(UUID().uuidString)"
        return try OffsiteService.lab("rest: { url: \"\(url)\", append-only: true } }")
    }

    @Test func `R-02 a server that only takes new objects is proven, and runs remove nothing there`() async throws {
        let lab = try appendOnlyLab(Self.appendOnly.port)
        try await lab.runDaily(5)
        #expect(try await lab.counts() == ["host-os": 3, "host-usb": 3, "offsite": 5])
        let ahead = try await lab.lookAhead()
        #expect(ahead.apart == ["cloud": 2], "\(ahead)")
        #expect(try await lab.status().mutability == ["cloud": .neverTried])
        for _ in 0..<2 {
            var tried: [String] = []
            let proof = try await ImmutabilityTrial(try lab.environment).run("cloud") { _, trial in
                tried += trial.attempts.map { "\(trial.canary.kind) \($0.attempt) \($0.outcome.isWithstood)" }
            }
            #expect(proof.isProven, "\(proof)")
            #expect(
                tried == [
                    "pack replace true", "pack removePlainly true", "index removeAnother true",
                    "snapshot removeAnother true", "key removeAnother true",
                ]
            )
        }
        #expect(try await lab.status().mutability.isEmpty)
        // The canary is in nobody's way.
        let report = try await lab.run(verifiesAll: true)
        #expect(report.exitStatus == .success, "\(report.lines)")
        try lab.write("secrets/other", "me:other\n")
        lab.declare {
            $0.replacing("append-only: true }", with: "append-only: true }, credentials: \"file:secrets/other\"")
        }
        #expect(try await lab.status().mutability == ["cloud": .changed])
    }

    @Test func `R-02 a server that is only said to take nothing away is told, and left as it was`() async throws {
        let lab = try appendOnlyLab(Self.open.port)
        try await lab.run()
        let proof = try await ImmutabilityTrial(try lab.environment).run("cloud") { _, _ in }
        #expect(!proof.isProven && proof.what.contains("delete it: HTTP 200: it is gone"), "\(proof)")
        guard case .failed? = try await lab.status().mutability["cloud"] else {
            Issue.record("a copy that can be deleted counts as immutable")
            return
        }
        let report = try await lab.run(verifiesAll: true)
        #expect(report.exitStatus == .success, "\(report.lines)")
    }

    @Test func `what others removed from such a server is told, and released where nothing is pruned from here`()
        async throws
    {
        let port = Self.open.port
        let lab = try appendOnlyLab(port)
        try await lab.runDaily(5)
        // Who keeps the server removes what is old.
        let newest = try #require(try lab.ledger().repositories["offsite"]?.copies["host"]?.snapshot)
        let environment = try lab.environment
        let repository = try await #require(environment.store(named: "offsite")).open(.work)
        let old = try #require(try await repository.listSnapshots().first { $0.hex != newest })
        try await repository.store.remove(ObjectName(.snapshot, old.digest))
        try await lab.run()
        let problem = try #require(try await lab.status().problems.first { $0.kind == .doubt })
        #expect(problem.next.hasSuffix("holdfast media prune cloud, and release it"), "\(problem)")
        let pruning = MediumPruning(try lab.environment, observer: SilentRunObserver())
        let shown = try await pruning.run("cloud", release: nil)
        let digits = try #require(shown.digits)
        #expect(shown.exitStatus == .refusedByGuard && shown.lines.isEmpty)
        await #expect(throws: ProtectionFailure.self) { try await pruning.run("cloud", release: "00000000") }
        let released = try await pruning.run("cloud", release: digits)
        #expect(released.exitStatus == .success && released.snapshotsRemoved == 0)
        #expect(!(try await lab.status().problems.contains { $0.kind == .doubt }))
        #expect(try await pruning.run("cloud", release: nil).exitStatus == .success)
    }
}
