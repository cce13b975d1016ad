import Bytes
import Testing

import Strategy

@Suite struct RecoveryPointTests {
    private static let day: Int64 = 86_400
    /// 2026-03-02T00:00:00Z, a Monday.
    private static let monday: Int64 = 1_772_409_600

    private static func snapshot(_ seconds: Int64, isComplete: Bool = true) -> ObservedSnapshot {
        ObservedSnapshot(id: "\(seconds)", time: ZonedTime(Timestamp(seconds: seconds)), isComplete: isComplete)
    }

    private static func judge(
        _ starts: [ObservedSnapshot],
        at now: Int64,
        rpo: Objective.RPO = .lastScheduled,
        schedule: String? = "02:00",
        grace: Duration = .seconds(6 * 3600)
    ) throws -> RecoveryPoint {
        let backup = BackupPolicy(schedule: try schedule.map { try Schedule($0) }, grace: grace, keep: nil)
        return RecoveryPoint(
            starts,
            objective: Objective(rpo: rpo, rto: nil),
            backup: backup,
            now: Timestamp(seconds: now),
            zone: .utc
        )
    }

    @Test func `a due run has until its due time and the grace`() throws {
        let due = Self.monday + 2 * 3600
        let yesterday = Self.snapshot(due - Self.day + 60)
        #expect(try Self.judge([yesterday], at: due + 6 * 3600 - 1) == .met(age: .seconds(Self.day + 6 * 3600 - 61)))
        let late = try Self.judge([yesterday], at: due + 6 * 3600)
        #expect(late == .missed(age: .seconds(Self.day + 6 * 3600 - 60), due: Timestamp(seconds: due)))
        #expect(late.isBreached)
        #expect(try !Self.judge([yesterday, Self.snapshot(due + 5 * 3600)], at: due + 6 * 3600).isBreached)
    }

    @Test func `a snapshot that was begun before the due time is not that of the due run`() throws {
        let due = Self.monday + 2 * 3600
        #expect(try Self.judge([Self.snapshot(due - 1)], at: due + 7 * 3600).isBreached)
        #expect(try !Self.judge([Self.snapshot(due)], at: due + 7 * 3600).isBreached)
    }

    @Test func `an incomplete snapshot keeps no promise`() throws {
        let due = Self.monday + 2 * 3600
        let incomplete = Self.snapshot(due + 60, isComplete: false)
        #expect(try Self.judge([incomplete], at: due + 7 * 3600) == .never)
        #expect(try Self.judge([Self.snapshot(due - Self.day), incomplete], at: due + 7 * 3600).isBreached)
    }

    @Test func `ages count from the start of the newest snapshot`() throws {
        let verdict = try Self.judge(
            [Self.snapshot(100), Self.snapshot(50)],
            at: 100 + 3600,
            rpo: .atMost(.seconds(3600))
        )
        #expect(verdict == .met(age: .seconds(3600)))
        #expect(
            try Self.judge([Self.snapshot(100)], at: 100 + 3601, rpo: .atMost(.seconds(3600)))
                == .tooOld(age: .seconds(3601), promised: .seconds(3600))
        )
    }

    @Test func `F-01 a snapshot of the future has no negative age`() throws {
        #expect(try Self.judge([Self.snapshot(200)], at: 100, rpo: .atMost(.seconds(10))) == .met(age: .zero))
    }

    @Test func `nothing is green without a fact`() throws {
        #expect(try Self.judge([], at: 0) == .never)
        #expect(try Self.judge([], at: 0).isBreached)
        #expect(try Self.judge([Self.snapshot(10)], at: 20, schedule: nil) == .unjudged(age: .seconds(10)))
    }

    /// Against a model that looks at each due time of three weeks.
    @Test func `the promise is broken exactly when a judged due time has no snapshot at or after it`() throws {
        var generator = SplitMix(seed: 7)
        for _ in 0..<300 {
            let now = Self.monday + 21 * Self.day + Int64(generator.next() % 86_400)
            let starts = (0..<generator.next() % 6).map { _ in
                Self.snapshot(
                    Self.monday + Int64(generator.next() % UInt64(21 * Self.day)),
                    isComplete: generator.next() % 4 > 0
                )
            }
            let grace = Int64(generator.next() % 100_000)
            let verdict = try Self.judge(starts, at: now, grace: .seconds(grace))
            let dueTimes = (0...21).map { Self.monday + Int64($0) * Self.day + 2 * 3600 }.filter { $0 + grace <= now }
            let good = starts.filter(\.isComplete).map(\.time.moment.seconds)
            let isBreached = good.isEmpty || dueTimes.contains { due in !good.contains { $0 >= due } }
            #expect(verdict.isBreached == isBreached, "seed 7: \(starts.map(\.id)) at \(now), grace \(grace)")
        }
    }
}

@Suite struct DueTests {
    private func due(_ schedule: String?, last: Int64?, declared: Int64? = nil, now: Int64) throws -> Due {
        Due(
            try schedule.map { try Schedule($0) },
            lastAttempt: last.map { Timestamp(seconds: $0) },
            declared: declared.map { Timestamp(seconds: $0) },
            now: Timestamp(seconds: now),
            zone: .utc
        )
    }

    @Test func `M-04 times that passed while nobody ran are caught up once`() throws {
        let hour: Int64 = 3600
        let day = 24 * hour
        #expect(
            try due("02:00", last: 2 * hour, now: 3 * day + 3 * hour) == .since(Timestamp(seconds: 3 * day + 2 * hour))
        )
        #expect(
            try due("02:00", last: 3 * day + 3 * hour, now: 3 * day + 4 * hour)
                == .notBefore(Timestamp(seconds: 4 * day + 2 * hour))
        )
        #expect(try due("02:00", last: 2 * hour, now: 2 * hour + 1) == .notBefore(Timestamp(seconds: day + 2 * hour)))
    }

    @Test func `nothing was due before the workload was declared`() throws {
        #expect(
            try due("02:00", last: nil, declared: 3 * 3600, now: 4 * 3600) == .notBefore(Timestamp(seconds: 26 * 3600))
        )
        #expect(try due("02:00", last: nil, declared: nil, now: 4 * 3600) == .since(Timestamp(seconds: 2 * 3600)))
        #expect(try due(nil, last: nil, now: 4 * 3600) == .byHand)
    }

    @Test func `F-01 F-02 an attempt dated ahead lets nothing run twice, unless it lies beyond the next due time`()
        throws
    {
        #expect(try due("02:00", last: 25 * 3600, now: 3 * 3600) == .notBefore(Timestamp(seconds: 26 * 3600)))
        #expect(try due("02:00", last: 50 * 3600, now: 3 * 3600) == .since(Timestamp(seconds: 2 * 3600)))
    }
}

@Suite struct RecoveryTimeTests {
    @Test func `the measured rate times the full size`() {
        #expect(RecoveryTime(bytes: 1001, rate: 100, promised: .seconds(11)) == .met(.seconds(11)))
        #expect(
            RecoveryTime(bytes: 1001, rate: 100, promised: .seconds(10))
                == .tooLong(.seconds(11), promised: .seconds(10))
        )
        #expect(RecoveryTime(bytes: 1000, rate: 100, promised: nil) == .unjudged(.seconds(10)))
        #expect(RecoveryTime(bytes: nil, rate: 100, promised: .seconds(1)) == .unknown)
        #expect(RecoveryTime(bytes: 1, rate: 0, promised: .seconds(1)) == .unknown)
        #expect(RecoveryTime(bytes: .max, rate: 1, promised: .seconds(1)).isBreached)
    }
}

/// Repeatable numbers.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
