import HTTPTransport
import Strategy

/// The wait that a server asks for (RFC 9110 section 10.2.3).
enum RetryAfter {
    /// Seconds from the answer on; nil when none are told, or in no form that is known.
    static func seconds(_ answer: HTTPAnswer) -> Int? {
        guard let text = answer.header("retry-after") else { return nil }
        let bounds = 0...MessagingLimits.retryAfterSeconds
        if let seconds = Int(text), seconds >= 0 { return min(seconds, bounds.upperBound) }
        // By the server's own clock, whatever ours says.
        guard let then = moment(text), let now = answer.header("date").flatMap(moment) else { return nil }
        return min(max(then - now, bounds.lowerBound), bounds.upperBound)
    }

    /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`; the two forms that have been obsolete since 1999 are not read.
    private static func moment(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]),
            let month = MailDate.months.firstIndex(of: String(words[2])), (1...31).contains(day),
            (1970...9999).contains(year)
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2])
        else { return nil }
        let days = CivilDate(year: year, month: month + 1, day: day).daysSinceEpoch
        return days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
    }
}
