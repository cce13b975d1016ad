import Bytes
import Strategy
import Testing

@Suite struct ScheduleTests {
    /// What follows one moment, in a zone.
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var zone = "UTC"
        var after: String
        /// In UTC, one after the other.
        var then: [String]
        var testDescription: String { "\(text) in \(zone) after \(after)" }
    }

    static func rules(_ name: String) throws -> ZoneRules { name == "UTC" ? .utc : try GoldenZone.rules(name) }

    @Test(arguments: [
        Case(text: "02:30", after: "2026-01-01 02:29:59", then: ["2026-01-01 02:30:00", "2026-01-02 02:30:00"]),
        Case(text: "02:30", after: "2026-01-01 02:30", then: ["2026-01-02 02:30:00"]),
        Case(text: "*:*:*", after: "2026-12-31 23:59:59", then: ["2027-01-01 00:00:00", "2027-01-01 00:00:01"]),
        Case(text: "*/15", after: "2026-12-31 23:45", then: ["2027-01-01 00:00:00", "2027-01-01 00:15:00"]),
        Case(text: "mon 2:*", after: "1970-01-01", then: ["1970-01-05 02:00:00", "1970-01-05 02:01:00"]),
        Case(text: "4..10/2:0", after: "1970-01-01 11:00", then: ["1970-01-02 04:00:00", "1970-01-02 06:00:00"]),
        Case(text: "6,4..10:23,5/5", after: "1970-01-01", then: ["1970-01-01 04:05:00", "1970-01-01 04:10:00"]),
        Case(text: "2020-7..9-2/2", after: "2020-07-31", then: ["2020-08-02 00:00:00", "2020-08-04 00:00:00"]),
        Case(text: "fri", after: "2020-12-31", then: ["2021-01-01 00:00:00", "2021-01-08 00:00:00"]),
        Case(text: "02-29", after: "2096-03-01", then: ["2104-02-29 00:00:00", "2108-02-29 00:00:00"]),
        Case(text: "Mon 02-29", after: "2024-03-01", then: ["2044-02-29 00:00:00", "2072-02-29 00:00:00"]),
        Case(text: "*-02~01", after: "2027-01-01", then: ["2027-02-28 00:00:00", "2028-02-29 00:00:00"]),
        Case(text: "*-*~1..7/3 12:00", after: "2028-02-01", then: ["2028-02-23 12:00:00", "2028-02-26 12:00:00"]),
        Case(text: "Mon *-05~07/1", after: "2026-01-01", then: ["2026-05-25 00:00:00", "2027-05-31 00:00:00"]),
        Case(text: "sat *-1..7 15:00", after: "2026-01-01", then: ["2026-01-03 15:00:00", "2026-02-07 15:00:00"]),
        Case(text: "*-*-31", after: "2026-01-31", then: ["2026-03-31 00:00:00", "2026-05-31 00:00:00"]),
        Case(text: "*/4-02-29", after: "2096-03-01", then: ["2104-02-29 00:00:00"]),
        Case(text: "2199-12-31 23:59:59", after: "1970-01-01", then: ["2199-12-31 23:59:59", "never"]),
        Case(text: "2012-10-15", after: "2026-01-01", then: ["never"]),
        Case(text: "daily", after: "0001-01-01", then: ["1970-01-01 00:00:00", "1970-01-02 00:00:00"]),
        // Clocks that are set ahead.
        Case(
            text: "02:30",
            zone: "Europe/Berlin",
            after: "2026-03-28 01:30",
            then: ["2026-03-29 01:00:00", "2026-03-30 00:30:00"]
        ),
        Case(
            text: "2..3:0/15",
            zone: "Europe/Berlin",
            after: "2026-03-29 00:00",
            then: ["2026-03-29 01:00:00", "2026-03-29 01:15:00"]
        ),
        Case(
            text: "2:00,15,30",
            zone: "Australia/Lord_Howe",
            after: "2026-10-03 15:00",
            then: ["2026-10-03 15:30:00", "2026-10-04 15:00:00"]
        ),
        Case(
            text: "12:00",
            zone: "Pacific/Apia",
            after: "2011-12-29 00:00",
            then: ["2011-12-29 22:00:00", "2011-12-30 10:00:00", "2011-12-30 22:00:00"]
        ),
        Case(text: "*-*-30 0/6:00", zone: "Pacific/Apia", after: "2011-12-02", then: ["2011-12-30 10:00:00"]),
        Case(
            text: "01..02:00",
            zone: "Antarctica/Troll",
            after: "2026-03-29 00:00",
            then: ["2026-03-29 01:00:00", "2026-03-29 23:00:00"]
        ),
        // Clocks that are set back.
        Case(
            text: "02:30",
            zone: "Europe/Berlin",
            after: "2026-10-24 12:00",
            then: ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]
        ),
        Case(
            text: "*:0/30",
            zone: "Europe/Berlin",
            after: "2026-10-25 00:00",
            then: ["2026-10-25 00:30:00", "2026-10-25 02:00:00", "2026-10-25 02:30:00"]
        ),
        Case(text: "hourly", zone: "Europe/Berlin", after: "2026-10-25 01:15", then: ["2026-10-25 02:00:00"]),
        Case(
            text: "1:30..59",
            zone: "Australia/Lord_Howe",
            after: "2026-04-04 14:58:30",
            then: ["2026-04-04 14:59:00", "2026-04-05 15:00:00"]
        ),
        Case(
            text: "12:00",
            zone: "Asia/Kathmandu",
            after: "2026-01-01",
            then: ["2026-01-01 06:15:00", "2026-01-02 06:15:00"]
        ),
    ])
    func `F-06 a schedule fires at these moments after that one`(_ example: Case) throws {
        let schedule = try Schedule(example.text)
        let zone = try ScheduleTests.rules(example.zone)
        var moment: Timestamp? = utc(example.after)
        for expected in example.then {
            moment = moment.flatMap { schedule.next(after: $0, in: zone) }
            #expect(shown(moment) == expected)
        }
        guard let last = moment else { return }
        // And back again.
        for expected in example.then.reversed() {
            #expect(
                shown(schedule.previous(atOrBefore: expected == "never" ? last : utc(expected), in: zone)) == expected
            )
        }
    }

    @Test func `parts of a second count on both sides of an occurrence`() throws {
        let schedule = try Schedule("02:30")
        let due = utc("2026-01-01 02:30")
        let tomorrow = utc("2026-01-02 02:30")
        let late = Timestamp(seconds: due.seconds, nanoseconds: 1)
        let early = Timestamp(seconds: due.seconds - 1, nanoseconds: 999_999_999)
        #expect(schedule.next(after: early, in: .utc) == due)
        #expect(schedule.next(after: late, in: .utc) == tomorrow)
        #expect(schedule.previous(atOrBefore: late, in: .utc) == due)
        #expect(schedule.previous(atOrBefore: early, in: .utc) == utc("2025-12-31 02:30"))
        #expect(Array(schedule.occurrences(from: due, to: tomorrow, in: .utc)) == [due])
        #expect(Array(schedule.occurrences(from: late, to: tomorrow, in: .utc)) == [])
        #expect(Array(schedule.occurrences(from: early, to: late, in: .utc)) == [due])
        #expect(Array(schedule.occurrences(from: tomorrow, to: due, in: .utc)) == [])
    }

    @Test func `occurrences are found one by one, so that the first of a million costs one`() throws {
        let schedule = try Schedule("*:*:*")
        let all = schedule.occurrences(from: utc("2026-01-01"), to: utc("2199-01-01"), in: .utc)
        #expect(Array(all.prefix(2)).map { shown($0) } == ["2026-01-01 00:00:00", "2026-01-01 00:00:01"])
        let leap = try Schedule("02-29").occurrences(from: utc("1970-01-01"), to: utc("2200-01-01"), in: .utc)
        #expect(leap.reduce(0) { count, _ in count + 1 } == 56)
    }

    @Test func `the ends of time trap nothing`() throws {
        let berlin = try GoldenZone.rules("Europe/Berlin")
        for text in ["*:*:*", "02:30", "*-02-29", "* * * * *"] {
            let schedule = try Schedule(text)
            for zone in [ZoneRules.utc, berlin] {
                for second in [Int64.min, .min + 1, -1 << 62, -1 << 59, 1 << 59, 1 << 62, .max - 1, .max] {
                    for nanoseconds: Int32 in [0, 999_999_999] {
                        let moment = Timestamp(seconds: second, nanoseconds: nanoseconds)
                        #expect((schedule.next(after: moment, in: zone) == nil) == (second > 0))
                        #expect((schedule.previous(atOrBefore: moment, in: zone) == nil) == (second < 0))
                        #expect(schedule.occurrences(from: moment, to: moment, in: zone).first { _ in true } == nil)
                    }
                }
            }
        }
    }

    @Test func `F-06 a yearly event is found in microseconds, from any distance`() throws {
        let berlin = try GoldenZone.rules("Europe/Berlin")
        let schedules = try ["yearly", "Mon 02-29 00:00", "2199-12-31", "*-*~1 23:59:59", "0 0 13 * 5"].map { text in
            try Schedule(text)
        }
        let clock = ContinuousClock()
        var found: Int64 = 0
        let spent = clock.measure {
            for round in 0..<20_000 {
                let moment = Timestamp(seconds: Int64(round) * 200_000)
                for schedule in schedules { found &+= schedule.next(after: moment, in: berlin)?.seconds ?? 0 }
            }
        }
        let each = spent / (20_000 * schedules.count)
        print("next: \(each) each, sum \(found)")
        // Forty times what it takes in a debug build: only a search minute by minute is slower.
        #expect(each < .milliseconds(1))
    }
}
