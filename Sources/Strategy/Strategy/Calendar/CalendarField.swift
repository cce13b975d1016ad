/// The parts of a date and time that a schedule names by number.
enum CalendarUnit: Sendable, Hashable {
    case year
    case month
    case day
    /// 1 is the last day of the month.
    case dayFromEnd
    case hour
    case minute
    case second
    /// Cron's: 0 and 7 are Sunday.
    case cronWeekday

    /// The numbers that may be written; as systemd has them.
    var range: ClosedRange<Int> {
        switch self {
        case .year: 1970...2199
        case .month: 1...12
        case .day: 1...31
        case .dayFromEnd: 1...28
        case .hour: 0...23
        case .minute, .second: 0...59
        case .cronWeekday: 0...7
        }
    }

    /// The word for messages.
    var name: String {
        switch self {
        case .year: "year"
        case .month: "month"
        case .day: "day"
        case .dayFromEnd: "day from the end"
        case .hour: "hour"
        case .minute: "minute"
        case .second: "second"
        case .cronWeekday: "weekday"
        }
    }

    /// The name with its article.
    var one: String { self == .hour ? "an hour" : "a \(name)" }
}

/// One entry of a list: `5`, `1..7`, `0/15` or `8..18/2`, brought to its shortest form.
struct CalendarSpan: Sendable, Hashable, Comparable {
    var first: Int
    /// The last number of a range; nil when there is none.
    var last: Int?
    /// 0 for a single number; 1 or more between the numbers of a range, or from `first` as far as the unit goes.
    var step: Int

    /// Ranges end on a number they hit, and a step that leads nowhere is dropped, as systemd does it.
    init(_ unit: CalendarUnit, first: Int, last: Int? = nil, step: Int = 0) {
        self.first = first
        self.last = last
        self.step = step
        if let last {
            self.step = max(step, 1)
            let hit = last - (last - first) % self.step
            self.last = hit == first ? nil : hit
            if hit == first { self.step = 0 }
        } else if unit == .dayFromEnd ? first - step < unit.range.lowerBound : first + step > unit.range.upperBound {
            self.step = 0
        }
    }

    func values(_ unit: CalendarUnit) -> [Int] {
        if let last { return Array(stride(from: first, through: last, by: step)) }
        guard step > 0 else { return [first] }
        let end = unit == .dayFromEnd ? unit.range.lowerBound : unit.range.upperBound
        return Array(stride(from: first, through: end, by: unit == .dayFromEnd ? -step : step))
    }

    func text(digits: Int) -> String {
        var text = padded(first, digits)
        if let last { text += "..\(padded(last, digits))" }
        if step > 1 || step == 1 && last == nil { text += "/\(step)" }
        return text
    }

    static func < (left: CalendarSpan, right: CalendarSpan) -> Bool {
        (left.first, left.last ?? -1, left.step) < (right.first, right.last ?? -1, right.step)
    }
}

/// A list of numbers of one unit, sorted and without repetition; empty for `*`, every number.
struct CalendarField: Sendable, Hashable {
    static let all = CalendarField([])

    let spans: [CalendarSpan]

    init(_ spans: [CalendarSpan]) {
        var kept: [CalendarSpan] = []
        for span in spans.sorted() where kept.last != span { kept.append(span) }
        self.spans = kept
    }

    /// The list of those numbers.
    init(_ unit: CalendarUnit, _ numbers: Int...) {
        self.init(numbers.map { CalendarSpan(unit, first: $0) })
    }

    var isAll: Bool { spans.isEmpty }

    func text(digits: Int) -> String {
        isAll ? "*" : spans.map { $0.text(digits: digits) }.joined(separator: ",")
    }

    func values(_ unit: CalendarUnit) -> [Int] {
        isAll ? Array(unit.range) : spans.flatMap { $0.values(unit) }
    }
}

/// The days of the week, by bits: 0 for Monday to 6 for Sunday.
struct Weekdays: Sendable, Hashable {
    static let all = Weekdays(bits: 0b111_1111)
    static let names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    var bits: UInt64 = 0

    mutating func insert(_ weekday: Int) { bits |= 1 << UInt64(weekday) }

    /// From one day to another, over Sunday if it must be.
    mutating func insert(from first: Int, through last: Int) {
        var weekday = first
        insert(weekday)
        while weekday != last {
            weekday = (weekday + 1) % 7
            insert(weekday)
        }
    }

    func contains(_ weekday: Int) -> Bool { bits >> UInt64(weekday) & 1 == 1 }

    /// `Mon..Thu,Sat,Sun`.
    var text: String {
        var runs: [String] = []
        var weekday = 0
        while weekday < 7 {
            guard contains(weekday) else {
                weekday += 1
                continue
            }
            let first = weekday
            while weekday < 7, contains(weekday) { weekday += 1 }
            let names = Weekdays.names[first..<weekday].map { $0.prefix(3) }
            runs.append(names.count > 2 ? "\(names[0])..\(names[names.count - 1])" : names.joined(separator: ","))
        }
        return runs.joined(separator: ",")
    }
}
