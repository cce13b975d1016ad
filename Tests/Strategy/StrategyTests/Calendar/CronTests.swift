import Bytes
import Strategy
import Testing

@Suite struct CronTests {
    @Test(arguments: [
        ("30 2 * * *", "*-*-* 02:30:00"),
        ("*/15 * * * *", "*-*-* *:00/15:00"),
        ("0 22-23 * * 1-5", "Mon..Fri *-*-* 22..23:00:00"),
        ("5,35 8-18/2 * * *", "*-*-* 08..18/2:05,35:00"),
        ("0 4 1 jan,JUL *", "*-01,07-01 04:00:00"),
        ("0 4 * feb-apr *", "*-02..04-* 04:00:00"),
        ("0 4 * * 0", "Sun *-*-* 04:00:00"),
        ("0 4 * * 7", "Sun *-*-* 04:00:00"),
        ("0 4 * * sun", "Sun *-*-* 04:00:00"),
        ("0 4 * * 5-7", "Fri..Sun *-*-* 04:00:00"),
        ("0 4 * * mon-wed,fri", "Mon..Wed,Fri *-*-* 04:00:00"),
        ("0 4 * * */2", "Tue,Thu,Sat,Sun *-*-* 04:00:00"),
        ("0 4 * * */7", "Sun *-*-* 04:00:00"),
        ("0 4 * * 0-7", "*-*-* 04:00:00"),
        ("* * * * *", "*-*-* *:*:00"),
        ("*/1 *,3 */31 */12 0-6/1", "*-01-01 *:*:00"),
        ("0 0 13 * 5", "*-*-13 00:00:00 or Fri *-*-* 00:00:00"),
        ("0 0 1-31 * 5", "*-*-* 00:00:00"),
        ("0 0 13 * 0-6", "*-*-* 00:00:00"),
        ("0 0 */2 * 5", "Fri *-*-01/2 00:00:00"),
        ("0 0 13 * */3", "Wed,Sat,Sun *-*-13 00:00:00"),
        ("0 0 30 2 1", "*-02-30 00:00:00 or Mon *-02-* 00:00:00"),
        ("\t0  3 * * 6 ", "Sat *-*-* 03:00:00"),
        ("@hourly", "*-*-* *:00:00"),
        ("@daily", "*-*-* 00:00:00"),
        ("@midnight", "*-*-* 00:00:00"),
        ("@weekly", "Sun *-*-* 00:00:00"),
        ("@Monthly", "*-*-01 00:00:00"),
        ("@yearly", "*-01-01 00:00:00"),
        ("@annually", "*-01-01 00:00:00"),
    ])
    func `five fields of cron are read, and written as the calendar events they are`(_ text: String, canonical: String)
        throws
    {
        let schedule = try Schedule(text)
        #expect(schedule.description == canonical)
        #expect(schedule.text == text)
        #expect(schedule.zoneName == nil)
    }

    @Test(arguments: [
        ("60 2 * * *", 1, ScheduleError.Kind.outOfRange, "60 is no minute"),
        ("0 24 * * *", 3, .outOfRange, "24 is no hour"),
        ("0 0 32 * *", 5, .outOfRange, "32 is no day"),
        ("0 0 1 13 *", 7, .outOfRange, "13 is no month"),
        ("0 0 * * 8", 9, .outOfRange, "8 is no weekday; write 0 to 7"),
        ("0 0 * * */0", 11, .outOfRange, "0 is no step of weekdays"),
        ("0 0 * foo *", 7, .unexpected, "write jan, feb"),
        ("0 0 * * monday", 9, .unexpected, "write sun, mon"),
        ("0 0 1 * mon-tuesday", 13, .unexpected, "a weekday"),
        ("5/10 * * * *", 2, .unexpected, "cron steps through * or a range: 5-59"),
        ("0 22-4 * * *", 6, .outOfRange, "write the two parts as a list: 22-23,0-4"),
        ("0 0 * * fri-sun", 13, .outOfRange, "write 5-7"),
        ("0 0 * * sat-mon", 13, .outOfRange, "goes down"),
        ("0 0 L * *", 5, .unexpected, "a day"),
        ("0 0 * * 5#2", 10, .unexpected, "the end of the weekdays"),
        ("0 0 ? * *", 5, .unexpected, "a day"),
        ("0..5 * * * *", 2, .unexpected, "the end of the minutes"),
        ("0 0 30 2 *", 1, .never, "no date"),
        ("0 2 * * * /usr/bin/backup", 11, .unexpected, "no command"),
        ("0 0 0 2 * *", 11, .unexpected, "no command"),
        ("@reboot", 1, .unsupported, "@reboot is an event, not a time"),
        ("@dayly", 1, .unexpected, "write @hourly"),
        ("@", 1, .unexpected, "write @hourly"),
        ("@1700000000", 1, .unexpected, "write @hourly"),
        ("@daily 02:00", 8, .unexpected, "write the word alone"),
    ])
    func `what is no cron schedule is refused at its column, with what is expected`(
        _ text: String,
        column: Int,
        kind: ScheduleError.Kind,
        words: String
    ) throws {
        let error = try #require(refusal(text), "\(text) is read")
        #expect(error.column == column, "\(error)")
        #expect(error.kind == kind, "\(error)")
        #expect(error.description.contains(words), "\(error)")
    }

    @Test func `with days of both kinds one is enough, and with a star in one of them both have to match`() throws {
        func days(_ text: String) throws -> [Int] {
            try Schedule(text).occurrences(from: utc("2026-02-01"), to: utc("2026-03-01"), in: .utc).map {
                LocalTime(utc: $0).date.day
            }
        }
        // February 2026 begins with a Sunday.
        #expect(try days("0 0 13 * 5") == [6, 13, 20, 27])
        #expect(try days("0 0 10 * 5") == [6, 10, 13, 20, 27])
        #expect(try days("0 0 */10 * 5") == [])
        #expect(try days("0 0 */9 * 0") == [1])
        #expect(try days("0 0 10-12 * *") == [10, 11, 12])
        #expect(try days("0 0 * * 0") == [1, 8, 15, 22])
    }
}
