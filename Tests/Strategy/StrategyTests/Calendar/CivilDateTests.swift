import Bytes
import Strategy
import Testing

@Suite struct CivilDateTests {
    @Test func `every date of 1600 to 2400 follows the one before it, and is found again by its count of days`() {
        var days = CivilDate(year: 1600, month: 1, day: 1).daysSinceEpoch
        #expect(days == -135_140)
        // 1600-01-01 was a Saturday.
        var weekday = 5
        for year in 1600...2400 {
            for month in 1...12 {
                for day in 1...CivilDate.daysInMonth(month, of: year) {
                    let date = CivilDate(year: year, month: month, day: day)
                    guard date.daysSinceEpoch == days, CivilDate(daysSinceEpoch: days) == date, date.weekday == weekday
                    else {
                        Issue.record(
                            "\(date) is \(date.daysSinceEpoch), weekday \(date.weekday), not \(days), \(weekday)"
                        )
                        return
                    }
                    days += 1
                    weekday = (weekday + 1) % 7
                }
            }
        }
    }

    @Test func `a local time is its date and its second of the day, before 1970 too`() {
        let time = local("2026-03-29 02:30:05")
        #expect(time.description == "2026-03-29 02:30:05")
        #expect(time.secondOfDay == 9005)
        #expect(LocalTime(seconds: -1).description == "1969-12-31 23:59:59")
        #expect(LocalTime(seconds: -86_401).date == CivilDate(year: 1969, month: 12, day: 30))
        #expect(LocalTime(seconds: 0).date.weekday == 3)
        #expect(LocalTime(seconds: -62_135_596_801).description == "0000-12-31 23:59:59")
    }
}
