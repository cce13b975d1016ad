import Strategy
import Testing

/// The column and the kind of a refusal; nil when the text is a schedule.
func refusal(_ text: String) -> ScheduleError? {
    do throws(ScheduleError) {
        _ = try Schedule(text)
        return nil
    } catch {
        return error
    }
}

@Suite struct ScheduleTextTests {
    /// systemd.time(7), "Examples for valid timestamps and their normalized form", without fractions, and with the one day that its
    /// example "Wed..Sat,Tue 12-10-15" lacks, a Monday; then what Proxmox VE adds.
    @Test(arguments: [
        ("Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"),
        ("Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00"),
        ("Wed *-1", "Wed *-*-01 00:00:00"),
        ("Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00"),
        ("Wed, 17:48", "Wed *-*-* 17:48:00"),
        ("Wed..Sat,Tue 12-10-16 1:2:3", "Tue..Sat 2012-10-16 01:02:03"),
        ("*-*-7 0:0:0", "*-*-07 00:00:00"),
        ("10-15", "*-10-15 00:00:00"),
        ("monday *-12-* 17:00", "Mon *-12-* 17:00:00"),
        ("Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45"),
        ("12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00"),
        ("12..14:10,20,30", "*-*-* 12..14:10,20,30:00"),
        ("mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45"),
        ("03-05 08:05:40", "*-03-05 08:05:40"),
        ("08:05:40", "*-*-* 08:05:40"),
        ("05:40", "*-*-* 05:40:00"),
        ("Sat,Sun 12-05 08:05:40", "Sat,Sun *-12-05 08:05:40"),
        ("Sat,Sun 08:05:40", "Sat,Sun *-*-* 08:05:40"),
        ("2003-03-05 05:40", "2003-03-05 05:40:00"),
        ("2003-02..04-05", "2003-02..04-05 00:00:00"),
        ("2003-03-05 05:40 UTC", "2003-03-05 05:40:00 UTC"),
        ("2003-03-05", "2003-03-05 00:00:00"),
        ("hourly", "*-*-* *:00:00"),
        ("daily", "*-*-* 00:00:00"),
        ("daily UTC", "*-*-* 00:00:00 UTC"),
        ("monthly", "*-*-01 00:00:00"),
        ("weekly", "Mon *-*-* 00:00:00"),
        ("weekly Pacific/Auckland", "Mon *-*-* 00:00:00 Pacific/Auckland"),
        ("yearly", "*-01-01 00:00:00"),
        ("annually", "*-01-01 00:00:00"),
        ("*:2/3", "*-*-* *:02/3:00"),
        ("minutely", "*-*-* *:*:00"),
        ("quarterly", "*-01,04,07,10-01 00:00:00"),
        ("semiannually", "*-01,07-01 00:00:00"),
        ("Semi-Annually", "*-01,07-01 00:00:00"),
        ("bi-annually", "*-01,07-01 00:00:00"),
        ("*-*-* *:*:*", "*-*-* *:*:*"),
        ("*-02~03", "*-02~03 00:00:00"),
        ("Mon *-05~07/1", "Mon *-05~07/1 00:00:00"),
        ("02~01", "*-02~01 00:00:00"),
        ("*-02~*", "*-02-* 00:00:00"),
        ("*-*~1..6/2", "*-*~01..05/2 00:00:00"),
        ("70..72-1-1", "1970..1972-01-01 00:00:00"),
        ("22:00..23:00/10", "*-*-* 22:00..23:00/10"),
        ("*:*:0/1,30", "*-*-* *:*:*"),
        ("5..10/10:0..59", "*-*-* 05:00..59:00"),
        ("mon-fri 2:00", "Mon..Fri *-*-* 02:00:00"),
        // Proxmox VE.
        ("02:00", "*-*-* 02:00:00"),
        ("2:30", "*-*-* 02:30:00"),
        ("mon..fri 02:30", "Mon..Fri *-*-* 02:30:00"),
        ("sat,sun 3:00", "Sat,Sun *-*-* 03:00:00"),
        ("*-*-01 03:00", "*-*-01 03:00:00"),
        ("sat *-1..7 15:00", "Sat *-*-01..07 15:00:00"),
        ("*/2:00", "*-*-* 00/2:00:00"),
        ("*:0/15", "*-*-* *:00/15:00"),
        ("*/15", "*-*-* *:00/15:00"),
        ("*/1:*/1:*/1", "*-*-* *:*:*"),
        ("21", "*-*-* *:21:00"),
        ("*", "*-*-* *:*:00"),
        ("mon 30", "Mon *-*-* *:30:00"),
        ("8..17,22:0/15", "*-*-* 08..17,22:00/15:00"),
        ("fri..mon 12:05", "Mon,Fri..Sun *-*-* 12:05:00"),
        ("mon..sun 12:05", "*-*-* 12:05:00"),
        ("*/4-02-29", "1972/4-02-29 00:00:00"),
        ("*-*/3-*/10", "*-01/3-01/10 00:00:00"),
        ("*/12-01 20/8:50/20", "*-01-01 20:50:00"),
        ("4..10/2:0", "*-*-* 04..10/2:00:00"),
        ("2020,2021-12-31", "2020,2021-12-31 00:00:00"),
        ("  02:00 \t europe/berlin ", "*-*-* 02:00:00 europe/berlin"),
        ("2:00 utc", "*-*-* 02:00:00 UTC"),
        ("mon *-*-* 2:00 Etc/GMT+5", "Mon *-*-* 02:00:00 Etc/GMT+5"),
    ])
    func `a calendar event is read, and written in systemd's normalised form`(_ text: String, canonical: String) throws
    {
        let schedule = try Schedule(text)
        #expect(schedule.description == canonical)
        #expect(schedule.text == text)
        #expect(try Schedule(canonical).description == canonical)
    }

    @Test func `the zone of a text is a name for the caller to resolve`() throws {
        #expect(try Schedule("02:00").zoneName == nil)
        #expect(try Schedule("02:00 utc").zoneName == "UTC")
        #expect(try Schedule("daily America/Argentina/Buenos_Aires").zoneName == "America/Argentina/Buenos_Aires")
        #expect(try Schedule("mon Etc/GMT-14").zoneName == "Etc/GMT-14")
        #expect(try Schedule("@daily").zoneName == nil)
    }

    @Test(arguments: [
        ("", 1, ScheduleError.Kind.unexpected, "empty"),
        ("   ", 1, .unexpected, "empty"),
        ("25:00", 1, .outOfRange, "25 is no hour; write 0 to 23"),
        ("24:00", 1, .outOfRange, "24 is no hour"),
        ("02:60", 4, .outOfRange, "60 is no minute; write 0 to 59"),
        ("02:00:60", 7, .outOfRange, "60 is no second"),
        ("mon 02:00:00.5", 13, .unsupported, "fractions of a second"),
        ("*:*:0/0.5", 7, .outOfRange, "0 is no step of seconds"),
        ("2026", 1, .outOfRange, "2026 is no minute"),
        ("99999999999999999999:00", 1, .outOfRange, "is no hour"),
        ("02:", 4, .unexpected, "a minute is missing"),
        ("02:0x", 5, .unexpected, "\"x\" stands where the end of the time"),
        (":30", 1, .unexpected, "an hour"),
        ("2;30", 2, .unexpected, "\";30\" stands where the end of the minutes should; write a time like 02:30"),
        ("*,5:00", 2, .unexpected, "a colon"),
        ("*/0:00", 3, .outOfRange, "0 is no step of hours; write 1 to 23"),
        ("*-*-1/40", 7, .outOfRange, "40 is no step of days"),
        ("22..4:00", 5, .outOfRange, "the range 22..4 goes down; write the two parts as a list: 22..23,0..4"),
        ("1..:00", 4, .unexpected, "an hour"),
        ("02:00,", 7, .unexpected, "a minute is missing"),
        ("13-01", 1, .outOfRange, "13 is no month; write 1 to 12"),
        ("*-*-32", 5, .outOfRange, "32 is no day"),
        ("*-*-0", 5, .outOfRange, "0 is no day"),
        ("*-*~29", 5, .outOfRange, "29 is no day from the end; write 1 to 28"),
        ("*-*~*/2", 7, .unexpected, "a number"),
        ("*~*-01", 2, .unexpected, "- and a month"),
        ("*-*-*-*", 6, .unexpected, "the end of the date"),
        ("1969-01-01", 1, .outOfRange, "1969 is no year; write 1970 to 2199"),
        ("2200-01-01", 1, .outOfRange, "2200 is no year"),
        ("*/1500-01-01", 3, .outOfRange, "no year is a multiple of 1500"),
        ("*-02-30", 1, .never, "*-02-30 00:00:00"),
        ("02-30 12:00", 1, .never, "look at its day and month"),
        ("*-4,6,9,11-31", 1, .never, "no date"),
        ("2021-02-29", 1, .never, "no date"),
        (" Mon 2026-01-01", 2, .never, "no date"),
        ("2100-02-29", 1, .never, "no date"),
        ("Wed..Sat,Tue 12-10-15 1:2:3", 1, .never, "Tue..Sat 2012-10-15 01:02:03"),
        ("mo 02:00", 1, .unexpected, "a weekday"),
        ("dayly", 1, .unexpected, "did you mean \"daily\"?"),
        ("mon,tues 02:00", 5, .unexpected, "did you mean \"tue\"?"),
        ("mon.fri 02:00", 4, .unexpected, "a comma"),
        ("mon,,fri", 5, .unexpected, "a weekday"),
        ("mon..", 6, .unexpected, "a weekday is missing"),
        ("mon, tue", 6, .unexpected, "stands where only a time zone may"),
        ("02:00 daily", 7, .unexpected, "stands where only a time zone may"),
        ("daily 02:00", 7, .unexpected, "stands after \"daily\", which is a whole schedule"),
        ("02:00 *-*-01", 7, .unexpected, "one part too many"),
        ("0 2 * *", 3, .unexpected, "cron has five fields"),
        ("02:00 Europe//Berlin", 7, .unexpected, "no name of a time zone"),
        ("02:00 Europe/../etc", 7, .unexpected, "no name of a time zone"),
        ("02:00 Europe/", 7, .unexpected, "no name of a time zone"),
        ("02:00 +02:00", 7, .unexpected, "one part too many"),
        ("2026-01-01T02:00", 11, .unexpected, "put a space between date and time"),
        ("02:00 é", 7, .unexpected, "\"??\""),
        ("mon tue wed thu fri", 17, .unexpected, "time zone"),
        ("tomorrow", 1, .unexpected, "a weekday"),
    ])
    func `what is no calendar event is refused at its column, with what is expected`(
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

    @Test func `long lists and long texts are refused`() {
        let list = (0..<60).map(String.init).joined(separator: ",")
        #expect(refusal("*:\(list)") == nil)
        #expect(refusal("\(list) * * * *") == nil)
        let longer = refusal("*:\(list),0,1,2,3,4")
        #expect(longer?.kind == .tooLong)
        #expect(longer?.column == 2 + list.utf8.count + 10)
        #expect(refusal("\(list),0,1,2,3,4 * * * *")?.kind == .tooLong)
        let text = "*:" + String(repeating: "0,", count: 300) + "0"
        #expect(refusal(text)?.column == 513)
        #expect(refusal(text)?.kind == .tooLong)
    }

    @Test func `20,000 damaged texts neither trap nor are read otherwise than their own normal form`() {
        print("seed \(testSeed): TEST_SEED repeats it")
        var numbers = SeededNumbers(testSeed)
        let letters = Array("0123456789*/,.-~: monfriMonUTC@daily?#\t".utf8)
        var read = 0
        for round in 0..<20_000 {
            let kind = numbers.chance(30) ? RandomSchedule.cron(&numbers) : RandomSchedule.event(&numbers)
            var bytes = Array(kind.text.utf8)
            for _ in 0..<Int.random(in: 0...3, using: &numbers) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                switch Int.random(in: 0..<3, using: &numbers) {
                case 0:
                    bytes[place] =
                        numbers.chance(90) ? numbers.pick(letters) : UInt8.random(in: 0...255, using: &numbers)
                case 1: bytes.removeLast(bytes.count - place)
                default: bytes.insert(numbers.pick(letters), at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let schedule = try? Schedule(text) else {
                let column = refusal(text)?.column ?? 0
                if !(1...(text.utf8.count + 1)).contains(column) { Issue.record("\"\(text)\": column \(column)") }
                continue
            }
            read += 1
            guard !schedule.description.contains(" or ") else { continue }
            if refusal(schedule.description) != nil
                || (try? Schedule(schedule.description))?.description != schedule.description
            {
                Issue.record("\(text) became \(schedule), seed \(testSeed), round \(round)")
                return
            }
        }
        print("\(read) of 20,000 damaged texts are still schedules")
        #expect(read > 4000)
    }
}
