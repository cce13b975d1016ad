package import Bytes
import Strategy

/// A moment as mail writes it (RFC 5322 section 3.3), in UTC.
package enum MailDate {
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    /// Of years with four digits.
    private static let bounds: ClosedRange<Int64> = 0...253_402_300_799

    /// `Sun, 22 Nov 2026 09:30:00 +0000`.
    package static func text(_ moment: Timestamp) -> String {
        let seconds = Int(min(max(moment.seconds, bounds.lowerBound), bounds.upperBound))
        let date = CivilDate(daysSinceEpoch: seconds / 86_400)
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(twoDigits).joined(separator: ":")
        return "\(days[date.weekday]), \(twoDigits(date.day)) \(months[date.month - 1]) \(date.year) \(time) +0000"
    }

    private static func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
}
