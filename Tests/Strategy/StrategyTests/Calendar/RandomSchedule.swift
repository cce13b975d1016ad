import Bytes
import Strategy

/// A schedule drawn by lot: its text, and beside it what the text means, as plain sets that share no code with the reader.
struct RandomSchedule: Sendable {
    /// The numbers of a field; nil for every number.
    typealias Numbers = Set<Int>?

    var text = ""
    /// 0 for Monday.
    private var weekdays: Numbers = nil
    private var years: Numbers = nil
    private var months: Numbers = nil
    private var days: Numbers = nil
    private var daysFromEnd: Numbers = nil
    private var hours: Numbers = nil
    private var minutes: Numbers = nil
    private var seconds: Numbers = [0]
    private var eitherDay = false

    /// Whether that local time matches, looked at without haste.
    func matches(_ time: LocalTime) -> Bool {
        let second = time.secondOfDay
        guard seconds?.contains(second % 60) ?? true, minutes?.contains(second / 60 % 60) ?? true,
            hours?.contains(second / 3600) ?? true
        else { return false }
        let date = time.date
        guard years?.contains(date.year) ?? true, months?.contains(date.month) ?? true else { return false }
        let fromEnd = CivilDate.daysInMonth(date.month, of: date.year) + 1 - date.day
        let day = (days?.contains(date.day) ?? true) && (daysFromEnd?.contains(fromEnd) ?? true)
        let weekday = weekdays?.contains(date.weekday) ?? true
        return eitherDay ? day || weekday : day && weekday
    }

    // MARK: Calendar events

    /// `[weekdays] [date] [time]` with what systemd and Proxmox VE know.
    static func event(_ numbers: inout SeededNumbers, withSeconds: Bool = false) -> RandomSchedule {
        var made = RandomSchedule()
        var parts: [String] = []
        if numbers.chance(35) { parts.append(made.drawWeekdays(&numbers)) }
        if numbers.chance(45) { parts.append(made.drawDate(&numbers)) }
        if withSeconds || parts.isEmpty || numbers.chance(85) {
            let hours = list(0...23, star: 35, &numbers)
            let minutes = list(0...59, star: 15, &numbers)
            (made.hours, made.minutes) = (hours.set, minutes.set)
            var time = "\(hours.text):\(minutes.text)"
            if withSeconds {
                let seconds = list(0...59, star: 5, &numbers)
                made.seconds = seconds.set
                time += ":\(seconds.text)"
            } else if numbers.chance(10) {
                time += ":00"
            }
            parts.append(time)
        } else {
            (made.hours, made.minutes) = ([0], [0])
        }
        made.text = parts.joined(separator: numbers.chance(90) ? " " : "  ")
        return made
    }

    private mutating func drawWeekdays(_ numbers: inout SeededNumbers) -> String {
        let names = ["mon", "Tue", "wednesday", "Thu", "FRI", "sat", "Sunday"]
        var set: Set<Int> = []
        let texts = (0...Int.random(in: 0...2, using: &numbers)).map { _ in
            let first = Int.random(in: 0...6, using: &numbers)
            guard numbers.chance(40) else {
                set.insert(first)
                return names[first]
            }
            let last = Int.random(in: 0...6, using: &numbers)
            for step in 0...(last - first + 7) % 7 { set.insert((first + step) % 7) }
            return "\(names[first])..\(names[last])"
        }
        weekdays = set
        return texts.joined(separator: ",")
    }

    private mutating func drawDate(_ numbers: inout SeededNumbers) -> String {
        let months = RandomSchedule.list(1...12, star: 75, &numbers)
        let fromEnd = numbers.chance(25)
        self.months = months.set
        var text = months.text
        if fromEnd {
            let days = RandomSchedule.list(1...28, star: 0, downward: true, &numbers)
            daysFromEnd = days.set
            text += "~\(days.text)"
        } else {
            let days = RandomSchedule.list(1...31, star: 30, &numbers)
            self.days = days.set
            text += "-\(days.text)"
        }
        guard numbers.chance(40) else { return text }
        guard numbers.chance(20) else { return "*-\(text)" }
        let first = Int.random(in: 1990...2040, using: &numbers)
        years = Set(first...(first + 20))
        return "\(first)..\(first + 20)-\(text)"
    }

    // MARK: Cron

    /// Five fields.
    static func cron(_ numbers: inout SeededNumbers) -> RandomSchedule {
        var made = RandomSchedule()
        let minutes = cronList(0...59, star: 20, &numbers)
        let hours = cronList(0...23, star: 35, &numbers)
        let days = cronList(1...31, star: 55, &numbers)
        let months = cronList(1...12, star: 80, &numbers)
        let weekdays = cronList(0...7, star: 55, &numbers)
        (made.minutes, made.hours, made.days, made.months) = (minutes.set, hours.set, days.set, months.set)
        made.weekdays = weekdays.set.map { Set($0.map { ($0 + 6) % 7 }) }
        made.eitherDay = !days.text.hasPrefix("*") && !weekdays.text.hasPrefix("*")
        made.text = [minutes, hours, days, months, weekdays].map(\.text).joined(separator: " ")
        return made
    }

    // MARK: Lists

    /// A list of systemd's form, `*` in so many of a hundred cases.
    ///
    /// Downward steps count from the end of the month.
    private static func list(
        _ range: ClosedRange<Int>,
        star: Int,
        downward: Bool = false,
        _ numbers: inout SeededNumbers
    ) -> (text: String, set: Numbers) {
        if numbers.chance(star) {
            guard numbers.chance(30), !downward else { return ("*", nil) }
            let step = Int.random(in: 1...range.upperBound, using: &numbers)
            return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
        }
        var set: Set<Int> = []
        let texts = (0...Int.random(in: 0...2, using: &numbers)).map { _ in
            let first = Int.random(in: range, using: &numbers)
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0, 1:
                set.insert(first)
                return numbers.chance(50) ? "\(first)" : "0\(first)"
            case 2:
                let step = Int.random(in: 1...range.upperBound, using: &numbers)
                let end = downward ? range.lowerBound : range.upperBound
                set.formUnion(stride(from: first, through: end, by: downward ? -step : step))
                return "\(first)/\(step)"
            default:
                let last = Int.random(in: first...range.upperBound, using: &numbers)
                let step = numbers.chance(50) ? 1 : Int.random(in: 1...range.upperBound, using: &numbers)
                set.formUnion(stride(from: first, through: last, by: step))
                return "\(first)..\(last)" + (step > 1 ? "/\(step)" : "")
            }
        }
        return (texts.joined(separator: ","), set)
    }

    private static func cronList(
        _ range: ClosedRange<Int>,
        star: Int,
        _ numbers: inout SeededNumbers
    ) -> (text: String, set: Numbers) {
        if numbers.chance(star) {
            guard numbers.chance(30) else { return ("*", nil) }
            let step = Int.random(in: 1...range.upperBound, using: &numbers)
            return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
        }
        var set: Set<Int> = []
        let texts = (0...Int.random(in: 0...2, using: &numbers)).map { _ in
            let first = Int.random(in: range, using: &numbers)
            guard numbers.chance(40) else {
                set.insert(first)
                return "\(first)"
            }
            let last = Int.random(in: first...range.upperBound, using: &numbers)
            let step = numbers.chance(50) ? 1 : Int.random(in: 1...range.upperBound, using: &numbers)
            set.formUnion(stride(from: first, through: last, by: step))
            return "\(first)-\(last)" + (step > 1 ? "/\(step)" : "")
        }
        return (texts.joined(separator: ","), set)
    }
}
