import Testing

import Bytes
import Strategy

/// What a channel is told: each trouble once when it begins and once when it is over, however often and by whomever it is looked at (M-11).
@Suite struct AlarmPolicyTests {
    private static let start = Timestamp(seconds: 1_772_366_400)

    private func channel(_ events: [AlarmEvent], remind: Duration? = nil) throws -> Channel {
        let text = completeDeclaration + "\nnotify: [{ ntfy: { url: \"https://ntfy.example/lab\" } }]\n"
        var channel = try #require(try decode(text).channels.first)
        channel.events = Set(events)
        channel.remind = remind
        return channel
    }

    private func trouble(_ name: String, _ event: AlarmEvent = .failed) -> Trouble {
        Trouble(id: name, event: event, object: name, what: "is wrong", next: "mend it")
    }

    private func later(_ seconds: Int64) -> Timestamp { Timestamp(seconds: Self.start.seconds + seconds) }

    @Test func `M-11: a trouble is told when it begins, again after a day, and when it is over`() throws {
        let policy = AlarmPolicy(try channel([.failed, .recovered], remind: .seconds(86_400)), zone: .utc)
        var history = ChannelHistory()
        var told: [(hour: Int, text: String)] = []
        for hour in 0..<60 {
            let troubles = hour < 50 ? [trouble("host")] : []
            let (announcement, after) = policy.decide(
                troubles,
                succeeded: [],
                history,
                now: later(Int64(hour) * 3600 + 1)
            )
            history = after
            if let announcement { told.append((hour, announcement.words.joined(separator: ", "))) }
        }
        #expect(told.map(\.hour) == [0, 24, 48, 50])
        #expect(told.map(\.text) == ["began host", "lasting host", "lasting host", "recovered host"])
    }

    @Test func `what a channel does not want is not told, nor that it is over`() throws {
        let policy = AlarmPolicy(try channel([.damaged]), zone: .utc)
        var history = ChannelHistory()
        for hour in 0..<4 {
            let troubles = hour < 2 ? [trouble("host")] : []
            let (announcement, after) = policy.decide(
                troubles,
                succeeded: ["host"],
                history,
                now: later(Int64(hour) * 3600)
            )
            #expect(announcement == nil)
            history = after
        }
    }

    @Test func `the sign of life comes once a week, and not at once`() throws {
        let policy = AlarmPolicy(try channel([.signOfLife]), zone: .utc)
        var history = ChannelHistory()
        var days: [Int] = []
        for hour in 0..<(24 * 22) {
            let (announcement, after) = policy.decide([], succeeded: [], history, now: later(Int64(hour) * 3600))
            history = after
            if let announcement {
                #expect(announcement.isSignOfLife && announcement.event == .signOfLife)
                days.append(hour / 24)
            }
        }
        // It begins on a Sunday noon.
        #expect(days == [0, 7, 14, 21])
    }

    @Test func `F-02: a clock that was far ahead does not silence a channel`() throws {
        let policy = AlarmPolicy(try channel([.failed, .signOfLife], remind: .seconds(3600)), zone: .utc)
        var history = ChannelHistory()
        history = policy.decide([trouble("host")], succeeded: [], history, now: later(10 * 365 * 86_400)).after
        var said = 0
        for hour in 0..<(24 * 8) {
            let (announcement, after) = policy.decide(
                [trouble("host")],
                succeeded: [],
                history,
                now: later(Int64(hour) * 3600)
            )
            history = after
            if announcement != nil { said += 1 }
        }
        #expect(said >= 24 * 8 - 2)
    }

    /// Against a naive model: whatever comes and goes, no trouble that lasts is kept from the operator for more than an hour, nothing is told twice, and no
    /// hour has more messages than allowed.
    @Test func `M-11: a flood of failures is few messages, and nothing in it is lost`() throws {
        print("seed \(testSeed): TEST_SEED repeats it")
        var random = SeededNumbers(testSeed)
        for _ in 0..<60 {
            let policy = AlarmPolicy(try channel([.failed, .missed, .recovered]), zone: .utc)
            var history = ChannelHistory()
            var standing: [String: Int64] = [:]
            var told: Set<String> = []
            var sent: [Int64] = []
            var now: Int64 = 0
            for _ in 0..<300 {
                now += Int64.random(in: 1...900, using: &random)
                let name = "thing-\(Int.random(in: 0..<12, using: &random))"
                if standing[name] == nil { standing[name] = now } else { standing[name] = nil }
                let troubles = standing.keys.sorted().map { trouble($0) }
                let (announcement, after) = policy.decide(troubles, succeeded: [], history, now: later(now))
                history = after
                if let announcement {
                    for trouble in announcement.began { #expect(told.insert(trouble.id).inserted) }
                    for over in announcement.recovered { #expect(told.remove(over.id) != nil) }
                    #expect(told == Set(standing.keys))
                    sent.append(now)
                }
                let hour = sent.filter { now - $0 < 3600 }
                #expect(hour.count <= StrategyLimits.messagesAnHour * 2)
                if hour.count < StrategyLimits.messagesAnHour { #expect(told == Set(standing.keys)) }
            }
        }
    }

    @Test func `M-11: good news does not take the place of an alarm, and what is held back is told after the hour`()
        throws
    {
        let policy = AlarmPolicy(try channel([.damaged, .succeeded]), zone: .utc)
        var history = ChannelHistory()
        var said = 0
        for minute in 0..<30 {
            let (announcement, after) = policy.decide([], succeeded: ["host"], history, now: later(Int64(minute) * 60))
            history = after
            if announcement != nil { said += 1 }
        }
        #expect(said == StrategyLimits.messagesAnHour)
        #expect(history.isHeldBack)
        let alarm = policy.decide([trouble("disk", .damaged)], succeeded: [], history, now: later(1900))
        #expect(alarm.announcement?.began.map(\.id) == ["disk"])
        #expect(policy.decide([], succeeded: ["host"], history, now: later(3601)).announcement != nil)
    }

    @Test func `M-11: what a lost message said is news, and what waits is not`() throws {
        let policy = AlarmPolicy(try channel([.failed]), zone: .utc)
        let troubles = [trouble("host")]
        let after = policy.decide(troubles, succeeded: [], ChannelHistory(), now: Self.start).after.told(
            by: "phone/1",
            at: Self.start
        )
        let waits = after.withoutLost(waiting: ["phone/1"])
        #expect(policy.decide(troubles, succeeded: [], waits, now: later(60)).announcement == nil)
        let lost = after.withoutLost(waiting: [])
        #expect(policy.decide(troubles, succeeded: [], lost, now: later(60)).announcement?.began.count == 1)
        var taken = after
        taken.took(["phone/1"])
        #expect(
            policy.decide(troubles, succeeded: [], taken.withoutLost(waiting: []), now: later(60)).announcement == nil
        )
    }

    @Test func `M-11: fifty troubles at once are one message`() throws {
        let policy = AlarmPolicy(try channel([.failed]), zone: .utc)
        let troubles = (0..<50).map { trouble("host-\($0)") }
        let (announcement, after) = policy.decide(troubles, succeeded: [], ChannelHistory(), now: Self.start)
        #expect(announcement?.began.count == 50)
        #expect(after.sent.count == 1)
        #expect(policy.decide(troubles, succeeded: [], after, now: later(60)).announcement == nil)
    }

    @Test func `the loudest trouble names the message`() {
        var announcement = Announcement()
        announcement.began = [trouble("a", .held), trouble("b", .damaged), trouble("c", .amber)]
        #expect(announcement.event == .damaged)
        announcement.began = []
        announcement.isSignOfLife = true
        #expect(announcement.event == .signOfLife)
    }
}
