import Bytes
import Testing

import Strategy

@Suite struct RetentionPlanTests {
    private static let day: Int64 = 86_400

    private static func snapshot(_ day: Int64, _ tags: [ByteString] = [], isComplete: Bool = true) -> ObservedSnapshot {
        ObservedSnapshot(
            id: "\(day)",
            time: ZonedTime(Timestamp(seconds: 1_772_409_600 + day * Self.day)),
            tags: tags,
            isComplete: isComplete
        )
    }

    private static func plan(_ snapshots: [ObservedSnapshot], last: Int64?, proven: Set<String> = []) -> RetentionPlan {
        var policy: KeepPolicy?
        if let last {
            policy = KeepPolicy()
            policy?.counts[.last] = .atMost(last)
        }
        let now = Timestamp(seconds: 1_772_409_600 + 400 * Self.day)
        return RetentionPlan(snapshots, policy: policy, proven: proven, now: now) { _ in 0 }
    }

    @Test func `rules keep what they keep, and the reasons are told`() {
        let plan = Self.plan((0..<5).map { Self.snapshot($0) }, last: 2)
        #expect(plan.kept.map(\.snapshot.id) == ["4", "3"])
        #expect(plan.kept.first?.rules == ["last snapshot"])
        #expect(plan.removed.map(\.id) == ["2", "1", "0"])
        #expect(plan.oldestRemoved == Self.snapshot(0).time)
        #expect(plan.isAboveFloor)
        #expect(!Self.plan((0..<4).map { Self.snapshot($0) }, last: 2).isAboveFloor)
    }

    @Test func `P-05 thirty days of incomplete backups remove no complete one`() {
        let good = (0..<3).map { Self.snapshot($0) }
        let failed = (3..<33).map { Self.snapshot($0, isComplete: false) }
        let plan = Self.plan(good + failed, last: 3)
        #expect(Set(plan.kept.map(\.snapshot.id)) == ["0", "1", "2", "30", "31", "32"])
    }

    @Test func `P-04 what is held, proven, newest or alone is never removed`() {
        let all = [
            Self.snapshot(0), Self.snapshot(1, ["hold"]), Self.snapshot(2), Self.snapshot(3),
            Self.snapshot(4, isComplete: false),
        ]
        let plan = Self.plan(all, last: 0, proven: ["0", "2"])
        #expect(plan.kept.map(\.snapshot.id) == ["3", "2", "1"])
        #expect(plan.kept.map(\.holds) == [[.newest], [.proven], [.tagged]])
        #expect(Self.plan([Self.snapshot(0, isComplete: false)], last: 0).removed.isEmpty)
        #expect(Self.plan([], last: 0).kept.isEmpty)
    }

    @Test func `without a policy all stay`() {
        let plan = Self.plan((0..<50).map { Self.snapshot($0) }, last: nil)
        #expect(plan.removed.isEmpty)
        #expect(plan.kept.count == 50)
    }

    @Test func `P-03 random histories: nothing twice, nothing lost, never the newest good one`() {
        var generator = SplitMix(seed: 11)
        for _ in 0..<2000 {
            let history = (0..<generator.next() % 40).map { _ in
                Self.snapshot(Int64(generator.next() % 300), isComplete: generator.next() % 3 > 0)
            }
            var seen: Set<String> = []
            let snapshots = history.filter { seen.insert($0.id).inserted }
            let plan = Self.plan(snapshots, last: Int64(generator.next() % 5))
            let kept = plan.kept.map(\.snapshot.id)
            #expect(Set(kept).union(plan.removed.map(\.id)) == seen && kept.count + plan.removed.count == seen.count)
            let newest = snapshots.filter(\.isComplete).max { $0.time.moment < $1.time.moment }
            if let newest { #expect(kept.contains(newest.id)) }
            #expect(snapshots.isEmpty || !kept.isEmpty)
        }
    }
}
