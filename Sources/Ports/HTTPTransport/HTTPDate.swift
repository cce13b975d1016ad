import Strategy

/// Moments as heads of answers have them (RFC 9110 section 5.6.7).
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`; the two forms that have been obsolete since 1999 are not read.
    package static func seconds(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]), let year = Int(words[3]),
            let month = months.firstIndex(of: String(words[2])), (1...31).contains(day),
            (1970...9999).contains(year)
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2])
        else { return nil }
        let days = CivilDate(year: year, month: month + 1, day: day).daysSinceEpoch
        return days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
    }
}

/// The wait that a server asks for (RFC 9110 section 10.2.3).
package enum RetryAfter {
    /// Seconds from the answer on, at most `secondsMax`; nil when none are told, or in no form that is known.
    package static func seconds(secondsMax: Int, header: (String) -> String?) -> Int? {
        guard let text = header("retry-after") else { return nil }
        if let seconds = Int(text), seconds >= 0 { return min(seconds, secondsMax) }
        // By the server's own clock, whatever ours says.
        guard let then = HTTPDate.seconds(text), let now = header("date").flatMap(HTTPDate.seconds) else { return nil }
        return min(max(then - now, 0), secondsMax)
    }
}
