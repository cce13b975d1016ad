/// Reads `[weekdays] [[years-]months-days] [[hours:]minutes[:seconds]] [zone]`, or a word and a zone.
///
/// The grammar of systemd.time(7), section "Calendar events", and what Proxmox VE (proxmox-time) adds to it: `*/15` in every
/// field, weekdays over Sunday (`sat..mon`), and a time without hours (`*/15`, `21`), which are minutes of every hour.
/// Left out: fractions of seconds, `@` with a moment. Asked for besides: years 1970 to 2199, as systemd has them.
struct CalendarEventParser {
    private let bytes: [UInt8]
    private var words: ArraySlice<Range<Int>>
    private(set) var event = CalendarEvent()
    private(set) var zoneName: String?

    init(_ bytes: [UInt8], _ words: [Range<Int>]) {
        self.bytes = bytes
        self.words = words[...]
    }

    mutating func parse() throws(ScheduleError) {
        try takeZone()
        if try takeWord() { return }
        try takeWeekdays()
        try takeDate()
        if let word = words.popFirst() { try time(word) } else { event.setMidnight() }
        guard let extra = words.first else { return }
        let scanner = ScheduleScanner(bytes, extra)
        throw scanner.problem(
            .unexpected,
            at: scanner.position,
            "\"\(scanner.rest)\" is one part too many",
            "write weekdays, date, time and zone in this order, each without spaces inside; cron has five fields"
        )
    }

    private func startsWithLetter(_ word: Range<Int>) -> Bool { bytes[word.lowerBound].isASCIILetter }

    // MARK: Zone

    private mutating func takeZone() throws(ScheduleError) {
        guard words.count > 1, let word = words.last, startsWithLetter(word) else { return }
        words.removeLast()
        var scanner = ScheduleScanner(bytes, word)
        let text = scanner.rest
        if Weekdays.number(scanner.letters()) != nil || CalendarEvent(word: text.lowercased()) != nil {
            throw ScheduleScanner(bytes, word).problem(
                .unexpected,
                at: word.lowerBound,
                "\"\(text)\" stands where only a time zone may",
                "write weekdays first, joined by commas without spaces, and words like daily alone"
            )
        }
        guard let name = ZoneName.checked(bytes[word]) else {
            throw ScheduleScanner(bytes, word).problem(
                .unexpected,
                at: word.lowerBound,
                "\"\(text)\" is no name of a time zone",
                "write one like Europe/Berlin or UTC"
            )
        }
        zoneName = name
    }

    // MARK: Words and weekdays

    private mutating func takeWord() throws(ScheduleError) -> Bool {
        guard let word = words.first, startsWithLetter(word) else { return false }
        let text = String(decoding: bytes[word], as: UTF8.self).lowercased()
        guard let known = CalendarEvent(word: text) else { return false }
        words.removeFirst()
        guard let extra = words.first else {
            event = known
            return true
        }
        let scanner = ScheduleScanner(bytes, extra)
        throw scanner.problem(
            .unexpected,
            at: extra.lowerBound,
            "\"\(scanner.rest)\" stands after \"\(text)\", which is a whole schedule",
            "write the event itself with another time: \(known)"
        )
    }

    private mutating func takeWeekdays() throws(ScheduleError) {
        guard let word = words.first, startsWithLetter(word) else { return }
        words.removeFirst()
        var scanner = ScheduleScanner(bytes, word)
        event.weekdays = Weekdays()
        repeat {
            let first = try weekday(&scanner)
            let isRange = scanner.take("..") || scanner.take("-")
            event.weekdays.insert(from: first, through: isRange ? try weekday(&scanner) : first)
            guard !scanner.isAtEnd else { return }
            guard scanner.take(",") else { throw scanner.expects("a comma", "join weekdays by , or ..") }
        } while !scanner.isAtEnd
    }

    private func weekday(_ scanner: inout ScheduleScanner) throws(ScheduleError) -> Int {
        let start = scanner
        let text = scanner.letters()
        if let weekday = Weekdays.number(text) { return weekday }
        let names = Weekdays.names.map { $0.lowercased() }.flatMap { [$0, String($0.prefix(3))] }
        let near = nearestWord(to: text, among: CalendarEvent.words + names)
        throw start.expects(
            "a weekday",
            near.map { "did you mean \"\($0)\"?" }
                ?? "write mon to sun, or a word: \(CalendarEvent.words.joined(separator: ", "))"
        )
    }

    // MARK: Date

    private mutating func takeDate() throws(ScheduleError) {
        guard let word = words.first, bytes[word].contains(where: { $0 == dash || $0 == tilde }) else { return }
        words.removeFirst()
        // The number of separators tells the units of what stands between them.
        let separators = word.filter { bytes[$0] == dash || bytes[$0] == tilde }
        let units: [CalendarUnit] = separators.count == 1 ? [.month] : [.year, .month]
        var scanner = ScheduleScanner(bytes, word)
        for (index, unit) in units.enumerated() {
            let field = try field(&scanner, unit)
            if unit == .year { event.years = field } else { event.months = field }
            let isLast = index == units.count - 1
            if isLast, scanner.take("~") {
                event.countsFromEnd = true
            } else if !scanner.take("-") {
                throw scanner.expects(
                    isLast ? "- or ~ and a day" : "- and a month",
                    "write a date like *-*-01 or 12-24"
                )
            }
        }
        event.days = try field(&scanner, event.countsFromEnd ? .dayFromEnd : .day)
        if event.days.isAll { event.countsFromEnd = false }
        guard scanner.isAtEnd else { throw scanner.expects("the end of the date", "put a space between date and time") }
    }

    // MARK: Time

    private mutating func time(_ word: Range<Int>) throws(ScheduleError) {
        var scanner = ScheduleScanner(bytes, word)
        guard bytes[word].contains(colon) else {
            // A list of minutes may hold anything but a colon, so what is wrong with it is told as of a time.
            event.minutes = try field(&scanner, .minute)
            guard scanner.isAtEnd else { throw scanner.expects("the end of the minutes", timeHint) }
            return
        }
        event.hours = try field(&scanner, .hour)
        guard scanner.take(":") else { throw scanner.expects("a colon", timeHint) }
        event.minutes = try field(&scanner, .minute)
        if scanner.take(":") {
            event.seconds = try field(&scanner, .second)
            // The seconds of systemd are never empty: every second is a step of one from 0, wherever it stands in a list.
            if event.seconds.spans.contains(CalendarSpan(.second, first: 0, step: 1)) { event.seconds = .all }
        }
        guard scanner.isAtEnd else {
            if scanner.peek == UInt8(ascii: ".") {
                throw scanner.problem(
                    .unsupported,
                    at: scanner.position,
                    "fractions of a second are not offered",
                    "write whole seconds"
                )
            }
            throw scanner.expects("the end of the time", timeHint)
        }
    }

    private let timeHint = "write a time like 02:30, 8..18:00 or *:0/15"

    // MARK: Lists

    /// `*`, `*/step`, or numbers, ranges and steps joined by commas.
    private func field(_ scanner: inout ScheduleScanner, _ unit: CalendarUnit) throws(ScheduleError) -> CalendarField {
        if scanner.take("*") {
            guard scanner.take("/") else { return .all }
            return try every(&scanner, unit)
        }
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
            spans.append(try span(&scanner, unit))
        } while scanner.take(",")
        return CalendarField(spans)
    }

    private func every(_ scanner: inout ScheduleScanner, _ unit: CalendarUnit) throws(ScheduleError) -> CalendarField {
        let start = scanner
        let step = try scanner.step(unit)
        switch unit {
        case .dayFromEnd:
            throw start.expects("a number", "write days from the end by their numbers, like *-*~1..7/2")
        case .year:
            // Proxmox VE counts years from 0, so that */4 are the leap years.
            let first = (unit.range.lowerBound + step - 1) / step * step
            guard step > 1 else { return .all }
            guard unit.range.contains(first) else {
                throw start.problem(
                    .outOfRange,
                    at: start.position,
                    "no year is a multiple of \(step)",
                    "years end with \(unit.range.upperBound)"
                )
            }
            return CalendarField([CalendarSpan(unit, first: first, step: step)])
        case .month, .day, .hour, .minute, .second, .cronWeekday:
            guard step > 1 else { return .all }
            return CalendarField([CalendarSpan(unit, first: unit.range.lowerBound, step: step)])
        }
    }

    private func span(_ scanner: inout ScheduleScanner, _ unit: CalendarUnit) throws(ScheduleError) -> CalendarSpan {
        let first = try scanner.number(unit)
        guard scanner.take("..") else {
            return CalendarSpan(unit, first: first, step: scanner.take("/") ? try scanner.step(unit) : 0)
        }
        let start = scanner.position
        let last = try scanner.number(unit)
        guard first <= last else {
            throw scanner.problem(
                .outOfRange,
                at: start,
                "the range \(first)..\(last) goes down",
                "write the two parts as a list: \(first)..\(unit.range.upperBound),\(unit.range.lowerBound)..\(last)"
            )
        }
        return CalendarSpan(unit, first: first, last: last, step: scanner.take("/") ? try scanner.step(unit) : 0)
    }
}

extension Weekdays {
    /// The number of a name, whole or of three letters, in small letters.
    static func number(_ name: String) -> Int? {
        names.firstIndex { $0.lowercased() == name || $0.lowercased().prefix(3) == name }
    }
}

/// The form of a time zone's name; whether there is such a zone, its table tells.
package enum ZoneName {
    /// The name as it is looked for below a zone table's folder, or nil when it has not the form of one.
    ///
    /// Letters, digits, `+`, `-`, `_` and single `/` inside, at most 64 bytes, a letter first: never a path that leads out of the folder.
    package static func checked(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.count <= 64, let first = bytes.first, first.isASCIILetter, bytes.last != slash else { return nil }
        var before: UInt8 = 0
        for byte in bytes {
            let isMark = [UInt8(ascii: "+"), dash, UInt8(ascii: "_"), slash].contains(byte)
            guard byte.isASCIILetter || byte.isASCIIDigit || isMark, byte != slash || before != slash else {
                return nil
            }
            before = byte
        }
        let name = String(decoding: bytes, as: UTF8.self)
        return name.uppercased() == "UTC" ? "UTC" : name
    }
}

private let dash = UInt8(ascii: "-")
private let tilde = UInt8(ascii: "~")
private let colon = UInt8(ascii: ":")
private let slash = UInt8(ascii: "/")
