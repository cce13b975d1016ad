/// Reads the five fields of crontab(5): minute, hour, day of month, month, day of week; or a word such as `@daily`.
///
/// Vixie cron's rules: `*`, `a`, `a-b`, each range or `*` with `/step`, joined by commas; months and weekdays also by three letters;
/// 0 and 7 are Sunday. When neither of the two day fields starts with `*`, a date has to match only one of them; otherwise both, and
/// `*/2` counts as starting with `*`. Not here: a command after the fields, seconds, `@reboot`, and signs of other crons (`L`, `W`, `#`, `?`).
struct CronParser {
    private let bytes: [UInt8]
    private let words: [Range<Int>]

    init(_ bytes: [UInt8], _ words: [Range<Int>]) {
        self.bytes = bytes
        self.words = words
    }

    func parse() throws(ScheduleError) -> CalendarEvent {
        if bytes[words[0].lowerBound] == UInt8(ascii: "@") { return try word() }
        if words.count > 5 {
            let scanner = ScheduleScanner(bytes, words[5])
            throw scanner.problem(
                .unexpected,
                at: scanner.position,
                "\"\(scanner.rest)\" stands after the five fields of cron",
                "write minute, hour, day of month, month, day of week, and no command"
            )
        }
        var event = CalendarEvent()
        event.minutes = try field(words[0], .minute)
        event.hours = try field(words[1], .hour)
        event.days = try field(words[2], .day)
        event.months = try field(words[3], .month, names: CronParser.months, firstName: 1)
        let weekdays = try field(words[4], .cronWeekday, names: CronParser.weekdays, firstName: 0)
        if !weekdays.isAll {
            event.weekdays = Weekdays()
            for number in weekdays.values(.cronWeekday) { event.weekdays.insert((number + 6) % 7) }
        }
        if !startsWithStar(words[2]), !startsWithStar(words[4]) { setEither(&event) }
        return event
    }

    /// One of two is enough: where one of them holds every day, all days match.
    private func setEither(_ event: inout CalendarEvent) {
        if event.weekdays == .all || Set(event.days.values(.day)).count == 31 {
            (event.weekdays, event.days) = (.all, .all)
        } else {
            event.dayRule = .either
        }
    }

    private func startsWithStar(_ word: Range<Int>) -> Bool { bytes[word.lowerBound] == UInt8(ascii: "*") }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    // MARK: Words

    private func word() throws(ScheduleError) -> CalendarEvent {
        if words.count > 1 {
            let scanner = ScheduleScanner(bytes, words[1])
            throw scanner.expects("the end", "write the word alone")
        }
        var scanner = ScheduleScanner(bytes, words[0])
        let start = scanner
        _ = scanner.take("@")
        let text = scanner.letters()
        guard scanner.isAtEnd else { throw start.expects("a word of cron", offeredWords) }
        switch text {
        case "hourly", "daily", "monthly", "yearly", "annually": break
        case "midnight": return try event("daily")
        case "weekly":
            // Cron's week starts with Sunday, systemd's with Monday.
            var weekly = try event("weekly")
            weekly.weekdays = Weekdays(bits: 1 << 6)
            return weekly
        case "reboot":
            throw start.problem(
                .unsupported,
                at: start.position,
                "@reboot is an event, not a time",
                "write when it is due, like @daily"
            )
        default: throw start.expects("a word of cron", offeredWords)
        }
        return try event(text)
    }

    private func event(_ word: String) throws(ScheduleError) -> CalendarEvent {
        guard let event = CalendarEvent(word: word) else { preconditionFailure("\(word) is a word of systemd too") }
        return event
    }

    private let offeredWords = "write @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually"

    // MARK: Fields

    private func field(
        _ word: Range<Int>,
        _ unit: CalendarUnit,
        names: [String] = [],
        firstName: Int = 0
    ) throws(ScheduleError) -> CalendarField {
        var scanner = ScheduleScanner(bytes, word)
        var spans: [CalendarSpan] = []
        repeat {
            guard spans.count < StrategyLimits.scheduleListEntries else {
                throw scanner.problem(
                    .tooLong,
                    at: scanner.position,
                    "the list has more than \(StrategyLimits.scheduleListEntries) entries",
                    "use a range with a step"
                )
            }
            if scanner.take("*") {
                let step = scanner.take("/") ? try scanner.step(unit) : 1
                spans.append(CalendarSpan(unit, first: unit.range.lowerBound, step: step))
            } else {
                spans.append(try span(&scanner, unit, names, firstName))
            }
        } while scanner.take(",")
        guard scanner.isAtEnd else {
            throw scanner.expects(
                "the end of the \(unit.name)s",
                "write lists, ranges and steps: 5, 1,15, 8-18, */2, 8-18/2"
            )
        }
        // Every number by a step of one is written as `*`.
        let isAll = spans.contains { $0.first == unit.range.lowerBound && $0.last == nil && $0.step == 1 }
        return isAll ? .all : CalendarField(spans)
    }

    private func span(
        _ scanner: inout ScheduleScanner,
        _ unit: CalendarUnit,
        _ names: [String],
        _ firstName: Int
    ) throws(ScheduleError) -> CalendarSpan {
        let first = try value(&scanner, unit, names, firstName)
        guard scanner.take("-") else {
            guard scanner.peek != UInt8(ascii: "/") else {
                throw scanner.expects("a range", "cron steps through * or a range: \(first)-\(unit.range.upperBound)/…")
            }
            return CalendarSpan(unit, first: first)
        }
        let start = scanner.position
        let last = try value(&scanner, unit, names, firstName)
        guard first <= last else {
            throw scanner.problem(
                .outOfRange,
                at: start,
                "the range \(first)-\(last) goes down",
                unit == .cronWeekday
                    ? "7 is Sunday too: write \(first)-7\(last > 0 ? ",1-\(last)" : "")"
                    : "write the two parts as a list: \(first)-\(unit.range.upperBound),\(unit.range.lowerBound)-\(last)"
            )
        }
        return CalendarSpan(unit, first: first, last: last, step: scanner.take("/") ? try scanner.step(unit) : 0)
    }

    private func value(
        _ scanner: inout ScheduleScanner,
        _ unit: CalendarUnit,
        _ names: [String],
        _ firstName: Int
    ) throws(ScheduleError) -> Int {
        guard !names.isEmpty, scanner.peek?.isASCIILetter == true else { return try scanner.number(unit) }
        let start = scanner
        guard let index = names.firstIndex(of: scanner.letters()) else {
            throw start.expects("a \(unit.name)", "write \(names.joined(separator: ", "))")
        }
        return firstName + index
    }
}
