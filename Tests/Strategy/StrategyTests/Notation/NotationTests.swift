import Testing

import Strategy

@Suite struct NotationTests {
    @Test(arguments: [
        ("4h", 14_400), ("90min", 5400), ("90 m", 5400), ("1d 12h", 129_600), ("1d12h", 129_600), ("1.5 days", 129_600),
        ("2 weeks", 1_209_600), ("45 seconds", 45), ("0.5h", 1800), ("  7d  ", 604_800),
    ])
    func `lengths of time as people write them`(text: String, seconds: Int64) throws {
        let length = try readLength(text)
        #expect(length == .seconds(seconds))
        #expect(try readLength(lengthText(length)) == length)
    }

    @Test(arguments: [
        ("", "is no length"), ("h", "is no length"), ("4", "has no unit"), ("0h", "no time at all"),
        ("-4h", "is no length"),
        ("1h 1h", "out of order"), ("1h 1d", "out of order"), ("3 months", "months and years have no fixed length"),
        ("100000 weeks", "longer than a hundred years"), ("99999999999999999999h", "is no length"), ("1,5h", "no unit"),
        ("1e3h", "is no unit"), ("1..5h", "is no length"), ("PT4H", "is no length"), ("0.1234h", "is no length"),
    ])
    func `P-02 what is no length of time is refused in words`(text: String, words: String) {
        #expect {
            try readLength(text)
        } throws: { error in
            let error = error as? NotationError
            return error.map { "\($0.what); \($0.next)".contains(words) && !$0.next.isEmpty } ?? false
        }
    }

    @Test(arguments: [
        ("0", 0), ("500 MB", 500_000_000), ("16MiB", 16 << 20), ("16M", 16 << 20), ("1.5 TiB", 3 << 39), ("1 kB", 1000),
        ("12 B", 12), ("8191 PiB", 8191 << 50),
    ])
    func `sizes as people write them`(text: String, bytes: UInt64) throws {
        #expect(try readSize(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "16 XB", "-1", "1e9", "16 MiB extra", "9000 PiB", "16 MiB/s"])
    func `P-02 what is no size is refused`(text: String) {
        #expect(throws: NotationError.self) { try readSize(text) }
    }

    @Test(arguments: [
        ("20 MiB/s", 20 << 20), ("2.5 MB/s", 2_500_000), ("100 Mbit/s", 12_500_000), ("1 Gbit/s", 125_000_000),
        ("800 B/s", 800),
    ])
    func `rates as people write them`(text: String, bytes: UInt64) throws {
        #expect(try readRate(text) == bytes)
    }

    @Test(arguments: ["", "20 MiB", "20/s", "0 MiB/s", "1 bit/s", "20 MiB/min", "99999999999999 PiB/s"])
    func `P-02 what is no rate is refused`(text: String) {
        #expect(throws: NotationError.self) { try readRate(text) }
    }

    @Test(arguments: [
        ("14d", KeepDuration(days: 14)), ("1y6m", KeepDuration(years: 1, months: 6)),
        ("1y2m3d4h", KeepDuration(years: 1, months: 2, days: 3, hours: 4)),
    ])
    func `spans of the calendar as restic writes them`(text: String, span: KeepDuration) throws {
        #expect(try readCalendarSpan(text) == span)
        #expect(span.text == text)
    }

    @Test(arguments: ["", "d", "14", "0d", "6m1y", "1d1d", "-1d", "99999d", "1w", "14d "])
    func `P-02 what is no span of the calendar is refused`(text: String) {
        #expect(throws: NotationError.self) { try readCalendarSpan(text) }
    }

    @Test func `a rate is told so that it reads again as the same`() throws {
        for (rate, text) in [
            (20 << 20, "20 MiB/s"), (1_500_000, "1500 kB/s"), (1234, "1234 B/s"), (1 << 30, "1 GiB/s"),
        ] {
            #expect(rateText(UInt64(rate)) == text)
            #expect(try readRate(text) == UInt64(rate))
        }
    }

    @Test func `an age is told in the unit that a person thinks in`() {
        let ages: [(Int64, String)] = [
            (-1, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_799, "47 h"),
            (172_800, "2 days"),
        ]
        for (seconds, text) in ages { #expect(ageText(.seconds(seconds)) == text) }
    }

    @Test func `a rate by the time of the day counts from each time on, over midnight too`() throws {
        let timetable = try RateTimetable("23:00 unlimited, 8:00 2 MiB/s,18:30 160 kbit/s")
        #expect(timetable.text == "08:00 2 MiB/s, 18:30 20 kB/s, 23:00 unlimited")
        #expect(try RateTimetable(timetable.text) == timetable)
        func rate(_ hour: Int, _ minute: Int, _ second: Int = 0) -> UInt64? {
            timetable.bytesPerSecond(atSecond: hour * 3600 + minute * 60 + second)
        }
        #expect(rate(0, 0) == nil)
        #expect(rate(7, 59, 59) == nil)
        #expect(rate(8, 0) == 2 << 20)
        #expect(rate(18, 29, 59) == 2 << 20)
        #expect(rate(18, 30) == 20_000)
        #expect(rate(23, 0) == nil)
        let whole = try RateTimetable("20 MiB/s")
        #expect(whole == RateTimetable(20 << 20))
        #expect(whole.text == "20 MiB/s")
        #expect(whole.bytesPerSecond(atSecond: 86_399) == 20 << 20)
        let one = try RateTimetable("08:00 2 MiB/s")
        #expect(one.bytesPerSecond(atSecond: 0) == 2 << 20)
    }

    @Test(
        arguments: [
            "08:00 2 MiB/s, 08:00 4 MiB/s", "08:00 unlimited, 23:00 unlimited", "24:00 2 MiB/s", "08:60 2 MiB/s",
            "08:00", "8 2 MiB/s, 9:00 unlimited", "08:00 2 MiB/s,", "08:00 2 MiB", "unlimited", "08:00 0 B/s", "",
            "08:0 2 MiB/s", "٨:00 2 MiB/s", "08:00 unlimited 2 MiB/s", "2 MiB/s, 08:00 unlimited",
        ]
    )
    func `a timetable that says nothing, or twice, is refused`(text: String) {
        #expect(throws: NotationError.self) { try RateTimetable(text) }
    }
}
