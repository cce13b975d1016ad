/// A calendar event as systemd.time(7) means it, and cron's days beside: which local times match.
struct CalendarEvent: Sendable, Hashable, CustomStringConvertible {
    /// How weekdays and the days of the month go together.
    enum DayRule: Sendable, Hashable {
        /// A date has to match both: systemd, Proxmox VE, and cron when one of its two fields starts with `*`.
        case both
        /// A date has to match one of them: cron when both fields name days.
        case either
    }

    var weekdays = Weekdays.all
    var years = CalendarField.all
    var months = CalendarField.all
    var days = CalendarField.all
    /// Days count from the end of the month: `~` before them.
    var countsFromEnd = false
    var dayRule = DayRule.both
    var hours = CalendarField.all
    var minutes = CalendarField.all
    var seconds = CalendarField(.second, 0)

    /// The normalised form that `systemd-analyze calendar` prints; two of them joined by ` or ` for cron's `either`.
    var description: String {
        guard dayRule == .either else { return text(weekdays, days) }
        return "\(text(.all, days)) or \(text(weekdays, .all))"
    }

    private func text(_ weekdays: Weekdays, _ days: CalendarField) -> String {
        let date =
            "\(years.text(digits: 4))-\(months.text(digits: 2))\(countsFromEnd ? "~" : "-")\(days.text(digits: 2))"
        let time = "\(hours.text(digits: 2)):\(minutes.text(digits: 2)):\(seconds.text(digits: 2))"
        return (weekdays == .all ? "" : weekdays.text + " ") + "\(date) \(time)"
    }
}

extension CalendarEvent {
    /// The event of a word, in small letters; nil for others.
    init?(word: String) {
        switch word {
        case "minutely": break
        case "hourly": minutes = CalendarField(.minute, 0)
        case "daily": setMidnight()
        case "weekly": weekdays = Weekdays(bits: 1)
        case "monthly": days = CalendarField(.day, 1)
        case "quarterly": months = CalendarField(.month, 1, 4, 7, 10)
        case "semiannually", "semi-annually", "biannually", "bi-annually": months = CalendarField(.month, 1, 7)
        case "yearly", "annually": months = CalendarField(.month, 1)
        default: return nil
        }
        if weekdays != .all || !days.isAll || !months.isAll { setMidnight() }
        if !months.isAll { days = CalendarField(.day, 1) }
    }

    /// The words of `init(word:)` that messages offer.
    static let words = [
        "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "annually",
    ]

    mutating func setMidnight() {
        hours = CalendarField(.hour, 0)
        minutes = CalendarField(.minute, 0)
        seconds = CalendarField(.second, 0)
    }
}
